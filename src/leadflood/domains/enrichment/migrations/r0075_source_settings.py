"""Keys of providers, the sources that workspaces have enabled, and persons who are not looked up.

Revision ID: 0075
Revises: 0074
"""

from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
# `origin`: scheme, host and port that the key is for. `credential`: keyed hash of the key, which names its rate and
# breaker.
KEYS = """
CREATE TABLE provider_keys (
    workspace_id uuid NOT NULL,
    provider     text NOT NULL CHECK (provider ~ '^[a-z][a-z0-9_]{0,59}$'),
    origin       text NOT NULL CHECK (origin <> ''),
    sealed       bytea NOT NULL,
    last4        text NOT NULL CHECK (length(last4) <= 4),
    credential   text NOT NULL,
    set_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, provider)
)
"""
# `definition`: of a source that the workspace has defined itself; NULL for one of this program.
SETTINGS = """
CREATE TABLE source_settings (
    workspace_id uuid NOT NULL,
    source       text NOT NULL CHECK (source ~ '^[a-z][a-z0-9_]{0,59}$'),
    provider     text NOT NULL,
    enabled      boolean NOT NULL DEFAULT false,
    definition   jsonb,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, source)
)
"""
# Rows are added and read only. `person`: keyed hash of an address or of a name at a domain.
OBJECTIONS = """
CREATE TABLE lookup_objections (
    workspace_id uuid NOT NULL,
    person       bytea NOT NULL,
    source       text NOT NULL,
    objected_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, person)
)
"""
TABLES = ("provider_keys", "source_settings", "lookup_objections")


def upgrade() -> None:
    """Processes of the previous release ask no sources with keys."""
    for statement in (KEYS, SETTINGS, OBJECTIONS):
        op.execute(statement)
    # Whether a run asks no source that charges: one that no user asked for.
    op.execute("ALTER TABLE company_runs ADD COLUMN free_only boolean NOT NULL DEFAULT false")
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
    for table in TABLES[:2]:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")
    op.execute("GRANT SELECT, INSERT ON lookup_objections TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """Keys have to be entered again. Persons who objected are looked up again by the previous release."""
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE company_runs DROP COLUMN free_only")
