"""Leads have the values that fill their empty fields.

Revision ID: 0063
Revises: 0062
"""

from alembic import op

from leadflood.migrations.versions.r0027_filter_trees import COMPARISON
from leadflood.migrations.versions.r0058_stage_order import SEARCH

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

FIELDS = ("first_name", "last_name", "company", "job_title", "phone", "country", "website")
COLUMNS = tuple(f"found_{name}" for name in FIELDS)
NAME = """\
coalesce(coalesce(first_name, found_first_name) || ' ' || coalesce(last_name, found_last_name),
         first_name, found_first_name, last_name, found_last_name)"""
COMPANY = "coalesce(company, found_company)"
JOB_TITLE = "coalesce(job_title, found_job_title)"
# Unlike COALESCE, PostgreSQL knows of CASE that it leaks nothing, so that row-level security lets indexes serve it.
COUNTRY = "CASE WHEN country IS NULL THEN found_country ELSE country END"
PHONE = "CASE WHEN phone IS NULL THEN found_phone ELSE phone END"

# What a search looks through, as in revision 0028, with the found values of empty fields.
TEXT = """
CREATE OR REPLACE FUNCTION set_lead_search_text() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.search_text := leadflood.lead_search_text(
        coalesce(NEW.first_name, NEW.found_first_name), coalesce(NEW.last_name, NEW.found_last_name), NEW.email,
        coalesce(NEW.company, NEW.found_company), coalesce(NEW.job_title, NEW.found_job_title),
        coalesce(NEW.phone, NEW.found_phone), NEW.custom_fields);
    RETURN NEW;
END
$$
"""
FORMER_TEXT = """
CREATE OR REPLACE FUNCTION set_lead_search_text() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.search_text := leadflood.lead_search_text(NEW.first_name, NEW.last_name, NEW.email, NEW.company, NEW.job_title,
                                                  NEW.phone, NEW.custom_fields);
    RETURN NEW;
END
$$
"""
# A trigger of its own: an update that sets the columns to what they are costs nothing.
TRIGGER = f"""
CREATE OR REPLACE TRIGGER leads_found_text BEFORE UPDATE OF {", ".join(COLUMNS)} ON leads
    FOR EACH ROW WHEN (({", ".join(f"OLD.{name}" for name in COLUMNS)})
                       IS DISTINCT FROM ({", ".join(f"NEW.{name}" for name in COLUMNS)}))
    EXECUTE FUNCTION set_lead_search_text()
"""

# Conditions on fields with a found value compare what counts. The previous release searches with the function, too.
COLUMN = "    col   text := format('%I.%I', source, node ->> 'column');"
EFFECTIVE_COMPARISON = COMPARISON.replace(
    COLUMN,
    f"""\
    col   text := CASE WHEN source = 'leads' AND node ->> 'column' = ANY ('{{{",".join(FIELDS)}}}')
                       THEN format('CASE WHEN %1$I.%2$I IS NULL THEN %1$I.%3$I ELSE %1$I.%2$I END', source,
                                   node ->> 'column', 'found_' || (node ->> 'column'))
                       ELSE format('%I.%I', source, node ->> 'column') END;""",
)

# The previous release continues to sort by the fields themselves, without an index for it.
SORTED = "WHEN 'job_title' THEN 'job_title' END"
_INDENT = " " * 32
_QUOTED_NAME = NAME.replace("'", "''")
EFFECTIVE_SEARCH = SEARCH.replace(
    SORTED,
    f"""WHEN 'job_title' THEN 'job_title'
{_INDENT}WHEN 'effective_name' THEN '{_QUOTED_NAME}'
{_INDENT}WHEN 'effective_company' THEN '{COMPANY}'
{_INDENT}WHEN 'effective_job_title' THEN '{JOB_TITLE}' END""",
)

