"""SQL that applies a change to many leads, with images and timeline in the same statement."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.leads.catalog import PLAIN_FIELDS
from leadflood.domains.leads.models import Change
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# In ID order, like every change of many: two of them cannot deadlock.
LOCK = sql("""
SELECT id FROM leads
WHERE workspace_id = :workspace_id AND id = ANY(:lead_ids) AND (deleted_at IS NOT NULL) = :deleted
ORDER BY id FOR NO KEY UPDATE
""")

CHANGE = assemble(
    sql_file("leadflood.domains.leads.sql", "change"),
    fields=PLAIN_FIELDS.sql(
        sql("{field} = CASE WHEN fields ? '{field}' THEN (fields ->> '{field}')::{type} ELSE l.{field} END")
    ),
)


@dataclass(frozen=True, slots=True)
class ChangedLeads:
    """The changed leads, and those that have a queued enrichment job from the time they were deleted."""

    leads: Sequence[UUID]
    unfinished: Sequence[UUID]


async def lock_leads(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID], *, deleted: bool) -> list[UUID]:
    """Those of the leads that are active (or deleted), locked for this transaction."""
    rows = await tx.all(LOCK, {"workspace_id": workspace_id, "lead_ids": list(lead_ids), "deleted": deleted})
    return [row.id for row in rows]


async def change_leads(
    tx: Transaction,
    actor: Actor,
    changeset_id: UUID,
    *,
    change: Change,
    event: str,
    patch: Mapping[str, JsonValue],
    lead_ids: Sequence[UUID],
    limits: tuple[int, int],
) -> ChangedLeads:
    """Change locked leads, as part of a changeset.

    Args: patch: fields to set, by the names of an image. limits: how many custom fields a lead may have, and their size
        in bytes.

    Raises: IntegrityError: the owner is not a member, or an address was taken just
        now.
    """
    values = {
        "workspace_id": actor.workspace_id,
        "changeset_id": changeset_id,
        "lead_ids": list(lead_ids),
        "event_ids": [new_id() for _ in lead_ids],
        "patch": json.dumps(dict(patch)),
        "change": change,
        "event": event,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "most_fields": limits[0],
        "most_bytes": limits[1],
    }
    row = (await tx.all(CHANGE, values))[0]
    return ChangedLeads(row.changed, row.unfinished)
