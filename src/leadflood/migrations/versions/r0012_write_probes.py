"""A table that `/ready` writes to, to find out whether the database accepts writes.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE write_probes (
    process_id uuid PRIMARY KEY,
    at         timestamptz NOT NULL,
    payload    bytea
)
"""


def upgrade() -> None:
    """Add the table. The payload is random, so compressing it would be wasted work."""
    op.execute(TABLE)
    op.execute("ALTER TABLE write_probes ALTER COLUMN payload SET STORAGE EXTERNAL")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON write_probes TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE write_probes")
