"""Jobs have a priority.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column with a constant default, so that no row is rewritten. Old code queues normal jobs."""
    op.execute("ALTER TABLE job_executions ADD COLUMN priority smallint NOT NULL DEFAULT 0")


def downgrade() -> None:
    """Drop the column."""
    op.execute("ALTER TABLE job_executions DROP COLUMN priority")
