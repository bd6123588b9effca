"""Filters on custom values and on the import that wrote a lead; sort orders by text.

Revision ID: 0031
Revises: 0030
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# The leads that an import created or updated, while its changes are kept. Read with the rights of whoever asks.
IMPORTED = """
CREATE OR REPLACE VIEW lead_imports WITH (security_invoker = true) AS
SELECT i.workspace_id, i.id AS import_id, c.lead_id
FROM imports i JOIN lead_changes c ON c.workspace_id = i.workspace_id AND c.changeset_id = i.changeset_id
"""
GRANTED = (
    "GRANT SELECT ON lead_imports TO leadflood_app, leadflood_system, leadflood_search",
    "GRANT SELECT ON lead_field_texts, lead_field_numbers TO leadflood_search",
    "GRANT SELECT (workspace_id, id, changeset_id) ON imports TO leadflood_search",
    "GRANT SELECT (workspace_id, changeset_id, lead_id) ON lead_changes TO leadflood_search",
)
READ = ("lead_field_texts", "lead_field_numbers", "imports", "lead_changes")

# The first two let a list in its order look at the values of each lead. The others are orders by what people read,
# without case and accents; leads without such a value are not in them.
INDEXES = (
    "DROP INDEX CONCURRENTLY IF EXISTS lead_field_texts_lead_idx",
    "CREATE INDEX CONCURRENTLY lead_field_texts_lead_idx ON lead_field_texts (workspace_id, lead_id, key)",
    "DROP INDEX CONCURRENTLY IF EXISTS lead_field_numbers_lead_idx",
    "CREATE INDEX CONCURRENTLY lead_field_numbers_lead_idx ON lead_field_numbers (workspace_id, lead_id, key)",
    "DROP INDEX CONCURRENTLY IF EXISTS leads_name_idx",
    """
    CREATE INDEX CONCURRENTLY leads_name_idx ON leads (
        workspace_id,
        (search_key(coalesce(first_name || ' ' || last_name, first_name, last_name)) COLLATE "C"), id)
    WHERE deleted_at IS NULL AND coalesce(first_name || ' ' || last_name, first_name, last_name) IS NOT NULL
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS leads_company_idx",
    """
    CREATE INDEX CONCURRENTLY leads_company_idx ON leads (workspace_id, (search_key(company) COLLATE "C"), id)
    WHERE deleted_at IS NULL AND company IS NOT NULL
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS leads_job_title_idx",
    """
    CREATE INDEX CONCURRENTLY leads_job_title_idx ON leads (workspace_id, (search_key(job_title) COLLATE "C"), id)
    WHERE deleted_at IS NULL AND job_title IS NOT NULL
    """,
)


def upgrade() -> None:
    """The previous release keeps working: it neither reads nor sorts by any of this."""
    op.execute(IMPORTED)
    for statement in GRANTED:
        op.execute(statement)
    for table in READ:
        op.execute(f"DROP POLICY IF EXISTS search ON {table}")
        op.execute(f"CREATE POLICY search ON {table} FOR SELECT TO leadflood_search USING (true)")
    with op.get_context().autocommit_block():
        for statement in INDEXES:
            op.execute(statement)


def downgrade() -> None:
    """Drop what only this release reads."""
    for name in ("leads_job_title_idx", "leads_company_idx", "leads_name_idx"):
        op.execute(f"DROP INDEX {name}")
    op.execute("DROP INDEX lead_field_numbers_lead_idx")
    op.execute("DROP INDEX lead_field_texts_lead_idx")
    op.execute("DROP VIEW lead_imports")
    op.execute("REVOKE SELECT (workspace_id, id, changeset_id) ON imports FROM leadflood_search")
    op.execute("REVOKE SELECT (workspace_id, changeset_id, lead_id) ON lead_changes FROM leadflood_search")
    for table in READ:
        op.execute(f"DROP POLICY search ON {table}")
