"""Notes about a lead."""

from uuid import UUID

from leadflood.domains.leads.events import LEAD
from leadflood.domains.notes import store
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    moved = await store.move_all(tx, actor.workspace_id, from_id, to_id)
    return [Reference("note", note_id) for note_id in moved]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    note_ids = [each.id for each in unmerging.references]
    await store.move_back(tx, actor.workspace_id, note_ids, holders=unmerging.holders, to_lead=unmerging.to_id)


PARTICIPANT = Participant(
    name="notes",
    subject=LEAD,
    places=[Place(name="notes", table=sql("lead_notes"), found=sql("t.lead_id = ANY (:ids::uuid[])"))],
    kinds={"note": "notes"},
    merge=_merge,
    unmerge=_unmerge,
)
