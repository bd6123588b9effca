"""Jobs that were lost with their workers: how often, and an index of those that run in a process of their own.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Each is a transaction of its own, and safe to repeat after a kill. A constant default does not rewrite the table.
STEPS = (
    "ALTER TABLE job_executions ADD COLUMN IF NOT EXISTS losses integer NOT NULL DEFAULT 0",
    "DROP INDEX CONCURRENTLY IF EXISTS job_executions_suspects_idx",
    """
    CREATE INDEX CONCURRENTLY job_executions_suspects_idx ON job_executions (next_attempt_at)
    WHERE status = 'queued' AND losses >= 2
    """,
)


def upgrade() -> None:
    """Old workers count no losses, and run jobs that have two as any other."""
    with op.get_context().autocommit_block():
        for step in STEPS:
            op.execute(step)


def downgrade() -> None:
    """Forget what was lost."""
    op.execute("ALTER TABLE job_executions DROP COLUMN losses")
