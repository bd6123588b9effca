"""Verbs on tags."""

from collections.abc import Collection, Mapping
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.service import bulk
from leadflood.domains.tags import operations, queries, store
from leadflood.domains.tags.contracts import CreateTag, LeadTags, MergeTag, TagNames, TagView, UpdateTag
from leadflood.domains.tags.errors import (
    DuplicateTag,
    MergeIntoItself,
    TagNotFound,
    TagVersionConflict,
    TooManyTags,
    UnknownTag,
)
from leadflood.domains.tags.events import (
    TAG,
    TAG_CREATED,
    TAG_DELETED,
    TAG_MERGED,
    TAG_RESTORED,
    TAG_UPDATED,
    TagAuditAction,
    TagData,
    TagMergedData,
)
from leadflood.domains.tags.models import MAX_TAGS, name_key
from leadflood.domains.tags.permissions import TAGS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.events import Event

MERGE = "mergeTag"
"""Name of the bulk operation that merges a tag."""
_ALL = 1_000_000_000
"""More leads than a workspace has: the merge is for all leads with the tag."""


async def create_tag(tx: Transaction, actor: Actor, *, command: CreateTag) -> TagView:
    """Create a tag. Raises: DuplicateTag, TooManyTags."""
    actor.require(TAGS_WRITE)
    await _require_room(tx, actor, 1)
    await _require_free(tx, actor, command.name)
    (tag_id,) = await store.insert_tags(tx, actor.workspace_id, [command.name], command.color)
    await publish(tx, TAG_CREATED, [Event(tag_id, TagData(), actor)])
    await _record(tx, actor, TagAuditAction.CREATED, tag_id)
    return await queries.get_tag(tx, actor, tag_id=tag_id)


async def update_tag(
    tx: Transaction, actor: Actor, *, tag_id: UUID, command: UpdateTag, expected_version: int
) -> TagView:
    """Rename a tag, or give it another color. Raises: TagNotFound, TagVersionConflict, DuplicateTag."""
    actor.require(TAGS_WRITE)
    stored = await _lock(tx, actor, tag_id)
    if stored.version != expected_version:
        raise TagVersionConflict(stored.version)
    name, color = command.name or stored.name, command.color or stored.color
    if (name, color) != (stored.name, stored.color):
        if name_key(name) != name_key(stored.name):
            await _require_free(tx, actor, name)
        try:
            async with tx.savepoint():
                expect_changed(
                    await store.update_tag(
                        tx, actor.workspace_id, tag_id, expected_version=expected_version, name=name, color=color
                    )
                )
        except IntegrityError as error:
            raise await _duplicate(tx, actor, name) from error
        await publish(tx, TAG_UPDATED, [Event(tag_id, TagData(), actor)])
        await _record(tx, actor, TagAuditAction.CHANGED, tag_id)
    return await queries.get_tag(tx, actor, tag_id=tag_id)


async def delete_tag(tx: Transaction, actor: Actor, *, tag_id: UUID) -> None:
    """Delete a tag, which removes it from all leads. It can be restored with them. Raises: TagNotFound."""
    actor.require(TAGS_WRITE)
    await _lock(tx, actor, tag_id)
    expect_changed(await store.set_deleted(tx, actor.workspace_id, [tag_id], deleted=True))
    await publish(tx, TAG_DELETED, [Event(tag_id, TagData(), actor)])
    await _record(tx, actor, TagAuditAction.DELETED, tag_id)


async def restore_tag(tx: Transaction, actor: Actor, *, tag_id: UUID) -> TagView:
    """Restore a deleted tag on its leads. An active tag stays as it is.

    Raises: TagNotFound, DuplicateTag: another tag has its name now.
    """
    actor.require(TAGS_WRITE)
    stored = await store.lock_tag(tx, actor.workspace_id, tag_id)
    if stored is None:
        raise TagNotFound
    if stored.deleted_at is not None:
        await _require_free(tx, actor, stored.name)
        expect_changed(await store.set_deleted(tx, actor.workspace_id, [tag_id], deleted=False))
        await publish(tx, TAG_RESTORED, [Event(tag_id, TagData(), actor)])
        await _record(tx, actor, TagAuditAction.RESTORED, tag_id)
    return await queries.get_tag(tx, actor, tag_id=tag_id)


