"""SQL that reads and writes the tags and lists of staged rows."""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.imports.store import StoredImport
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The next rows with a lead: all of them, or only those that name tags or lists.
_NEXT = sql("""
SELECT row_no, lead_id, related FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after
  AND action IN ('create', 'update', 'unchanged') AND lead_id IS NOT NULL AND (:everything OR related IS NOT NULL)
ORDER BY row_no LIMIT :batch
""")

# Store what the rows of a chunk have added.
_SET_ADDED = sql("""
UPDATE import_rows r SET related = coalesce(r.related, '{}') || jsonb_build_object('added', n.added::jsonb)
FROM unnest(:row_numbers::integer[], :added::text[]) AS n (row_no, added)
WHERE r.workspace_id = :workspace_id AND r.import_id = :import_id AND r.row_no = n.row_no
  AND r.row_no >= :first AND r.row_no <= :last
""")

# Store the last row whose tags and lists are written.
_ADVANCE = sql("""
UPDATE imports SET related_through = :through, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :import_id
""")

# The next rows that have added something.
_NEXT_ADDED = sql("""
SELECT row_no, lead_id, related -> 'added' AS added FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after AND related ? 'added'
ORDER BY row_no LIMIT :batch
""")

# Clear what rows have added.
_CLEAR_ADDED = sql("""
UPDATE import_rows SET related = related - 'added'
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no = ANY (:row_numbers::integer[])
""")


async def next_rows(tx: Transaction, found: StoredImport, *, everything: bool, batch: int) -> Sequence[Row]:
    """The next rows whose leads get tags or lists. `everything`: all rows do."""
    values = {"after": found.related_through, "everything": everything, "batch": batch}
    return await tx.all(_NEXT, {**found.key, **values})


async def set_added(
    tx: Transaction, found: StoredImport, added: Mapping[int, Mapping[str, JsonValue]], *, through: int
) -> None:
    """Store what rows have added, by number, and the last row."""
    if added:
        values = {"row_numbers": [*added], "added": [json.dumps(item) for item in added.values()]}
        await tx.execute(_SET_ADDED, {**found.key, **values, "first": min(added), "last": max(added)})
    await tx.execute(_ADVANCE, {**found.key, "through": through})


async def next_added(tx: Transaction, workspace_id: UUID, import_id: UUID, *, after: int, batch: int) -> Sequence[Row]:
    """The next rows that have added tags or lists."""
    values = {"workspace_id": workspace_id, "import_id": import_id, "after": after, "batch": batch}
    return await tx.all(_NEXT_ADDED, values)


async def clear_added(tx: Transaction, workspace_id: UUID, import_id: UUID, row_numbers: Sequence[int]) -> None:
    """Clear what rows have added, after it was removed."""
    values = {"workspace_id": workspace_id, "import_id": import_id, "row_numbers": list(row_numbers)}
    await tx.execute(_CLEAR_ADDED, values)
