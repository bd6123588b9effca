"""Imports: uploads, the mapping of their columns, and what each of their rows does.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# An upload is stored as it came, in pieces that TOAST neither compresses nor reads where they are not asked for.
# `email_norm` of a row is set only where the row stands for its address: not for rejected rows, nor for second ones.
IMPORTS = """
CREATE TABLE imports (
    workspace_id     uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id               uuid NOT NULL,
    filename         text NOT NULL,
    status           text NOT NULL DEFAULT 'uploading'
        CHECK (status IN ('uploading', 'uploaded', 'staging', 'previewed', 'committing', 'paused', 'committed',
                          'cancelled', 'failed')),
    actor_kind       text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id         uuid,
    size_bytes       bigint NOT NULL DEFAULT 0,
    sha256           bytea,
    utf8             boolean NOT NULL DEFAULT false,
    format           jsonb NOT NULL DEFAULT '{}',
    sheets           text[] NOT NULL DEFAULT '{}',
    columns          jsonb NOT NULL DEFAULT '[]',
    sample           jsonb NOT NULL DEFAULT '[]',
    fingerprint      text,
    options          jsonb NOT NULL DEFAULT '{}',
    job_id           uuid,
    changeset_id     uuid,
    staged_bytes     bigint NOT NULL DEFAULT 0,
    staged_through   integer NOT NULL DEFAULT 0,
    row_count        integer NOT NULL DEFAULT 0,
    counts           jsonb NOT NULL DEFAULT '{}',
    fields           jsonb NOT NULL DEFAULT '{}',
    faults           jsonb NOT NULL DEFAULT '{}',
    committed_through integer NOT NULL DEFAULT 0,
    phase_offset     bigint NOT NULL DEFAULT 0,
    enriched_through integer NOT NULL DEFAULT 0,
    error            text,
    phase_started_at timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    finished_at      timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX imports_updated_at_idx ON imports (updated_at);

CREATE TABLE import_chunks (
    workspace_id uuid NOT NULL,
    import_id    uuid NOT NULL,
    number       integer NOT NULL,
    data         bytea NOT NULL,
    PRIMARY KEY (workspace_id, import_id, number),
    FOREIGN KEY (workspace_id, import_id) REFERENCES imports (workspace_id, id) ON DELETE CASCADE
);
ALTER TABLE import_chunks ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE import_rows (
    workspace_id  uuid NOT NULL,
    import_id     uuid NOT NULL,
    row_no        integer NOT NULL,
    action        text NOT NULL CHECK (action IN ('create', 'update', 'unchanged', 'skip', 'conflict', 'reject')),
    reason        text,
    lead_id       uuid,
    lead_version  integer,
    email         text,
    email_norm    text COLLATE "C",
    first_name    text,
    last_name     text,
    company       text,
    job_title     text,
    phone         text,
    website       text,
    country       text,
    source        text,
    owner_id      uuid,
    custom_fields jsonb,
    search_text   text,
    changes       jsonb,
    faults        jsonb,
    raw           jsonb,
    PRIMARY KEY (workspace_id, import_id, row_no),
    FOREIGN KEY (workspace_id, import_id) REFERENCES imports (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX import_rows_action_idx ON import_rows (workspace_id, import_id, action, row_no);
CREATE UNIQUE INDEX import_rows_email_key ON import_rows (workspace_id, import_id, email_norm)
    WHERE email_norm IS NOT NULL;

CREATE TABLE import_mappings (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    fingerprint  text NOT NULL,
    targets      text[] NOT NULL,
    options      jsonb NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, fingerprint)
);
"""

TENANT_TABLES = ("imports", "import_chunks", "import_rows", "import_mappings")


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
    """Create the tables."""
    for statement in _statements(IMPORTS):
        op.execute(statement)
    for table in TENANT_TABLES:
        _secure(table)


def downgrade() -> None:
    """Drop them, uploads included. What was imported stays, and so do the changesets that undo it."""
    for table in reversed(TENANT_TABLES):
        op.execute(f"DROP TABLE {table}")
