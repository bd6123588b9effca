"""Duplicates: what leads are compared by, pairs that may be one person, and merges that can be undone.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# `key` is a hash: it only brings leads together that are then compared, so a collision costs one comparison. It has no
# foreign key: checking each of millions takes five times as long as writing them, and locks the leads. Scans remove the
# keys of deleted leads.
DUPLICATES = """
CREATE TABLE duplicate_keys (
    workspace_id uuid NOT NULL,
    key          bigint NOT NULL,
    lead_id      uuid NOT NULL,
    PRIMARY KEY (workspace_id, key, lead_id)
);
CREATE INDEX duplicate_keys_lead_idx ON duplicate_keys (workspace_id, lead_id);

CREATE TABLE duplicate_scans (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id           uuid NOT NULL,
    status       text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'completed', 'failed')),
    job_id       uuid,
    since        timestamptz,
    position_at  timestamptz,
    position_id  uuid,
    scanned      bigint NOT NULL DEFAULT 0,
    found        bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    finished_at  timestamptz,
    PRIMARY KEY (workspace_id, id),
    CHECK ((status IN ('completed', 'failed')) = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX duplicate_scans_live_key ON duplicate_scans (workspace_id) WHERE finished_at IS NULL;

CREATE TABLE duplicate_candidates (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    lead_a       uuid NOT NULL,
    lead_b       uuid NOT NULL,
    score        integer NOT NULL CHECK (score BETWEEN 0 AND 100),
    reasons      jsonb NOT NULL,
    status       text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'dismissed', 'merged')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, lead_a) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, lead_b) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
    CHECK (lead_a <> lead_b)
);
CREATE UNIQUE INDEX duplicate_candidates_pair_key ON duplicate_candidates (workspace_id, lead_a, lead_b);
CREATE INDEX duplicate_candidates_other_idx ON duplicate_candidates (workspace_id, lead_b);
CREATE INDEX duplicate_candidates_score_idx ON duplicate_candidates (workspace_id, status, score, id);

CREATE TABLE lead_merges (
    workspace_id   uuid NOT NULL,
    id             uuid NOT NULL,
    survivor_id    uuid NOT NULL,
    other_id       uuid NOT NULL,
    changeset_id   uuid NOT NULL,
    status         text NOT NULL DEFAULT 'merged' CHECK (status IN ('merged', 'undone')),
    taken          text[] NOT NULL,
    actor_kind     text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id       uuid,
    undone_by_kind text CHECK (undone_by_kind IN ('user', 'api_key', 'cli', 'system')),
    undone_by      uuid,
    created_at     timestamptz NOT NULL DEFAULT now(),
    undone_at      timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, survivor_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, other_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
    CHECK (survivor_id <> other_id),
    CHECK ((status = 'undone') = (undone_at IS NOT NULL))
);
CREATE INDEX lead_merges_survivor_idx ON lead_merges (workspace_id, survivor_id);
CREATE INDEX lead_merges_other_idx ON lead_merges (workspace_id, other_id);

CREATE TABLE merge_references (
    workspace_id uuid NOT NULL,
    merge_id     uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('run', 'value', 'job', 'candidate')),
    reference_id uuid NOT NULL,
    before       jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, merge_id, reference_id),
    FOREIGN KEY (workspace_id, merge_id) REFERENCES lead_merges (workspace_id, id) ON DELETE CASCADE
);
"""

TENANT_TABLES = ("duplicate_keys", "duplicate_scans", "duplicate_candidates", "lead_merges", "merge_references")


def _statements(script: str) -> list[str]:
    return [part.strip() for part in script.split(";\n") if part.strip()]


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
    """Create the tables. The first scan of each workspace fills them."""
    for statement in _statements(DUPLICATES):
        op.execute(statement)
    for table in TENANT_TABLES:
        _secure(table)


def downgrade() -> None:
    """Drop them. What was merged stays merged."""
    for table in reversed(TENANT_TABLES):
        op.execute(f"DROP TABLE {table}")
