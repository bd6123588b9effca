"""Data of tags about a lead."""

from uuid import UUID

from leadflood.domains.leads.events import LEAD
from leadflood.domains.tags import store
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging

_RECORD = sql("""
jsonb_build_object('tagId', t.tag_id, 'taggedAt', t.tagged_at,
                   'name', (SELECT name FROM tags WHERE workspace_id = t.workspace_id AND id = t.tag_id))
""")


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    copied = await store.copy(tx, actor.workspace_id, from_id, to_id)
    return [Reference("tag", new_id(), {"tagId": str(tag_id)}) for tag_id in copied]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    tag_ids = [UUID(str(each.before["tagId"])) for each in unmerging.references]
    await store.remove(tx, actor.workspace_id, unmerging.holders, tag_ids)


PARTICIPANT = Participant(
    name="tags",
    subject=LEAD,
    places=[Place(name="tags", table=sql("lead_tags"), found=sql("t.lead_id = ANY (:ids::uuid[])"), record=_RECORD)],
    kinds={"tag": "tags"},
    merge=_merge,
    unmerge=_unmerge,
)
