"""Causes of failures, progress of long jobs, and figures over time.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Each is a transaction of its own, and safe to repeat after a kill. A constant default does not rewrite the table.
STEPS = (
    "ALTER TABLE job_executions ADD COLUMN IF NOT EXISTS cause text NOT NULL DEFAULT ''",
    "ALTER TABLE job_executions ADD COLUMN IF NOT EXISTS progress jsonb",
    "ALTER TABLE outbox_events ADD COLUMN IF NOT EXISTS cause text NOT NULL DEFAULT ''",
    "DROP INDEX CONCURRENTLY IF EXISTS job_executions_cause_idx",
    """
    CREATE INDEX CONCURRENTLY job_executions_cause_idx ON job_executions (workspace_id, cause, kind, id)
    WHERE status = 'failed'
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS outbox_events_cause_idx",
    """
    CREATE INDEX CONCURRENTLY outbox_events_cause_idx ON outbox_events (workspace_id, cause, kind, id)
    WHERE status = 'dead_letter'
    """,
    # The timeline only grows, in the order of time: a few bytes for each hundred pages find a time in it.
    "DROP INDEX CONCURRENTLY IF EXISTS lead_events_at_idx",
    "CREATE INDEX CONCURRENTLY lead_events_at_idx ON lead_events USING brin (at) WITH (autosummarize = on)",
)

FIGURES = """
CREATE TABLE workspace_figures (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    quarter      timestamptz NOT NULL,
    created      integer NOT NULL DEFAULT 0,
    enriched     integer NOT NULL DEFAULT 0,
    failed       integer NOT NULL DEFAULT 0,
    latency      integer[] NOT NULL DEFAULT '{}',
    leads_total  bigint,
    PRIMARY KEY (workspace_id, quarter)
)
"""

PROGRESS = "CREATE TABLE figures_progress (name text PRIMARY KEY, counted_until timestamptz NOT NULL)"

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"

SECURED = (
    "ALTER TABLE workspace_figures ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE workspace_figures FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON workspace_figures USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON workspace_figures TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON workspace_figures TO leadflood_app, leadflood_system",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON figures_progress TO leadflood_app, leadflood_system",
)


def upgrade() -> None:
    """Old code goes on: what it writes has an empty cause, and no progress."""
    with op.get_context().autocommit_block():
        for step in STEPS:
            op.execute(step)
    op.execute(FIGURES)
    op.execute(PROGRESS)
    op.execute("CREATE INDEX workspace_figures_quarter_idx ON workspace_figures USING brin (quarter)")
    for statement in SECURED:
        op.execute(statement)


def downgrade() -> None:
    """Forget causes, progress and figures."""
    for statement in (
        "DROP TABLE workspace_figures",
        "DROP TABLE figures_progress",
        "DROP INDEX lead_events_at_idx",
        "ALTER TABLE outbox_events DROP COLUMN cause",
        "ALTER TABLE job_executions DROP COLUMN progress, DROP COLUMN cause",
    ):
        op.execute(statement)
