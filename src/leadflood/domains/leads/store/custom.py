"""SQL that converts the values of a custom field."""

import json
from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.leads.models import CustomValue
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The next leads that have a value, also deleted ones, locked in ID order.
_LOCK = sql("""
SELECT id, custom_fields -> :key AS value FROM leads
WHERE workspace_id = :workspace_id AND custom_fields ? :key AND (:after::uuid IS NULL OR id > :after)
ORDER BY id LIMIT :limit FOR NO KEY UPDATE
""")

# Replace values.
_SET = sql("""
UPDATE leads l SET custom_fields = l.custom_fields || jsonb_build_object(:key::text, n.value::jsonb),
                   version = l.version + 1
FROM unnest(:lead_ids::uuid[], :values::text[]) AS n (id, value)
WHERE l.workspace_id = :workspace_id AND l.id = n.id
""")


async def lock_values(
    tx: Transaction, workspace_id: UUID, key: str, *, after: UUID | None, limit: int
) -> dict[UUID, CustomValue]:
    """The values of the next leads that have one, by lead; the leads are locked until the transaction ends."""
    rows = await tx.all(_LOCK, {"workspace_id": workspace_id, "key": key, "after": after, "limit": limit})
    return {row.id: row.value for row in rows}


async def set_values(tx: Transaction, workspace_id: UUID, key: str, values: Mapping[UUID, CustomValue]) -> None:
    """Replace values of locked leads."""
    written = [json.dumps(value) for value in values.values()]
    await tx.execute(_SET, {"workspace_id": workspace_id, "key": key, "lead_ids": list(values), "values": written})
