"""Duplicates: merges of all certain pairs, which are undone together, and who decided on a pair.

Revision ID: 0046
Revises: 0045
"""

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

RUNS = """
CREATE TABLE merge_runs (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id           uuid NOT NULL,
    status       text NOT NULL CHECK (status IN ('merging', 'merged', 'undoing', 'undone')),
    job_id       uuid NOT NULL,
    actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id     uuid,
    total        integer NOT NULL,
    merged       integer NOT NULL DEFAULT 0,
    skipped      integer NOT NULL DEFAULT 0,
    undone       integer NOT NULL DEFAULT 0,
    kept         integer NOT NULL DEFAULT 0,
    error        text,
    position     uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    PRIMARY KEY (workspace_id, id)
)
"""
# One at a time in a workspace.
ONE = "CREATE UNIQUE INDEX merge_runs_active_key ON merge_runs (workspace_id) WHERE status IN ('merging', 'undoing')"
COLUMNS = (
    "ALTER TABLE lead_merges ADD COLUMN run_id uuid",
    """
    ALTER TABLE duplicate_candidates ADD COLUMN decided_at timestamptz, ADD COLUMN decided_by uuid,
        ADD COLUMN decided_by_kind text CHECK (decided_by_kind IN ('user', 'api_key', 'cli', 'system'))
    """,
)
# Few merges are part of a run, and few pairs are dismissed.
INDEXES = (
    ("lead_merges_run_idx", "lead_merges (workspace_id, run_id, id) WHERE run_id IS NOT NULL"),
    (
        "duplicate_candidates_decided_idx",
        "duplicate_candidates (workspace_id, decided_at) WHERE decided_at IS NOT NULL",
    ),
)


def _secure(table: str) -> None:
    tenant = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
    for statement in (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({tenant}) WITH CHECK ({tenant})",
        f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system",
    ):
        op.execute(statement)


def upgrade() -> None:
    """Old code continues to work: the columns are nullable. Pairs that it dismisses have no name in the history."""
    op.execute(RUNS)
    op.execute(ONE)
    _secure("merge_runs")
    for statement in COLUMNS:
        op.execute(statement)
    with op.get_context().autocommit_block():
        for name, definition in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {definition}")


def downgrade() -> None:
    """Merges stay, and are undone one by one."""
    with op.get_context().autocommit_block():
        for name, _ in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute(
        "ALTER TABLE duplicate_candidates DROP COLUMN decided_at, DROP COLUMN decided_by, DROP COLUMN decided_by_kind"
    )
    op.execute("ALTER TABLE lead_merges DROP COLUMN run_id")
    op.execute("DROP TABLE merge_runs")
