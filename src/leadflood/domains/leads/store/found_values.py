"""SQL that writes the found values of leads: the second columns of findable fields."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from leadflood.domains.leads.catalog import FINDABLE_FIELDS
from leadflood.domains.leads.contracts.found_values import FoundValues
from leadflood.kernel.db.sql import AND, EMPTY, assemble, sql
from leadflood.kernel.db.transaction import Transaction

ASSIGNED: Final = FINDABLE_FIELDS.sql(sql("found_{field} = given.{field}"))
"""Assignments of all of them, from `GIVEN`."""
ARRAYS: Final = FINDABLE_FIELDS.sql(sql(":found_{field}::text[]"))
"""Their parameters, from `found_columns`."""
GIVEN: Final = assemble(
    sql("unnest(:lead_ids::uuid[], {arrays}) AS given (lead_id, {fields})"),
    arrays=ARRAYS,
    fields=FINDABLE_FIELDS.columns,
)
"""The given values, by lead."""

# Set the found values of locked leads that have others. No version: they are no change of the lead. Each lead is looked
# up by its key (LIMIT): the sixth call in a session compared each of 500 leads with each otherwise, in 100 ms, not 5.
SET = assemble(
    sql("""
WITH given AS MATERIALIZED (
    SELECT known.place, given.*
    FROM {given}
    CROSS JOIN LATERAL (
        SELECT ctid AS place, {found} FROM leads WHERE workspace_id = :workspace_id AND id = given.lead_id LIMIT 1
    ) known
    WHERE NOT ({same})
)
UPDATE leads SET {assigned} FROM given
WHERE leads.workspace_id = :workspace_id AND leads.ctid = given.place
"""),
    assigned=ASSIGNED,
    given=GIVEN,
    found=FINDABLE_FIELDS.sql(sql("found_{field}")),
    same=FINDABLE_FIELDS.sql(sql("known.found_{field} IS NOT DISTINCT FROM given.{field}"), AND),
)

# Lock leads, deleted ones included, in the order of their IDs. NO KEY: rows that reference them can still be written.
_LOCK = sql("""
WITH locked AS (
    SELECT id FROM leads WHERE workspace_id = :workspace_id AND id = ANY (:lead_ids) ORDER BY id
    FOR NO KEY UPDATE {others}
)
SELECT array_agg(id ORDER BY id) AS ids FROM locked
""")
LOCK = assemble(_LOCK, others=EMPTY)
LOCK_FREE = assemble(_LOCK, others=sql("SKIP LOCKED"))
"""The same for those that no other transaction has locked."""

# The next leads by ID, deleted ones included.
NEXT = sql("""
SELECT id FROM leads WHERE workspace_id = :workspace_id AND (:after_id::uuid IS NULL OR id > :after_id)
ORDER BY id LIMIT :limit
""")


def found_columns(found: Sequence[FoundValues]) -> dict[str, Any]:
    """The arrays of `GIVEN`, but for `lead_ids`."""
    return {f"found_{field.name}": [values.get(field.name) for values in found] for field in FINDABLE_FIELDS}


async def set_found_values(tx: Transaction, workspace_id: UUID, found: Mapping[UUID, FoundValues]) -> int:
    """Set the found values of locked leads. Returns the number of leads that had others."""
    values = {"lead_ids": list(found), **found_columns([*found.values()])}
    return await tx.changed(SET, {"workspace_id": workspace_id, **values})


async def lock_any(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID], *, wait: bool) -> list[UUID]:
    """Lock leads, deleted ones included. Without `wait`: those that are free. Returns them in order."""
    statement = LOCK if wait else LOCK_FREE
    ids: list[UUID] | None = await tx.scalar(statement, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return ids or []


async def next_any(tx: Transaction, workspace_id: UUID, *, after_id: UUID | None, limit: int) -> list[UUID]:
    """The next leads by ID, deleted ones included."""
    values = {"workspace_id": workspace_id, "after_id": after_id, "limit": limit}
    return [row.id for row in await tx.all(NEXT, values)]
