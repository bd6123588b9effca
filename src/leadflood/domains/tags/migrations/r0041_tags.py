"""Tags on leads.

Revision ID: 0041
Revises: 0040
"""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
TABLES = (
    """
    CREATE TABLE tags (
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        id           uuid NOT NULL,
        name         text NOT NULL,
        name_key     text COLLATE "C" NOT NULL,
        color        text NOT NULL,
        version      integer NOT NULL DEFAULT 1,
        created_at   timestamptz NOT NULL DEFAULT now(),
        updated_at   timestamptz NOT NULL DEFAULT now(),
        deleted_at   timestamptz,
        PRIMARY KEY (workspace_id, id)
    )
    """,
    "CREATE UNIQUE INDEX tags_name_key ON tags (workspace_id, name_key) WHERE deleted_at IS NULL",
    "CREATE INDEX tags_deleted_idx ON tags (deleted_at) WHERE deleted_at IS NOT NULL",
    """
    CREATE TABLE lead_tags (
        workspace_id uuid NOT NULL,
        lead_id      uuid NOT NULL,
        tag_id       uuid NOT NULL,
        tagged_at    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, lead_id, tag_id),
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
        FOREIGN KEY (workspace_id, tag_id) REFERENCES tags (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX lead_tags_tag_idx ON lead_tags (workspace_id, tag_id, lead_id)",
)
# Read by filters. A deleted tag is on no lead. Runs with the rights of the caller.
VIEW = """
CREATE VIEW active_lead_tags WITH (security_invoker = true) AS
SELECT l.workspace_id, l.lead_id, l.tag_id
FROM lead_tags l JOIN tags t ON t.workspace_id = l.workspace_id AND t.id = l.tag_id AND t.deleted_at IS NULL
"""


def upgrade() -> None:
    """The previous release keeps working: it knows nothing of tags, and what it deletes takes them along."""
    for statement in TABLES:
        op.execute(statement)
    op.execute(VIEW)
    for table in ("tags", "lead_tags"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY search ON {table} FOR SELECT TO leadflood_search USING (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")
        op.execute(f"GRANT SELECT ON {table} TO leadflood_search")
    op.execute("GRANT SELECT ON active_lead_tags TO leadflood_app, leadflood_system, leadflood_search")


def downgrade() -> None:
    """Drop all tags."""
    op.execute("DROP VIEW active_lead_tags")
    op.execute("DROP TABLE lead_tags, tags")
