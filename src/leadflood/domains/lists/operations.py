"""Adding many leads to a list and removing them: the bulk operations, and what verbs share with them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.lists import queries, store
from leadflood.domains.lists.contracts import ListRef, OneList
from leadflood.domains.lists.errors import ListNotFound, UnknownList
from leadflood.domains.lists.events import (
    ADDED_KIND,
    LEAD_ADDED,
    LEAD_REMOVED,
    LIST_CREATED,
    REMOVED_KIND,
    LeadListData,
    ListData,
)
from leadflood.domains.lists.models import MAX_LISTS, name_key
from leadflood.domains.lists.permissions import LISTS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event
from leadflood.kernel.extensions import Batch, Changed, Prepared, UndoBatch


async def prepare_adding(tx: Transaction, actor: Actor, command: OneList) -> Prepared:
    """Find the list. Raises: UnknownList."""
    actor.require(LISTS_WRITE)
    return await _prepared(tx, actor, command, "Add to list")


async def prepare_removing(tx: Transaction, actor: Actor, command: OneList) -> Prepared:
    """Find the list. Raises: UnknownList."""
    actor.require(LISTS_WRITE)
    return await _prepared(tx, actor, command, "Remove from list")


async def apply_adding(tx: Transaction, batch: Batch) -> Changed:
    """Add locked leads to the list, as a bulk operation."""
    list_id = UUID(str(batch.arguments["listId"]))
    added = await store.add(tx, batch.actor.workspace_id, list_id, batch.subject_ids)
    await _note_of(tx, batch, list_id, added, removed=False)
    return {lead_id: {"added": str(list_id)} for lead_id in added}


async def apply_removing(tx: Transaction, batch: Batch) -> Changed:
    """Remove locked leads from the list, as a bulk operation."""
    list_id = UUID(str(batch.arguments["listId"]))
    removed = await store.remove(tx, batch.actor.workspace_id, list_id, batch.subject_ids)
    await _note_of(tx, batch, list_id, removed, removed=True)
    return {lead_id: {"removed": str(list_id)} for lead_id in removed}


async def undo(tx: Transaction, batch: UndoBatch) -> set[UUID]:
    """Revert either operation. Returns the leads that changed."""
    changed: set[UUID] = set()
    for name, write, removed in (("added", store.remove, True), ("removed", store.add, False)):
        by_list: dict[UUID, list[UUID]] = {}
        for lead_id, data in batch.changed.items():
            if name in data:
                by_list.setdefault(UUID(str(data[name])), []).append(lead_id)
        for list_id, lead_ids in by_list.items():
            written = await write(tx, batch.actor.workspace_id, list_id, lead_ids)
            await _note_of(tx, batch, list_id, written, removed=removed)
            changed |= set(written)
    return changed


async def add_by_name(tx: Transaction, actor: Actor, wanted: Mapping[UUID, Sequence[str]]) -> dict[UUID, list[UUID]]:
    """Add each locked lead to its lists by name. Returns the lists that it was added to, by lead.

    Missing lists are created; beyond the limit of lists, they are left out.
    """
    by_key: dict[str, tuple[str, list[UUID]]] = {}
    for lead_id, names in wanted.items():
        for name in names:
            by_key.setdefault(name_key(name), (name, []))[1].append(lead_id)
    if not by_key:
        return {}
    known = {name_key(each.name): each for each in await queries.all_lists(tx, actor)}
    if by_key.keys() - known.keys():
        await store.lock_lists(tx, actor.workspace_id)
        known = {name_key(each.name): each for each in await queries.all_lists(tx, actor)}
    added: dict[UUID, list[UUID]] = {}
    for key, (name, lead_ids) in by_key.items():
        if key not in known and len(known) < MAX_LISTS:
            list_id = await store.insert_list(tx, actor.workspace_id, name=name, description=None)
            await publish(tx, LIST_CREATED, [Event(list_id, ListData(), actor)])
            known[key] = ListRef(id=list_id, name=name)
        if key in known:
            found = known[key]
            written = await store.add(tx, actor.workspace_id, found.id, list(dict.fromkeys(lead_ids)))
            await note(tx, actor, found.id, found.name, written, removed=False)
            for lead_id in written:
                added.setdefault(lead_id, []).append(found.id)
    return added


async def remove_pairs(tx: Transaction, actor: Actor, pairs: Mapping[UUID, Sequence[UUID]]) -> None:
    """Remove each lead from its lists."""
    by_list: dict[UUID, list[UUID]] = {}
    for lead_id, list_ids in pairs.items():
        for list_id in list_ids:
            by_list.setdefault(list_id, []).append(lead_id)
    names = await queries.list_names(tx, actor) if by_list else {}
    for list_id, lead_ids in by_list.items():
        removed = await store.remove(tx, actor.workspace_id, list_id, lead_ids)
        await note(tx, actor, list_id, names.get(str(list_id), ""), removed, removed=True)


async def _prepared(tx: Transaction, actor: Actor, command: OneList, verb: str) -> Prepared:
    try:
        found = await queries.get_list(tx, actor, list_id=command.list_id)
    except ListNotFound as error:
        raise UnknownList("/arguments/listId") from error
    return Prepared(f"{verb} {found.name}", {"listId": str(found.id)})


async def _note_of(
    tx: Transaction, batch: Batch | UndoBatch, list_id: UUID, lead_ids: Sequence[UUID], *, removed: bool
) -> None:
    """As `note`, for a batch, which has the ID of the list only. A list that was deleted since has no name."""
    name = (await queries.list_names(tx, batch.actor)).get(str(list_id), "")
    await note(tx, batch.actor, list_id, name, lead_ids, removed=removed, changeset_id=batch.changeset_id)


async def note(
    tx: Transaction,
    actor: Actor,
    list_id: UUID,
    name: str,
    lead_ids: Sequence[UUID],
    *,
    removed: bool,
    changeset_id: UUID | None = None,
) -> None:
    """Record in timelines and events that leads were added to a list or removed from it."""
    if not lead_ids:
        return
    part = {} if changeset_id is None else {"changesetId": str(changeset_id)}
    data = {"listId": str(list_id), "list": name, **part}
    kind = REMOVED_KIND if removed else ADDED_KIND
    await leads.add_to_timelines(tx, actor, lead_ids=lead_ids, kind=kind, data=data)
    events = [Event(lead_id, LeadListData(list_id=list_id, changeset_id=changeset_id), actor) for lead_id in lead_ids]
    await publish(tx, LEAD_REMOVED if removed else LEAD_ADDED, events)
