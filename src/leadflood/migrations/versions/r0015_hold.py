"""The hold on outgoing effects: which database and instance this is, and jobs that wait until the hold is opened.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

HOLD = """
CREATE TABLE effects_hold (
    id                integer PRIMARY KEY CHECK (id = 1),
    system_identifier text,
    database_oid      bigint NOT NULL,
    instance_id       text NOT NULL,
    recorded_at       timestamptz NOT NULL DEFAULT now(),
    closed_at         timestamptz,
    reason            text NOT NULL DEFAULT ''
)
"""

# Each is a transaction of its own, and safe to repeat after a kill. A constant default does not rewrite the table.
STEPS = (
    "ALTER TABLE job_executions ADD COLUMN IF NOT EXISTS on_hold boolean NOT NULL DEFAULT false",
    "DROP INDEX CONCURRENTLY IF EXISTS job_executions_on_hold_idx",
    """
    CREATE INDEX CONCURRENTLY job_executions_on_hold_idx ON job_executions (workspace_id, id)
    WHERE on_hold AND status = 'queued'
    """,
)


def upgrade() -> None:
    """The first process that sends, or serves, records what it finds. Old code knows no hold and sends."""
    with op.get_context().autocommit_block():
        for step in STEPS:
            op.execute(step)
    op.execute(HOLD)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON effects_hold TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """Forget the hold. Jobs that wait for it start within the hour."""
    op.execute("DROP TABLE effects_hold")
    op.execute("ALTER TABLE job_executions DROP COLUMN on_hold")