async def merge_tag(
    tx: Transaction, actor: Actor, *, tag_id: UUID, command: MergeTag, trace: Mapping[str, str]
) -> ChangesetView:
    """Replace a tag by another one on all leads, and delete it. Undoing the changeset restores it.

    Up to 5,000 leads are changed directly; more by a job.

    Raises: TagNotFound, UnknownTag, MergeIntoItself, leadflood.kernel.actor.MissingPermission.
    """
    actor.require(TAGS_WRITE)
    if tag_id == command.into_id:
        raise MergeIntoItself
    await queries.get_tag(tx, actor, tag_id=tag_id)
    for each in sorted((tag_id, command.into_id)):  # in the order of IDs: two merges cannot deadlock
        stored = await store.lock_tag(tx, actor.workspace_id, each)
        if stored is None or stored.deleted_at is not None:
            raise TagNotFound if each == tag_id else UnknownTag("/intoId")
    change = BulkChange.model_validate(
        {
            "action": MERGE,
            "arguments": {"fromId": str(tag_id), "intoId": str(command.into_id)},
            "matching": {"all": [{"field": "anyTag", "operator": "is", "value": str(tag_id)}]},
            "expectedCount": _ALL,
        }
    )
    await store.replace_on_deleted(tx, actor.workspace_id, from_id=tag_id, into_id=command.into_id)
    expect_changed(await store.set_deleted(tx, actor.workspace_id, [tag_id], deleted=True))
    made = await bulk.change_leads(tx, actor, command=change, trace=trace)
    data = TagMergedData(into_id=command.into_id, changeset_id=made.id)
    await publish(tx, TAG_MERGED, [Event(tag_id, data, actor, trace)])
    values = {"intoId": str(command.into_id), "changesetId": str(made.id)}
    await audit.record(
        tx, actor, action=TagAuditAction.MERGED, subject_type=TAG, subject_id=tag_id, data={"count": 1, **values}
    )
    return made


async def add_tags(tx: Transaction, actor: Actor, *, lead_id: UUID, command: TagNames) -> LeadTags:
    """Add tags to a lead; those that don't exist are created. Returns all of its tags.

    Raises: leadflood.domains.leads.errors.LeadNotFound, TooManyTags.
    """
    actor.require(TAGS_WRITE)
    await _lock_lead(tx, actor, lead_id)
    tags = await operations.ensure(tx, actor, command.names)
    added = await store.add(tx, actor.workspace_id, [lead_id], list(tags))
    await operations.note(tx, actor, added, removed=False)
    if added:
        await _record_lead(tx, actor, TagAuditAction.TAGGED, lead_id, added[lead_id])
    return await queries.tags_of_lead(tx, actor, lead_id=lead_id)


async def remove_tags(tx: Transaction, actor: Actor, *, lead_id: UUID, command: TagNames) -> LeadTags:
    """Remove tags from a lead. Names that it doesn't have are ignored. Returns its remaining tags.

    Raises: leadflood.domains.leads.errors.LeadNotFound.
    """
    actor.require(TAGS_WRITE)
    await _lock_lead(tx, actor, lead_id)
    found = await queries.named(tx, actor.workspace_id, command.names)
    removed = await store.remove(tx, actor.workspace_id, [lead_id], [tag.id for tag in found.values()])
    await operations.note(tx, actor, removed, removed=True)
    if removed:
        await _record_lead(tx, actor, TagAuditAction.UNTAGGED, lead_id, removed[lead_id])
    return await queries.tags_of_lead(tx, actor, lead_id=lead_id)


async def _lock(tx: Transaction, actor: Actor, tag_id: UUID) -> Row:
    """Raises: TagNotFound: also for a deleted tag."""
    stored = await store.lock_tag(tx, actor.workspace_id, tag_id)
    if stored is None or stored.deleted_at is not None:
        raise TagNotFound
    return stored


async def _require_room(tx: Transaction, actor: Actor, wanted: int) -> None:
    """Lock the creation of tags and check the limit. Raises: TooManyTags."""
    await store.lock_tags(tx, actor.workspace_id)
    if len(await queries.all_tags(tx, actor)) + wanted > MAX_TAGS:
        raise TooManyTags(MAX_TAGS)


async def _require_free(tx: Transaction, actor: Actor, name: str) -> None:
    """Raises: DuplicateTag."""
    found = (await queries.named(tx, actor.workspace_id, [name])).get(name_key(name))
    if found is not None:
        raise DuplicateTag(found.name, found.id)


async def _duplicate(tx: Transaction, actor: Actor, name: str) -> Exception:
    found = (await queries.named(tx, actor.workspace_id, [name])).get(name_key(name))
    return DuplicateTag(name, found.id) if found is not None else TagNotFound()


async def _record(tx: Transaction, actor: Actor, action: TagAuditAction, tag_id: UUID) -> None:
    await audit.record(tx, actor, action=action, subject_type=TAG, subject_id=tag_id, data={"count": 1})


async def _lock_lead(tx: Transaction, actor: Actor, lead_id: UUID) -> None:
    """Raises: LeadNotFound."""
    if not await leads.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        raise LeadNotFound


async def _record_lead(
    tx: Transaction, actor: Actor, action: TagAuditAction, lead_id: UUID, tag_ids: Collection[UUID]
) -> None:
    data: dict[str, JsonValue] = {"count": 1, "tagIds": operations.texts(tag_ids)}
    await audit.record(tx, actor, action=action, subject_type=LEAD, subject_id=lead_id, data=data)
