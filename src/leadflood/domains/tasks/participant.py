"""Tasks about a lead."""

from uuid import UUID

from leadflood.domains.leads.events import LEAD
from leadflood.domains.tasks import store
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    moved = await store.move_all(tx, actor.workspace_id, from_id, to_id)
    return [Reference("task", task_id) for task_id in moved]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    task_ids = [each.id for each in unmerging.references]
    await store.move_back(tx, actor.workspace_id, task_ids, holders=unmerging.holders, to_lead=unmerging.to_id)


PARTICIPANT = Participant(
    name="tasks",
    subject=LEAD,
    places=[Place(name="tasks", table=sql("lead_tasks"), found=sql("t.lead_id = ANY (:ids::uuid[])"))],
    kinds={"task": "tasks"},
    merge=_merge,
    unmerge=_unmerge,
)
