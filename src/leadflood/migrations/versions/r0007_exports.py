"""Exports: what was asked for, and the file in pieces.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# `resolved` are the columns of the file, once they are known; `position` is where the walk through the leads goes on.
EXPORTS = """
CREATE TABLE exports (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id           uuid NOT NULL,
    format       text NOT NULL CHECK (format IN ('csv', 'ndjson', 'parquet')),
    columns      text[] NOT NULL,
    bom          boolean NOT NULL,
    filter       jsonb NOT NULL,
    status       text NOT NULL DEFAULT 'writing' CHECK (status IN ('writing', 'ready', 'failed')),
    actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id     uuid,
    job_id       uuid NOT NULL,
    resolved     text[],
    total        bigint,
    done         bigint NOT NULL DEFAULT 0,
    parts        integer NOT NULL DEFAULT 0,
    size_bytes   bigint NOT NULL DEFAULT 0,
    position     jsonb,
    error        text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    expires_at   timestamptz NOT NULL DEFAULT now() + interval '7 days',
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX exports_expires_at_idx ON exports (expires_at);

CREATE TABLE export_parts (
    workspace_id uuid NOT NULL,
    export_id    uuid NOT NULL,
    number       integer NOT NULL,
    data         bytea NOT NULL,
    PRIMARY KEY (workspace_id, export_id, number),
    FOREIGN KEY (workspace_id, export_id) REFERENCES exports (workspace_id, id) ON DELETE CASCADE
);
ALTER TABLE export_parts ALTER COLUMN data SET STORAGE EXTERNAL;
"""

TENANT_TABLES = ("exports", "export_parts")


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
    for statement in _statements(EXPORTS):
        op.execute(statement)
    for table in TENANT_TABLES:
        _secure(table)


def downgrade() -> None:
    """Drop them, files included. They can be written anew from the leads."""
    for table in reversed(TENANT_TABLES):
        op.execute(f"DROP TABLE {table}")
