"""Batches of enrichments: many leads or companies that are enriched together.

Revision ID: 0064
Revises: 0063
"""

from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
BATCHES = """
CREATE TABLE enrichment_batches (
    workspace_id  uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id            uuid NOT NULL,
    status        text NOT NULL DEFAULT 'running'
        CHECK (status IN ('running', 'paused', 'completed', 'canceled', 'failed')),
    subject       text NOT NULL CHECK (subject IN ('leads', 'companies')),
    name          text NOT NULL,
    scope         jsonb NOT NULL,
    include_fresh boolean NOT NULL,
    job_id        uuid NOT NULL,
    actor_kind    text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id      uuid,
    total         integer NOT NULL,
    running       integer NOT NULL DEFAULT 0,
    completed     integer NOT NULL DEFAULT 0,
    partial       integer NOT NULL DEFAULT 0,
    failed        integer NOT NULL DEFAULT 0,
    skipped       integer NOT NULL DEFAULT 0,
    position      jsonb,
    walked        boolean NOT NULL DEFAULT false,
    error         text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz,
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT enrichment_batches_end_check CHECK ((status IN ('running', 'paused')) = (ended_at IS NULL))
)
"""
# Those under way: a row goes when its job has ended. Without a job, it waits for the batch to be resumed.
ITEMS = """
CREATE TABLE enrichment_batch_items (
    workspace_id uuid NOT NULL,
    batch_id     uuid NOT NULL,
    subject_id   uuid NOT NULL,
    job_id       uuid,
    PRIMARY KEY (workspace_id, batch_id, subject_id),
    FOREIGN KEY (workspace_id, batch_id) REFERENCES enrichment_batches (workspace_id, id) ON DELETE CASCADE
)
"""
REASONS = """
CREATE TABLE enrichment_batch_reasons (
    workspace_id uuid NOT NULL,
    batch_id     uuid NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('partial', 'failed', 'skipped')),
    reason       text NOT NULL,
    count        integer NOT NULL,
    PRIMARY KEY (workspace_id, batch_id, outcome, reason),
    FOREIGN KEY (workspace_id, batch_id) REFERENCES enrichment_batches (workspace_id, id) ON DELETE CASCADE
)
"""
INDEXES = (
    "CREATE INDEX enrichment_batches_ended_idx ON enrichment_batches (ended_at) WHERE ended_at IS NOT NULL",
    "CREATE INDEX enrichment_batch_items_subject_idx ON enrichment_batch_items (workspace_id, subject_id)",
)


def upgrade() -> None:
    """The previous release knows no batches. Its workers leave their jobs to those of this one."""
    for statement in (BATCHES, ITEMS, REASONS, *INDEXES):
        op.execute(statement)
    for table in ("enrichment_batches", "enrichment_batch_items", "enrichment_batch_reasons"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """Drop the batches. Jobs that one has queued are done."""
    op.execute("DROP TABLE enrichment_batch_reasons, enrichment_batch_items, enrichment_batches")
