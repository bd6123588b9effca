"""Triggers on leads compare each changed lead with itself, not with all others of the statement.

PostgreSQL keeps the plan of a trigger's statement for a session, as it was made for the first, often single, row. The
next 5,000 leads were then compared with each: 2.3 s of an undo's chunk.

Revision ID: 0071
Revises: 0070
"""

from alembic import op

from leadflood.migrations.versions.r0024_custom_fields import FUNCTIONS

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

JOINED = """\
ARRAY(SELECT n.id FROM new_leads n JOIN old_leads o ON o.workspace_id = n.workspace_id AND o.id = n.id
                     WHERE o.custom_fields <> n.custom_fields)"""
GROUPED = """\
ARRAY(SELECT id FROM (SELECT workspace_id, id, custom_fields FROM new_leads
                                 UNION ALL SELECT workspace_id, id, custom_fields FROM old_leads) versions
                     GROUP BY workspace_id, id HAVING count(DISTINCT custom_fields) > 1)"""
(CREATED,) = (function for function in FUNCTIONS if "FUNCTION project_changed_leads()" in function)
FORMER = CREATED.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
PROJECT = FORMER.replace(JOINED, GROUPED)


def upgrade() -> None:
    """The previous release keeps working: the triggers write the same rows."""
    op.execute("ALTER FUNCTION record_field_history() SET enable_nestloop = off")
    op.execute(PROJECT)


def downgrade() -> None:
    """Plan as before."""
    op.execute(FORMER)
    op.execute("ALTER FUNCTION record_field_history() RESET enable_nestloop")
