"""The search text of a lead is computed only when it changes.

Revision ID: 0065
Revises: 0064
"""

from alembic import op

from leadflood.migrations.versions.r0063_found_columns import COLUMNS, TRIGGER

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

READ = ("first_name", "last_name", "email", "company", "job_title", "phone", "custom_fields", "search_text", *COLUMNS)
"""Columns that the text is computed from, and the text itself: whatever is written into it is computed again."""

# Undoing an import writes all fields of its leads as they are: the text of each took a third of the time.
CHANGED = f"""
CREATE TRIGGER leads_changed_text BEFORE UPDATE OF {", ".join(READ)} ON leads
    FOR EACH ROW WHEN (({", ".join(f"OLD.{name}" for name in READ)})
                       IS DISTINCT FROM ({", ".join(f"NEW.{name}" for name in READ)}))
    EXECUTE FUNCTION set_lead_search_text()
"""
CREATED = """
CREATE OR REPLACE TRIGGER leads_search_text BEFORE INSERT ON leads
    FOR EACH ROW EXECUTE FUNCTION set_lead_search_text()
"""
FORMER = """
CREATE OR REPLACE TRIGGER leads_search_text
    BEFORE INSERT OR UPDATE OF first_name, last_name, email, company, job_title, phone, custom_fields, search_text
    ON leads FOR EACH ROW EXECUTE FUNCTION set_lead_search_text()
"""


def upgrade() -> None:
    """The previous release keeps working: the texts are the same."""
    op.execute("DROP TRIGGER leads_found_text ON leads")
    op.execute(CREATED)
    op.execute(CHANGED)


def downgrade() -> None:
    """Compute the text of each write again."""
    op.execute("DROP TRIGGER leads_changed_text ON leads")
    op.execute(FORMER)
    op.execute(TRIGGER)
