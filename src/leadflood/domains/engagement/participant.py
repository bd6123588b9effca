"""Data of engagement about a lead. A merge moves engagements, and sums follow."""

from uuid import UUID

from leadflood.domains.engagement import queries, store
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging

_OF_LEAD = sql("t.lead_id = ANY (:ids::uuid[])")


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    moved = await store.move_all(tx, actor.workspace_id, from_id, to_id)
    if moved:
        await _add_up(tx, actor, [from_id, to_id])
    return [Reference("engagement", engagement_id) for engagement_id in moved]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    engagement_ids = [each.id for each in unmerging.references]
    if engagement_ids:
        holders = unmerging.holders
        await store.move_back(tx, actor.workspace_id, engagement_ids, holders=holders, to_lead=unmerging.to_id)
        await _add_up(tx, actor, [*holders, unmerging.to_id])


async def _add_up(tx: Transaction, actor: Actor, lead_ids: list[UUID]) -> None:
    await store.keep_settings(tx, actor.workspace_id)
    rules = await queries.rules(tx, actor)
    await store.add_up(tx, actor.workspace_id, lead_ids, half_life_days=rules.half_life_days)


PARTICIPANT = Participant(
    name="engagement",
    subject=LEAD,
    places=[
        Place(name="engagements", table=sql("engagements"), found=_OF_LEAD),
        Place(name="engagementSums", table=sql("lead_engagement"), found=_OF_LEAD, record=None),
    ],
    kinds={"engagement": "engagements"},
    merge=_merge,
    unmerge=_unmerge,
)
