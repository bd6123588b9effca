"""The columns of leads' tables, by name: a statement prepared with `*` fails once a migration adds a column."""

from typing import Final

from leadflood.kernel.db.sql import sql

LEAD: Final = sql("""
workspace_id, id, email, email_norm, first_name, last_name, company, job_title, phone, website, country, source,
       custom_fields, owner_id, status, error, search_text, version, created_at, updated_at, enriched_at, deleted_at
""")
LEAD_EVENT: Final = sql("workspace_id, lead_id, id, kind, at, actor_kind, actor_id, data")
CHANGESET: Final = sql("""
workspace_id, id, kind, label, request, status, actor_kind, actor_id, job_id, wanted, done, created, updated, deleted,
       restored, undone, kept, kept_leads, position, undo_position, undone_by_kind, undone_by, created_at, updated_at,
       applied_at, undone_at, forgotten_at
""")
SAVED_VIEW: Final = sql("""
workspace_id, id, user_id, name, shared, of_workspace, tree, sort, columns, position, version, created_at,
       updated_at
""")
