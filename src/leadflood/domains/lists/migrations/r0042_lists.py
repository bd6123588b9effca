"""Static lists of leads.

Revision ID: 0042
Revises: 0041
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
TABLES = (
    """
    CREATE TABLE lists (
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        id           uuid NOT NULL,
        name         text NOT NULL,
        name_key     text COLLATE "C" NOT NULL,
        description  text,
        version      integer NOT NULL DEFAULT 1,
        created_at   timestamptz NOT NULL DEFAULT now(),
        updated_at   timestamptz NOT NULL DEFAULT now(),
        deleted_at   timestamptz,
        PRIMARY KEY (workspace_id, id)
    )
    """,
    "CREATE UNIQUE INDEX lists_name_key ON lists (workspace_id, name_key) WHERE deleted_at IS NULL",
    "CREATE INDEX lists_deleted_idx ON lists (deleted_at) WHERE deleted_at IS NOT NULL",
    """
    CREATE TABLE list_leads (
        workspace_id uuid NOT NULL,
        list_id      uuid NOT NULL,
        lead_id      uuid NOT NULL,
        added_at     timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, list_id, lead_id),
        FOREIGN KEY (workspace_id, list_id) REFERENCES lists (workspace_id, id) ON DELETE CASCADE,
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX list_leads_lead_idx ON list_leads (workspace_id, lead_id, list_id)",
)
# Read by filters. A deleted list has no leads. Runs with the rights of the caller.
VIEW = """
CREATE VIEW active_list_leads WITH (security_invoker = true) AS
SELECT m.workspace_id, m.lead_id, m.list_id
FROM list_leads m JOIN lists l ON l.workspace_id = m.workspace_id AND l.id = m.list_id AND l.deleted_at IS NULL
"""


def upgrade() -> None:
    """The previous release keeps working: it knows nothing of lists, and what it deletes takes them along."""
    for statement in TABLES:
        op.execute(statement)
    op.execute(VIEW)
    for table in ("lists", "list_leads"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY search ON {table} FOR SELECT TO leadflood_search USING (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")
        op.execute(f"GRANT SELECT ON {table} TO leadflood_search")
    op.execute("GRANT SELECT ON active_list_leads TO leadflood_app, leadflood_system, leadflood_search")


def downgrade() -> None:
    """Drop all lists."""
    op.execute("DROP VIEW active_list_leads")
    op.execute("DROP TABLE list_leads, lists")
