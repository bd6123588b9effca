"""Jobs that wait until a time for a reason, and jobs of which one at a time is queued or runs for a subject.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# Each is a transaction of its own, and safe to repeat after a kill. A constant default does not rewrite the table.
STEPS = (
    """
    ALTER TABLE job_executions
        ADD COLUMN IF NOT EXISTS waiting_for text,
        ADD COLUMN IF NOT EXISTS unique_subject boolean NOT NULL DEFAULT false,
        ADD COLUMN IF NOT EXISTS rerun boolean NOT NULL DEFAULT false
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS job_executions_unique_idx",
    """
    CREATE UNIQUE INDEX CONCURRENTLY job_executions_unique_idx ON job_executions (workspace_id, kind, subject_id)
    WHERE unique_subject AND status IN ('queued', 'running')
    """,
)


def upgrade() -> None:
    """Old code knows neither, and has no kind of job that uses them."""
    with op.get_context().autocommit_block():
        for step in STEPS:
            op.execute(step)


def downgrade() -> None:
    """Jobs that wait start when they are due, and those that are unique no longer are."""
    op.execute("ALTER TABLE job_executions DROP COLUMN waiting_for, DROP COLUMN unique_subject, DROP COLUMN rerun")
