"""Adding, removing and merging tags of many leads: the bulk operations, and what verbs share with them."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.tags import queries, store
from leadflood.domains.tags.contracts import ReplaceTag, TagNames
from leadflood.domains.tags.errors import TooManyTags, UnknownTag
from leadflood.domains.tags.events import (
    LEAD_TAGGED,
    LEAD_UNTAGGED,
    TAG_CREATED,
    TAGGED_KIND,
    UNTAGGED_KIND,
    LeadTagsData,
    TagData,
)
from leadflood.domains.tags.models import MAX_TAGS, name_key
from leadflood.domains.tags.permissions import TAGS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.colors import Color
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event
from leadflood.kernel.extensions import Batch, Changed, Prepared, UndoBatch

_Pairs = Mapping[UUID, Sequence[UUID]]


async def prepare_adding(tx: Transaction, actor: Actor, command: TagNames) -> Prepared:
    """Create the tags that don't exist. Raises: TooManyTags."""
    actor.require(TAGS_WRITE)
    return _prepared("Add", await ensure(tx, actor, command.names))


async def prepare_removing(tx: Transaction, actor: Actor, command: TagNames) -> Prepared:
    """Find the tags. Raises: UnknownTag: none of the names is a tag."""
    actor.require(TAGS_WRITE)
    found = await queries.named(tx, actor.workspace_id, command.names)
    if not found:
        raise UnknownTag("/arguments/names")
    return _prepared("Remove", {tag.id: tag.name for tag in found.values()})


async def prepare_merging(tx: Transaction, actor: Actor, command: ReplaceTag) -> Prepared:
    """Name the tags. Raises: UnknownTag."""
    actor.require(TAGS_WRITE)
    names = await queries.names_of(tx, actor, [command.from_id, command.into_id])
    if len(names) < len({command.from_id, command.into_id}):
        raise UnknownTag("/arguments/intoId")
    label = f"Merge tag {names[command.from_id]} into {names[command.into_id]}"
    return Prepared(label, {"fromId": str(command.from_id), "intoId": str(command.into_id)})


async def apply_adding(tx: Transaction, batch: Batch) -> Changed:
    """Add the tags to locked leads, as a bulk operation."""
    added = await store.add(tx, batch.actor.workspace_id, batch.subject_ids, _tag_ids(batch))
    await note(tx, batch.actor, added, removed=False, changeset_id=batch.changeset_id)
    return {lead_id: {"added": texts(tag_ids)} for lead_id, tag_ids in added.items()}


async def apply_removing(tx: Transaction, batch: Batch) -> Changed:
    """Remove the tags from locked leads, as a bulk operation."""
    removed = await store.remove(tx, batch.actor.workspace_id, batch.subject_ids, _tag_ids(batch))
    await note(tx, batch.actor, removed, removed=True, changeset_id=batch.changeset_id)
    return {lead_id: {"removed": texts(tag_ids)} for lead_id, tag_ids in removed.items()}


async def apply_merging(tx: Transaction, batch: Batch) -> Changed:
    """Replace a tag of locked leads with another one, as a bulk operation."""
    from_id, into_id = UUID(str(batch.arguments["fromId"])), UUID(str(batch.arguments["intoId"]))
    removed = await store.remove(tx, batch.actor.workspace_id, batch.subject_ids, [from_id])
    added = await store.add(tx, batch.actor.workspace_id, list(removed), [into_id])
    await note(tx, batch.actor, removed, removed=True, changeset_id=batch.changeset_id)
    await note(tx, batch.actor, added, removed=False, changeset_id=batch.changeset_id)
    return {
        lead_id: {"removed": texts(tag_ids), "added": texts(added.get(lead_id, []))}
        for lead_id, tag_ids in removed.items()
    }


async def undo(tx: Transaction, batch: UndoBatch) -> set[UUID]:
    """Revert any of these operations. Returns the leads that changed."""
    workspace_id = batch.actor.workspace_id
    lost = _of(batch.changed, "removed")
    await store.restore_free(tx, workspace_id, sorted({tag_id for tag_ids in lost.values() for tag_id in tag_ids}))
    removed = await store.remove_pairs(tx, workspace_id, _of(batch.changed, "added"))
    added = await store.add_pairs(tx, workspace_id, lost)
    await note(tx, batch.actor, removed, removed=True, changeset_id=batch.changeset_id)
    await note(tx, batch.actor, added, removed=False, changeset_id=batch.changeset_id)
    return {*removed, *added}


