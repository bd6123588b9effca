"""Jobs that wait for something to end, such as the run of a company.

Revision ID: 0059
Revises: 0058
"""

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

# Each is a transaction of its own, and safe to repeat after a kill.
STEPS = (
    "ALTER TABLE job_executions ADD COLUMN IF NOT EXISTS awaited_id uuid",
    "DROP INDEX CONCURRENTLY IF EXISTS job_executions_awaited_idx",
    """
    CREATE INDEX CONCURRENTLY job_executions_awaited_idx ON job_executions (workspace_id, awaited_id, id)
    WHERE awaited_id IS NOT NULL
    """,
)


def upgrade() -> None:
    """The previous release has no job that waits for something. One that it starts may be woken once more."""
    with op.get_context().autocommit_block():
        for step in STEPS:
            op.execute(step)


def downgrade() -> None:
    """Jobs that wait for something start when their time is up."""
    op.execute("ALTER TABLE job_executions DROP COLUMN awaited_id")
