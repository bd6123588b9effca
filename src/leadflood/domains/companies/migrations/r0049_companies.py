"""Companies, their domains and their leads.

Revision ID: 0049
Revises: 0048
"""

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
TABLES = (
    # `domain` is the main one of its domains. A merged company stays, so that the merge can be undone.
    """
    CREATE TABLE companies (
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        id           uuid NOT NULL,
        domain       text COLLATE "C" NOT NULL,
        name         text,
        sort_key     text COLLATE "C" NOT NULL,
        status       text NOT NULL DEFAULT 'provisional' CHECK (status IN ('provisional', 'known', 'gone')),
        source       text NOT NULL CHECK (source IN ('lead', 'person', 'import', 'split')),
        version      integer NOT NULL DEFAULT 1,
        created_at   timestamptz NOT NULL DEFAULT now(),
        updated_at   timestamptz NOT NULL DEFAULT now(),
        deleted_at   timestamptz,
        merged_into  uuid,
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, merged_into) REFERENCES companies (workspace_id, id) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX companies_name_idx ON companies (workspace_id, sort_key, id)
    WHERE deleted_at IS NULL AND merged_into IS NULL
    """,
    """
    CREATE INDEX companies_id_idx ON companies (workspace_id, id) WHERE deleted_at IS NULL AND merged_into IS NULL
    """,
    "CREATE INDEX companies_merged_idx ON companies (workspace_id, merged_into) WHERE merged_into IS NOT NULL",
    "CREATE INDEX companies_deleted_idx ON companies (deleted_at) WHERE deleted_at IS NOT NULL",
    # The primary key is what makes two writers who meet a new domain find one company.
    """
    CREATE TABLE company_domains (
        workspace_id uuid NOT NULL,
        domain       text COLLATE "C" NOT NULL,
        company_id   uuid NOT NULL,
        source       text NOT NULL CHECK (source IN ('lead', 'person', 'import', 'evidence')),
        evidence     text,
        added_at     timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, domain),
        FOREIGN KEY (workspace_id, company_id) REFERENCES companies (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX company_domains_company_idx ON company_domains (workspace_id, company_id)",
    # `domain` is the one that was read from the lead. A pinned row without a company: a person said that it has none.
    """
    CREATE TABLE company_leads (
        workspace_id uuid NOT NULL,
        lead_id      uuid NOT NULL,
        company_id   uuid,
        domain       text COLLATE "C",
        how          text NOT NULL CHECK (how IN ('website', 'email', 'manual')),
        pinned       boolean NOT NULL DEFAULT false,
        linked_at    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, lead_id),
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
        FOREIGN KEY (workspace_id, company_id) REFERENCES companies (workspace_id, id) ON DELETE CASCADE,
        CHECK (pinned OR (company_id IS NOT NULL AND domain IS NOT NULL))
    )
    """,
    "CREATE INDEX company_leads_company_idx ON company_leads (workspace_id, company_id, lead_id)",
    # Position of the job that links the leads of a workspace.
    """
    CREATE TABLE company_link_progress (
        workspace_id uuid PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
        after_id     uuid NOT NULL,
        updated_at   timestamptz NOT NULL DEFAULT now()
    )
    """,
)
SEARCHED = ("companies", "company_leads")
# Read by filters. Runs with the rights of the caller.
VIEW = """
CREATE VIEW active_company_leads WITH (security_invoker = true) AS
SELECT l.workspace_id, l.lead_id, l.company_id, c.domain
FROM company_leads l
JOIN companies c ON c.workspace_id = l.workspace_id AND c.id = l.company_id
                AND c.deleted_at IS NULL AND c.merged_into IS NULL
"""


def upgrade() -> None:
    """The previous release keeps working: it knows nothing of companies, and what it deletes takes its links along.

    What it creates meanwhile is linked by the job that goes through the leads of each workspace.
    """
    for statement in TABLES:
        op.execute(statement)
    op.execute(VIEW)
    for table in ("companies", "company_domains", "company_leads", "company_link_progress"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")
    for table in SEARCHED:
        op.execute(f"CREATE POLICY search ON {table} FOR SELECT TO leadflood_search USING (true)")
        op.execute(f"GRANT SELECT ON {table} TO leadflood_search")
    op.execute("GRANT SELECT ON active_company_leads TO leadflood_app, leadflood_system, leadflood_search")
    op.execute("CALL add_timeline('company', 'companies')")


def downgrade() -> None:
    """Drop all companies."""
    op.execute("DROP VIEW active_company_leads")
    op.execute("DROP TABLE company_events, company_link_progress, company_leads, company_domains, companies")
