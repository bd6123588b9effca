"""Data of lists about a lead."""

from uuid import UUID

from leadflood.domains.leads.events import LEAD
from leadflood.domains.lists import store
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging

_RECORD = sql("""
jsonb_build_object('listId', t.list_id, 'addedAt', t.added_at,
                   'name', (SELECT name FROM lists WHERE workspace_id = t.workspace_id AND id = t.list_id))
""")


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    copied = await store.copy(tx, actor.workspace_id, from_id, to_id)
    return [Reference("list", new_id(), {"listId": str(list_id)}) for list_id in copied]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    list_ids = [UUID(str(each.before["listId"])) for each in unmerging.references]
    await store.remove_from_lists(tx, actor.workspace_id, unmerging.holders, list_ids)


PARTICIPANT = Participant(
    name="lists",
    subject=LEAD,
    places=[Place(name="lists", table=sql("list_leads"), found=sql("t.lead_id = ANY (:ids::uuid[])"), record=_RECORD)],
    kinds={"list": "lists"},
    merge=_merge,
    unmerge=_unmerge,
)
