"""The columns of leads' tables, by name: a statement prepared with `*` fails once a migration adds a column."""

from typing import Final

from leadflood.domains.leads.catalog import FINDABLE_FIELDS, LEAD_FIELDS
from leadflood.kernel.db.sql import assemble, sql

LEAD: Final = assemble(
    sql("""
workspace_id, id, email_norm, {fields}, {found}, custom_fields, status, error, version, created_at, updated_at,
       enriched_at, deleted_at
"""),
    fields=LEAD_FIELDS.columns,
    found=FINDABLE_FIELDS.sql(sql("found_{field}")),
)
LEAD_EVENT: Final = sql("workspace_id, lead_id, id, kind, at, actor_kind, actor_id, data")
CHANGESET: Final = sql("""
workspace_id, id, kind, label, request, status, actor_kind, actor_id, job_id, wanted, done, created, updated, deleted,
       restored, undone, kept, kept_leads, position, undo_position, undone_by_kind, undone_by, created_at, updated_at,
       applied_at, undone_at, forgotten_at, subject_kind
""")
SAVED_VIEW: Final = sql("""
workspace_id, id, user_id, name, shared, of_workspace, tree, sort, columns, widths, layout, position, version,
       created_at, updated_at
""")
