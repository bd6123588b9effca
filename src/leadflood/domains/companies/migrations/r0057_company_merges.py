"""Merges and splits of companies.

Revision ID: 0057
Revises: 0056
"""

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
STATEMENTS = (
    # With what it moved: domains, and the leads that a person had linked to the other company. Others follow their
    # domain.
    """
    CREATE TABLE company_merges (
        workspace_id uuid NOT NULL,
        id           uuid NOT NULL,
        kind         text NOT NULL CHECK (kind IN ('merge', 'split')),
        company_id   uuid NOT NULL,
        other_id     uuid NOT NULL,
        domains      text[] NOT NULL,
        pinned_leads uuid[] NOT NULL,
        took_name    boolean NOT NULL DEFAULT false,
        was_main     boolean NOT NULL DEFAULT false,
        created_at   timestamptz NOT NULL DEFAULT now(),
        undone_at    timestamptz,
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, company_id) REFERENCES companies (workspace_id, id) ON DELETE CASCADE,
        FOREIGN KEY (workspace_id, other_id) REFERENCES companies (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX company_merges_company_idx ON company_merges (workspace_id, company_id, id)",
    "CREATE INDEX company_merges_other_idx ON company_merges (workspace_id, other_id, id)",
    "CREATE INDEX company_merges_created_idx ON company_merges (created_at)",
    "ALTER TABLE company_merges ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE company_merges FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON company_merges USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON company_merges TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON company_merges TO leadflood_app, leadflood_system",
)


def upgrade() -> None:
    """The previous release does not use the table."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the merges, which cannot be undone then."""
    op.execute("DROP TABLE company_merges")
