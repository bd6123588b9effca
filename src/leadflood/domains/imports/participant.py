"""Data that imports has about a person: rows of previews and commits, uploaded files, and samples."""

from collections.abc import Mapping
from typing import Any

from leadflood.domains.imports.errors import ImportsBusy
from leadflood.domains.imports.models.states import BUSY
from leadflood.domains.leads.catalog import PLAIN_FIELDS
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import DataSubject, Participant, Place

# Rows with a person: by lead, by email, or, for a rejected row, by the content of the file.
_OF_PERSON = sql("""
r.workspace_id = :workspace_id
AND (r.lead_id = ANY (:ids::uuid[]) OR r.email_norm = ANY (:addresses::text[])
     OR lower(r.email) = ANY (:addresses::text[]) OR lower(r.raw::text) LIKE ANY (:fragments::text[]))
""")

# The rows with a person.
_ROWS = assemble(sql("SELECT r.import_id, r.row_no FROM import_rows r WHERE {of_person}"), of_person=_OF_PERSON)

# Lock the imports that contain a person, or are being read and may contain one.
_LOCK = assemble(
    sql("""
SELECT id, status FROM imports
WHERE workspace_id = :workspace_id
  AND (status = 'staging' OR id IN (SELECT r.import_id FROM import_rows r WHERE {of_person}))
ORDER BY id FOR UPDATE
"""),
    of_person=_OF_PERSON,
)

# Files that were not read completely, or with sheets that were not read: they may contain the person.
_UNREAD = sql("""
t.import_id IN (SELECT i.id FROM imports i
                WHERE i.workspace_id = :workspace_id AND i.status NOT IN ('uploading', 'staging')
                  AND (i.staged_bytes < i.size_bytes OR cardinality(i.sheets) > 1))
""")

# Fail imports that wait for their preview, as their files are removed.
_FAIL_UNREAD = sql("""
UPDATE {table} t
SET status = 'failed', sample = '[]', updated_at = now(), finished_at = now(),
    error = 'The file was deleted because an erased person may be in it. Upload it again.'
WHERE t.workspace_id = :workspace_id AND ({found})
""")

_PLACES = (
    Place(
        name="importFiles",
        table=sql("import_chunks"),
        found=assemble(sql("t.import_id = ANY (:import_ids::uuid[]) OR {unread}"), unread=_UNREAD),
        record=None,
    ),
    Place(
        name="imports",
        table=sql("imports"),
        found=sql("""
t.id = ANY (:import_ids::uuid[]) OR lower(t.filename) LIKE ANY (:fragments::text[])
OR lower(t.error) LIKE ANY (:fragments::text[]) OR lower(t.sample::text) LIKE ANY (:fragments::text[])
"""),
        erase=sql_file("leadflood.domains.imports.sql", "erase_imports"),
        record=None,
    ),
    Place(
        name="unreadImports",
        table=sql("imports"),
        found=sql("t.status = 'uploaded' AND t.staged_bytes < t.size_bytes"),
        erase=_FAIL_UNREAD,
        record=None,
    ),
    Place(
        name="importRows",
        table=sql("import_rows"),
        found=sql("""
(t.import_id, t.row_no) IN (
    SELECT p.import_id, p.row_no FROM unnest(:import_ids::uuid[], :row_numbers::integer[]) AS p (import_id, row_no))
"""),
        erase=assemble(
            sql_file("leadflood.domains.imports.sql", "erase_rows"),
            fields=PLAIN_FIELDS.sql(sql("{field} = NULL")),
            table=sql("{table}"),
            found=sql("{found}"),
        ),
        record=sql("to_jsonb(t) - '{workspace_id,search_text}'::text[]"),
    ),
)


async def _admit(tx: Transaction, actor: Actor, person: DataSubject) -> None:
    """Raises: ImportsBusy."""
    rows = await tx.all(_LOCK, person.parameters(actor))
    busy = [row.id for row in rows if row.status in BUSY]
    if busy:
        raise ImportsBusy(busy)


async def _prepare(tx: Transaction, actor: Actor, person: DataSubject) -> Mapping[str, Any]:
    rows = await tx.all(_ROWS, person.parameters(actor))
    return {"import_ids": [row.import_id for row in rows], "row_numbers": [row.row_no for row in rows]}


PARTICIPANT = Participant(name="imports", subject=LEAD, places=_PLACES, admit=_admit, prepare=_prepare)