_LISTED = f"status, source, ({COUNTRY}), owner_id, ({PHONE})"
INDEXES = {
    "leads_list_idx": f"(workspace_id, created_at, id, updated_at, {_LISTED}) WHERE deleted_at IS NULL",
    "leads_latest_idx": f"(workspace_id, updated_at, id, created_at, {_LISTED}) WHERE deleted_at IS NULL",
    "leads_country_idx": f"""
        (workspace_id, ({COUNTRY}), created_at, id) WHERE deleted_at IS NULL AND {COUNTRY} IS NOT NULL""",
    "leads_name_idx": f"""
        (workspace_id, (search_key({NAME}) COLLATE "C"), id) WHERE deleted_at IS NULL AND {NAME} IS NOT NULL""",
    "leads_company_idx": f"""
        (workspace_id, (search_key({COMPANY}) COLLATE "C"), id) WHERE deleted_at IS NULL AND {COMPANY} IS NOT NULL""",
    "leads_job_title_idx": f"""
        (workspace_id, (search_key({JOB_TITLE}) COLLATE "C"), id)
        WHERE deleted_at IS NULL AND {JOB_TITLE} IS NOT NULL""",
}
_FORMER_NAME = "coalesce(first_name || ' ' || last_name, first_name, last_name)"
FORMER_INDEXES = {
    "leads_list_idx": """
        (workspace_id, created_at, id, updated_at, status, source, country, owner_id, phone)
        WHERE deleted_at IS NULL""",
    "leads_latest_idx": """
        (workspace_id, updated_at, id, created_at, status, source, country, owner_id, phone)
        WHERE deleted_at IS NULL""",
    "leads_country_idx": """
        (workspace_id, country, created_at, id) WHERE deleted_at IS NULL AND country IS NOT NULL""",
    "leads_name_idx": f"""
        (workspace_id, (search_key({_FORMER_NAME}) COLLATE "C"), id)
        WHERE deleted_at IS NULL AND {_FORMER_NAME} IS NOT NULL""",
    "leads_company_idx": """
        (workspace_id, (search_key(company) COLLATE "C"), id) WHERE deleted_at IS NULL AND company IS NOT NULL""",
    "leads_job_title_idx": """
        (workspace_id, (search_key(job_title) COLLATE "C"), id)
        WHERE deleted_at IS NULL AND job_title IS NOT NULL""",
}
STATISTICS = "CREATE STATISTICS leads_filters (mcv) ON workspace_id, status, source, {country}, owner_id FROM leads"


def _replace(indexes: dict[str, str], country: str) -> None:
    """Build each index beside the one that it replaces. Can be repeated after a failure."""
    with op.get_context().autocommit_block():
        for name, definition in indexes.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}_next")
            op.execute(f"CREATE INDEX CONCURRENTLY {name}_next ON leads {definition}")
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"ALTER INDEX {name}_next RENAME TO {name}")
        op.execute("DROP STATISTICS IF EXISTS leads_filters")
        op.execute(STATISTICS.format(country=country))
        op.execute("ANALYZE leads")


def upgrade() -> None:
    """The previous release keeps working: it writes no found values, and shows none.

    A job fills the columns of the leads that there are.
    """
    op.execute("ALTER TABLE leads " + ", ".join(f"ADD COLUMN IF NOT EXISTS {name} text" for name in COLUMNS))
    for statement in (TEXT, TRIGGER, EFFECTIVE_COMPARISON, EFFECTIVE_SEARCH):
        op.execute(statement)
    _replace(INDEXES, f"({COUNTRY})")


def downgrade() -> None:
    """Forget the values; what was found stays. Found values can still be searched for until a lead is written again."""
    _replace(FORMER_INDEXES, "country")
    for statement in (SEARCH, COMPARISON, "DROP TRIGGER leads_found_text ON leads", FORMER_TEXT):
        op.execute(statement)
    op.execute("ALTER TABLE leads " + ", ".join(f"DROP COLUMN {name}" for name in COLUMNS))
