"""Runs that follow another one, for sources that ask for patience.

Revision ID: 0061
Revises: 0060
"""

from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The previous release starts no such runs, and runs those that there are immediately."""
    op.execute("""
        ALTER TABLE company_runs
            ADD COLUMN not_before timestamptz,
            ADD COLUMN follow_ups integer NOT NULL DEFAULT 0
    """)


def downgrade() -> None:
    """Runs that wait for their time start when their job does."""
    op.execute("ALTER TABLE company_runs DROP COLUMN not_before, DROP COLUMN follow_ups")
