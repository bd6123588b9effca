"""A backup can read the sequence of the field history.

Revision ID: 0033
Revises: 0032
"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """pg_dump runs as the role that sees every row, and reads where sequences are."""
    op.execute("GRANT SELECT ON SEQUENCE lead_field_history_id_seq TO leadflood_system")


def downgrade() -> None:
    """No backup can be made of the release before."""
    op.execute("REVOKE SELECT ON SEQUENCE lead_field_history_id_seq FROM leadflood_system")
