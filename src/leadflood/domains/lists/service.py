"""Verbs on lists."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import queries as lead_queries
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.lists import operations, queries, store
from leadflood.domains.lists.contracts import (
    AddMembers,
    CreateList,
    LeadLists,
    ListView,
    MembersAdded,
    OneList,
    UpdateList,
)
from leadflood.domains.lists.errors import DuplicateList, ListNotFound, ListVersionConflict, TooManyLists, UnknownList
from leadflood.domains.lists.events import (
    LIST,
    LIST_CREATED,
    LIST_DELETED,
    LIST_RESTORED,
    LIST_UPDATED,
    ListAuditAction,
    ListData,
)
from leadflood.domains.lists.models import MAX_LISTS, MAX_UNKNOWN, name_key
from leadflood.domains.lists.permissions import LISTS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.errors import Unavailable, expect_changed
from leadflood.kernel.events import Event
from leadflood.kernel.text import InvalidValue


async def create_list(tx: Transaction, actor: Actor, *, command: CreateList) -> ListView:
    """Create a list without leads. Raises: DuplicateList, TooManyLists."""
    actor.require(LISTS_WRITE)
    await store.lock_lists(tx, actor.workspace_id)
    if len(await queries.all_lists(tx, actor)) >= MAX_LISTS:
        raise TooManyLists(MAX_LISTS)
    await _require_free(tx, actor, command.name)
    list_id = await store.insert_list(tx, actor.workspace_id, name=command.name, description=command.description)
    await publish(tx, LIST_CREATED, [Event(list_id, ListData(), actor)])
    await _record(tx, actor, ListAuditAction.CREATED, list_id)
    return await queries.get_list(tx, actor, list_id=list_id)


async def update_list(
    tx: Transaction, actor: Actor, *, list_id: UUID, command: UpdateList, expected_version: int
) -> ListView:
    """Rename or describe a list. Raises: ListNotFound, ListVersionConflict, DuplicateList, Unavailable."""
    actor.require(LISTS_WRITE)
    stored = await _lock(tx, actor, list_id)
    if stored.version != expected_version:
        raise ListVersionConflict(stored.version)
    name = command.name or stored.name
    description = command.description if "description" in command.model_fields_set else stored.description
    if (name, description) != (stored.name, stored.description):
        if name_key(name) != name_key(stored.name):
            await _require_free(tx, actor, name)
        try:
            async with tx.savepoint():
                expect_changed(
                    await store.update_list(
                        tx,
                        actor.workspace_id,
                        list_id,
                        expected_version=expected_version,
                        name=name,
                        description=description,
                    )
                )
        except IntegrityError as error:
            raise Unavailable("This name was just taken. Try again.") from error
        await publish(tx, LIST_UPDATED, [Event(list_id, ListData(), actor)])
        await _record(tx, actor, ListAuditAction.CHANGED, list_id)
    return await queries.get_list(tx, actor, list_id=list_id)


async def delete_list(tx: Transaction, actor: Actor, *, list_id: UUID) -> None:
    """Delete a list, not its leads. It can be restored with them. Raises: ListNotFound."""
    actor.require(LISTS_WRITE)
    await _lock(tx, actor, list_id)
    expect_changed(await store.set_deleted(tx, actor.workspace_id, list_id, deleted=True))
    await publish(tx, LIST_DELETED, [Event(list_id, ListData(), actor)])
    await _record(tx, actor, ListAuditAction.DELETED, list_id)


async def restore_list(tx: Transaction, actor: Actor, *, list_id: UUID) -> ListView:
    """Restore a deleted list with its leads. An active list stays as it is.

    Raises: ListNotFound, DuplicateList: another list has its name now.
    """
    actor.require(LISTS_WRITE)
    stored = await store.lock_list(tx, actor.workspace_id, list_id)
    if stored is None:
        raise ListNotFound
    if stored.deleted_at is not None:
        await store.lock_lists(tx, actor.workspace_id)
        await _require_free(tx, actor, stored.name)
        expect_changed(await store.set_deleted(tx, actor.workspace_id, list_id, deleted=False))
        await publish(tx, LIST_RESTORED, [Event(list_id, ListData(), actor)])
        await _record(tx, actor, ListAuditAction.RESTORED, list_id)
    return await queries.get_list(tx, actor, list_id=list_id)


async def add_lead(tx: Transaction, actor: Actor, *, lead_id: UUID, command: OneList) -> LeadLists:
    """Add a lead to a list. Returns all its lists.

    Raises: leadflood.domains.leads.errors.LeadNotFound, UnknownList.
    """
    actor.require(LISTS_WRITE)
    if not await leads.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        raise LeadNotFound
    found = await _known(tx, actor, command)
    await _put(tx, actor, found, [lead_id])
    return await queries.lists_of_lead(tx, actor, lead_id=lead_id)


async def remove_lead(tx: Transaction, actor: Actor, *, lead_id: UUID, command: OneList) -> LeadLists:
    """Remove a lead from a list. Does nothing if it is not on it. Returns its remaining lists.

    Raises: leadflood.domains.leads.errors.LeadNotFound, UnknownList.
    """
    actor.require(LISTS_WRITE)
    if not await leads.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        raise LeadNotFound
    found = await _known(tx, actor, command)
    removed = await store.remove(tx, actor.workspace_id, found.id, [lead_id])
    await operations.note(tx, actor, found.id, found.name, removed, removed=True)
    if removed:
        await _record_leads(tx, actor, ListAuditAction.REMOVED, found.id, 1)
    return await queries.lists_of_lead(tx, actor, lead_id=lead_id)


async def add_addresses(tx: Transaction, actor: Actor, *, list_id: UUID, command: AddMembers) -> MembersAdded:
    """Add the leads with these email addresses to a list. Addresses without a lead are reported.

    Raises: ListNotFound.
    """
    actor.require(LISTS_WRITE)
    found = await queries.get_list(tx, actor, list_id=list_id)
    wanted = {_norm(text): text for text in command.emails}
    known = await lead_queries.ids_by_email(tx, actor, addresses=list(wanted))
    locked = await leads.lock_lead_ids(tx, actor, lead_ids=list(known.values()))
    added = await _put(tx, actor, found, sorted(locked))
    unknown = [text for norm, text in wanted.items() if norm not in known]
    return MembersAdded(
        added=len(added),
        already_members=len(locked) - len(added),
        unknown=len(unknown),
        unknown_emails=[text[:200] for text in unknown[:MAX_UNKNOWN]],
    )


async def _lock(tx: Transaction, actor: Actor, list_id: UUID) -> Row:
    """Raises: ListNotFound: also for a deleted list."""
    stored = await store.lock_list(tx, actor.workspace_id, list_id)
    if stored is None or stored.deleted_at is not None:
        raise ListNotFound
    return stored


async def _known(tx: Transaction, actor: Actor, command: OneList) -> ListView:
    """The list of a command. Raises: UnknownList."""
    try:
        return await queries.get_list(tx, actor, list_id=command.list_id)
    except ListNotFound as error:
        raise UnknownList("/listId") from error


async def _require_free(tx: Transaction, actor: Actor, name: str) -> None:
    """Raises: DuplicateList."""
    found = await queries.named(tx, actor, name)
    if found is not None:
        raise DuplicateList(found.name, found.id)


async def _record(tx: Transaction, actor: Actor, action: ListAuditAction, list_id: UUID) -> None:
    await audit.record(tx, actor, action=action, subject_type=LIST, subject_id=list_id, data={"count": 1})


async def _put(tx: Transaction, actor: Actor, found: ListView, lead_ids: Sequence[UUID]) -> list[UUID]:
    added = await store.add(tx, actor.workspace_id, found.id, lead_ids)
    await operations.note(tx, actor, found.id, found.name, added, removed=False)
    if added:
        await _record_leads(tx, actor, ListAuditAction.ADDED, found.id, len(added))
    return added


async def _record_leads(tx: Transaction, actor: Actor, action: ListAuditAction, list_id: UUID, count: int) -> None:
    await audit.record(tx, actor, action=action, subject_type=LIST, subject_id=list_id, data={"count": count})


def _norm(text: str) -> str:
    """Normalized address; invalid text stays as it is, and no lead has it."""
    try:
        return parse_email(text.strip()).norm
    except InvalidValue:
        return text
