"""SQL of the three-way undo of a changeset, in chunks: later edits are kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.leads.catalog import TEXT_FIELDS
from leadflood.kernel.changesets import UndoChunk, UndoStep
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# Number of the next changes, and their last lead.
FIND_CHUNK = sql("""
WITH chunk AS (
    SELECT lead_id FROM lead_changes
    WHERE workspace_id = :workspace_id AND changeset_id = :changeset_id AND lead_id > :after
    ORDER BY lead_id LIMIT :batch
)
SELECT count(*) AS changes, (SELECT lead_id FROM chunk ORDER BY lead_id DESC LIMIT 1) AS last FROM chunk
""")

# Leads are locked in ID order, like all changes of many leads: two of them cannot deadlock.
LOCK_CHUNK = sql("""
WITH held AS (
    SELECT l.id, c.change IN ('created', 'restored') AND l.version > 1 AS removable
    FROM lead_changes c JOIN leads l ON l.workspace_id = c.workspace_id AND l.id = c.lead_id
    WHERE c.workspace_id = :workspace_id AND c.changeset_id = :changeset_id
      AND c.lead_id > :after AND c.lead_id <= :until
    ORDER BY l.id FOR NO KEY UPDATE OF l
)
SELECT count(*) AS count, coalesce(array_agg(id) FILTER (WHERE removable), '{}') AS removable FROM held
""")

UNDO_CHUNK = assemble(
    sql_file("leadflood.domains.leads.sql", "undo"),
    chunk=sql_file("leadflood.domains.leads.sql", "undo_chunk"),
    compared=sql_file("leadflood.domains.leads.sql", "undo_compared"),
    verdict=sql_file("leadflood.domains.leads.sql", "undo_verdict"),
    written=assemble(
        sql_file("leadflood.domains.leads.sql", "undo_write"),
        fields=TEXT_FIELDS.sql(sql("{field} = CASE WHEN back ? '{field}' THEN back ->> '{field}' ELSE l.{field} END")),
    ),
)

# Undo data of operations of other domains on the leads of a chunk.
_RELATED = sql("""
SELECT lead_id, related FROM lead_changes
WHERE workspace_id = :workspace_id AND changeset_id = :changeset_id AND lead_id > :after AND lead_id <= :until
  AND related IS NOT NULL
""")

# If another chunk is expected, or the undo was stopped, nothing is recorded.
_RECORD = sql("""
UPDATE lead_changesets
SET undo_position = :until, updated_at = clock_timestamp(), undone = undone + :undone, kept = kept + :kept,
    kept_leads = kept_leads + :kept_leads
WHERE workspace_id = :workspace_id AND id = :changeset_id AND status = 'undoing'
  AND coalesce(undo_position, '00000000-0000-0000-0000-000000000000') = :after
""")

# Fields as JSON, one array per lead. Not part of the statement above: PostgreSQL expects one row of the verdict, and
# would compare each with each.
_REPORT = sql("""
UPDATE lead_changes c SET kept = ARRAY(SELECT jsonb_array_elements_text(n.kept::jsonb))
FROM unnest(:lead_ids::uuid[], :kept::text[]) AS n (lead_id, kept)
WHERE c.workspace_id = :workspace_id AND c.changeset_id = :changeset_id AND c.lead_id = n.lead_id
""")

# Whether an undo resumes an earlier one: `undo_position` stays when an undo fails.
_BEGIN = sql("""
UPDATE lead_changesets
SET status = 'undoing', job_id = NULL, undone_by_kind = :actor_kind, undone_by = :actor_id, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :changeset_id AND status = 'applied'
""")


@dataclass(frozen=True, slots=True)
class Locked:
    """Number of locked leads of a chunk, and those of them that an undo may remove although they changed since."""

    count: int
    removable: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class UndoCounts:
    """Number of reverted leads of a chunk; number of fields and leads that were kept."""

    undone: int
    kept: int
    kept_leads: int


async def begin(tx: Transaction, workspace_id: UUID, changeset_id: UUID, *, kind: str, actor_id: UUID | None) -> bool:
    """Change an applied changeset to `undoing`; False if it is not applied."""
    keys = {"workspace_id": workspace_id, "changeset_id": changeset_id}
    return await tx.changed(_BEGIN, {**keys, "actor_kind": kind, "actor_id": actor_id}) == 1


def position(changeset: Row) -> UUID:
    """The lead of the last undone change."""
    return changeset.undo_position or UUID(int=0)


async def find_chunk(tx: Transaction, changeset: Row, after: UUID, *, batch: int) -> UndoChunk | None:
    """The next changes to undo; None at the end."""
    keys = {"workspace_id": changeset.workspace_id, "changeset_id": changeset.id}
    row = await tx.first(FIND_CHUNK, {**keys, "after": after, "batch": batch})
    return UndoChunk(after, row.last, row.changes) if row is not None and row.changes else None


async def lock_chunk(tx: Transaction, step: UndoStep) -> Locked:
    """Lock the leads of a chunk."""
    rows = await tx.all(LOCK_CHUNK, _keys(step))
    return Locked(rows[0].count, rows[0].removable)


async def undo_chunk(tx: Transaction, step: UndoStep, *, leads: int, conflicts: Mapping[UUID, str]) -> Sequence[Row]:
    """Undo the changes of a chunk whose `leads` are locked. `conflicts`: reasons why leads must not be deleted.

    Returns which are `restored`, `deleted` and `updated`, in a row without an id, and what SQL leaves: leads to enrich,
    or to report.

    Raises: IntegrityError: an address was taken, or an owner left, concurrently.
    """
    values: Mapping[str, Any] = {
        **_keys(step),
        "actor_kind": step.by.kind,
        "actor_id": step.by.id,
        "event_ids": [new_id() for _ in range(leads)],
        "conflicts": json.dumps({str(lead_id): reason for lead_id, reason in conflicts.items()}),
    }
    return await tx.all(UNDO_CHUNK, values)


async def related_changes(tx: Transaction, step: UndoStep) -> dict[str, dict[UUID, Mapping[str, JsonValue]]]:
    """Undo data of operations of other domains on the leads of a chunk, by operation and lead."""
    found: dict[str, dict[UUID, Mapping[str, JsonValue]]] = {}
    for row in await tx.all(_RELATED, _keys(step)):
        for operation, data in row.related.items():
            found.setdefault(operation, {})[row.lead_id] = data
    return found


def _keys(step: UndoStep) -> dict[str, Any]:
    return {
        "workspace_id": step.actor.workspace_id,
        "changeset_id": step.changeset_id,
        "after": step.chunk.after,
        "until": step.chunk.until,
    }


async def record_chunk(tx: Transaction, changeset: Row, chunk: UndoChunk, tally: UndoCounts) -> bool:
    """Count a chunk, if the changeset is still being undone and all earlier chunks are counted."""
    values = {
        "workspace_id": changeset.workspace_id,
        "changeset_id": changeset.id,
        "after": chunk.after,
        "until": chunk.until,
        "undone": tally.undone,
        "kept": tally.kept,
        "kept_leads": tally.kept_leads,
    }
    return await tx.changed(_RECORD, values) == 1


async def report_kept(
    tx: Transaction, workspace_id: UUID, changeset_id: UUID, kept: Mapping[UUID, Sequence[str]]
) -> None:
    """Store the fields of leads that were not reverted."""
    fields = [json.dumps(list(item)) for item in kept.values()]
    values = {"workspace_id": workspace_id, "changeset_id": changeset_id, "lead_ids": list(kept), "kept": fields}
    await tx.execute(_REPORT, values)
