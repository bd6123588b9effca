"""SQL that passes staged rows to the leads in chunks, and stores the results."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.imports.store import StoredImport
from leadflood.domains.leads.catalog import PLAIN_FIELDS
from leadflood.domains.leads.contracts.bulk_write import IncomingRows
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction

# The next rows that write something.
_NEXT = sql("""
SELECT max(row_no) AS until, count(*) FILTER (WHERE action = 'create') AS creates,
       count(*) FILTER (WHERE action = 'update') AS updates
FROM (SELECT row_no, action FROM import_rows
      WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after
        AND action IN ('create', 'update')
      ORDER BY row_no LIMIT :batch) chunk
""")

# The rows of a chunk.
_ROWS = sql("""
SELECT {columns} FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after AND row_no <= :until
  AND action = {action}
""")
# The new leads of a chunk.
_CREATES = assemble(
    _ROWS,
    columns=assemble(sql("lead_id AS id, email, email_norm, {fields}, custom_fields"), fields=PLAIN_FIELDS.columns),
    action=sql("'create'"),
)
# The changes of a chunk.
_CHANGES = assemble(_ROWS, columns=sql("lead_id, lead_version AS version, changes"), action=sql("'update'"))

# Set the action of rows with another result than planned.
_MARK = sql("""
UPDATE import_rows SET action = :action, reason = :reason
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after AND row_no <= :until
  AND action IN ('create', 'update') AND lead_id = ANY(:lead_ids)
""")

# The next rows that created a lead.
_CREATED = sql("""
SELECT row_no, lead_id FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND action = 'create' AND row_no > :after
ORDER BY row_no LIMIT :batch
""")

# Number of jobs that wait for a worker, up to a limit.
_WAITING = sql("""
SELECT count(*) FROM (
    SELECT FROM job_executions WHERE workspace_id = :workspace_id AND status = 'queued' LIMIT :at_most
) waiting
""")


@dataclass(frozen=True, slots=True)
class CommitChunk:
    """The rows between two row numbers, and how many of them create and update leads."""

    after: int
    until: int
    creates: int
    updates: int


async def next_chunk(tx: Transaction, found: StoredImport, after: int, batch: int) -> CommitChunk | None:
    """The next rows that write something. None at the end."""
    row = await tx.first(_NEXT, {**found.key, "after": after, "batch": batch})
    return None if row is None or row.until is None else CommitChunk(after, row.until, row.creates, row.updates)


def incoming_rows(found: StoredImport, chunk: CommitChunk) -> IncomingRows:
    """The rows of a chunk, in the form of a bulk write."""
    return IncomingRows(_CREATES, chunk.creates, _CHANGES, chunk.updates, _keys(found, chunk))


async def mark(
    tx: Transaction,
    found: StoredImport,
    chunk: CommitChunk,
    lead_ids: Collection[UUID],
    *,
    action: str,
    reason: str | None,
) -> None:
    """Set the action of rows, by lead, with another result than planned."""
    values = {"lead_ids": list(lead_ids), "action": action, "reason": reason}
    await tx.execute(_MARK, {**_keys(found, chunk), **values})


async def created_after(tx: Transaction, found: StoredImport, batch: int) -> list[tuple[int, UUID]]:
    """The next rows that created a lead whose enrichment is not queued yet, with the lead."""
    values = {**found.key, "after": found.enriched_through, "batch": batch}
    return [(row.row_no, row.lead_id) for row in await tx.all(_CREATED, values)]


async def count_waiting(tx: Transaction, workspace_id: UUID, *, max_count: int) -> int:
    """Number of the workspace's jobs that wait for a worker, counted up to `max_count`."""
    counted: int = await tx.scalar(_WAITING, {"workspace_id": workspace_id, "at_most": max_count})
    return counted


def _keys(found: StoredImport, chunk: CommitChunk) -> dict[str, Any]:
    return {**found.key, "after": chunk.after, "until": chunk.until}