async def ensure(tx: Transaction, actor: Actor, names: Sequence[str]) -> dict[UUID, str]:
    """Tags by ID for these names; missing ones are created. Raises: TooManyTags."""
    wanted = {name_key(name): name for name in reversed(names)}
    found = await queries.named(tx, actor.workspace_id, wanted.values())
    missing = [name for key, name in wanted.items() if key not in found]
    if missing:
        await store.lock_tags(tx, actor.workspace_id)
        if len(await queries.all_tags(tx, actor)) + len(missing) > MAX_TAGS:
            raise TooManyTags(MAX_TAGS)
        created = await store.insert_tags(tx, actor.workspace_id, missing, Color.GRAY)
        await publish(tx, TAG_CREATED, [Event(tag_id, TagData(), actor) for tag_id in created])
        found = await queries.named(tx, actor.workspace_id, wanted.values())
    return {tag.id: tag.name for tag in found.values()}


async def add_by_name(tx: Transaction, actor: Actor, wanted: Mapping[UUID, Sequence[str]]) -> dict[UUID, list[UUID]]:
    """Add to each locked lead its tags by name. Returns what was added.

    Missing tags are created; beyond the limit of tags, they are left out.
    """
    names = list(dict.fromkeys(name for each in wanted.values() for name in each))
    if not names:
        return {}
    with suppress(TooManyTags):  # then those that exist are added
        await ensure(tx, actor, names)
    found = await queries.named(tx, actor.workspace_id, names)
    pairs = {
        lead_id: list(dict.fromkeys(found[key].id for name in each if (key := name_key(name)) in found))
        for lead_id, each in wanted.items()
    }
    added = await store.add_pairs(tx, actor.workspace_id, pairs)
    await note(tx, actor, added, removed=False)
    return added


async def remove_pairs(tx: Transaction, actor: Actor, pairs: _Pairs) -> None:
    """Remove from each lead its tags."""
    removed = await store.remove_pairs(tx, actor.workspace_id, pairs)
    await note(tx, actor, removed, removed=True)


async def note(
    tx: Transaction, actor: Actor, pairs: _Pairs, *, removed: bool, changeset_id: UUID | None = None
) -> None:
    """Record in timelines and events which tags leads got or lost, with three statements for any number of leads."""
    if not pairs:
        return
    names = await queries.names_of(tx, actor, {tag_id for tag_ids in pairs.values() for tag_id in tag_ids})
    part = {} if changeset_id is None else {"changesetId": str(changeset_id)}
    entries = {
        lead_id: {"tags": sorted(names[tag_id] for tag_id in tag_ids), **part} for lead_id, tag_ids in pairs.items()
    }
    await leads.add_each_to_timelines(tx, actor, kind=UNTAGGED_KIND if removed else TAGGED_KIND, entries=entries)
    events = [
        Event(lead_id, LeadTagsData(tag_ids=list(tag_ids), changeset_id=changeset_id), actor)
        for lead_id, tag_ids in pairs.items()
    ]
    await publish(tx, LEAD_UNTAGGED if removed else LEAD_TAGGED, events)


def _prepared(verb: str, tags: Mapping[UUID, str]) -> Prepared:
    what = "tag" if len(tags) == 1 else "tags"
    return Prepared(f"{verb} {what} {', '.join(sorted(tags.values()))}"[:200], {"tagIds": texts(tags)})


def _tag_ids(batch: Batch) -> list[UUID]:
    given = batch.arguments["tagIds"]
    return [UUID(str(item)) for item in given] if isinstance(given, list) else []


def texts(tag_ids: Collection[UUID]) -> list[JsonValue]:
    """IDs as JSON."""
    return [str(tag_id) for tag_id in tag_ids]


def _of(changed: Changed, name: str) -> dict[UUID, list[UUID]]:
    """Tags that a change added or removed, by lead."""
    found = {lead_id: data.get(name) for lead_id, data in changed.items()}
    return {lead_id: [UUID(str(item)) for item in given] for lead_id, given in found.items() if isinstance(given, list)}
