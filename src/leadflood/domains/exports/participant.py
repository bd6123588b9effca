"""Data that exports has about a person: files, and filters that name the person."""

from leadflood.domains.leads.events import LEAD
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.subjects import Participant, Place

# A file may contain every lead that existed before it was finished: which ones is not recorded.
_SINCE = sql(
    "(SELECT min(l.created_at) FROM leads l WHERE l.workspace_id = :workspace_id AND l.id = ANY (:ids::uuid[]))"
)

# Fail exports whose files are removed, and reset their progress.
_FAIL = sql("""
UPDATE {table} t
SET status = 'failed', error = 'The file was deleted because an erased person may be in it. Export again.',
    resolved = NULL, total = NULL, done = 0, parts = 0, size_bytes = 0, position = NULL, updated_at = now(),
    finished_at = now()
WHERE t.workspace_id = :workspace_id AND ({found})
""")

# Replace the person's identifiers in filters.
_REDACT = sql("""
UPDATE {table} t SET filter = redacted(t.filter, :pattern) WHERE t.workspace_id = :workspace_id AND ({found})
""")

_PLACES = (
    Place(
        name="exports",
        table=sql("exports"),
        found=assemble(sql("t.status IN ('writing', 'ready') AND t.updated_at >= {since}"), since=_SINCE),
        erase=_FAIL,
        record=None,
    ),
    Place(
        name="exportFiles",
        table=sql("export_parts"),
        found=assemble(
            sql("""
t.export_id IN (SELECT e.id FROM exports e WHERE e.workspace_id = :workspace_id AND e.updated_at >= {since})
"""),
            since=_SINCE,
        ),
        record=None,
    ),
    Place(
        name="exportFilters",
        table=sql("exports"),
        found=sql("lower(t.filter::text) LIKE ANY (:fragments::text[])"),
        erase=_REDACT,
        record=None,
    ),
)

PARTICIPANT = Participant(name="exports", subject=LEAD, places=_PLACES)
