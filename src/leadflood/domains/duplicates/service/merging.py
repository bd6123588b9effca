"""Merging two leads and undoing it, in any order if one merge builds on another."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import MergeLeads, MergeView
from leadflood.domains.duplicates.errors import AlreadyMerged, MergeNotFound, MergeNotUndoable, SelfMerge
from leadflood.domains.duplicates.events import MERGE, DuplicateAuditAction
from leadflood.domains.duplicates.models import MergeStatus
from leadflood.domains.duplicates.service.field_resolution import chosen_values
from leadflood.domains.duplicates.store import merges as store
from leadflood.domains.duplicates.store.merges import Merge
from leadflood.domains.identity.service import audit
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.contracts.lead_records import StoredLead
from leadflood.domains.leads.errors import ChangesetNotFound, LeadNotFound, LeadVersionConflict
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.queries.changesets import get_changeset
from leadflood.domains.leads.service import changesets
from leadflood.domains.leads.service import merging as leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable, expect_changed
from leadflood.kernel.ids import new_id
from leadflood.kernel.subjects import Participants


async def merge(tx: Transaction, actor: Actor, participants: Participants, *, command: MergeLeads) -> MergeView:
    """Merge two leads: all references to the other move to the survivor; the other is deleted.

    Both may be in enrichment: the survivor's continues, the other's finds its lead gone and writes nothing.

    Raises: SelfMerge, LeadNotFound, AlreadyMerged, LeadVersionConflict, UnknownMergeField, InvalidInput: the survivor
        would have too many custom fields.
    """
    actor.require(LEADS_WRITE)
    survivor_id, other_id = command.survivor_id, command.other_id
    if survivor_id == other_id:
        raise SelfMerge
    await participants.lock(tx, actor, [survivor_id, other_id])
    survivor, other = await _lock_leads(tx, actor, survivor_id, other_id)
    for lead, version in ((survivor, command.survivor_version), (other, command.other_version)):
        if version is not None and version != lead.version:
            raise LeadVersionConflict(lead.version)
    values, taken = chosen_values(survivor, other, command.fields)
    merge_id = new_id()
    changeset_id = await leads.merge_leads(tx, actor, survivor=survivor, other=other, values=values, merge_id=merge_id)
    made = Merge(merge_id, survivor_id, other_id, changeset_id, MergeStatus.MERGED)
    await store.insert_merge(tx, actor, made, taken=taken)
    moved = await participants.merge(tx, actor, from_id=other_id, to_id=survivor_id)
    await store.insert_references(tx, actor.workspace_id, merge_id, moved)
    data: dict[str, JsonValue] = {"count": 2, "survivorId": str(survivor_id)}
    data |= {"mergeId": str(merge_id), "changesetId": str(changeset_id)}
    await audit.record(
        tx,
        actor,
        action=DuplicateAuditAction.MERGED,
        subject_type=MERGE,
        subject_id=merge_id,
        data={**data, "fields": [*taken]},
    )
    return await queries.get_merge(tx, actor, participants, merge_id=merge_id)


async def undo_merge(
    tx: Transaction, actor: Actor, participants: Participants, *, merge_id: UUID, trace: Mapping[str, str]
) -> MergeView:
    """Split a merged lead into its two leads, except for later edits, which are kept and reported.

    What went on to a third lead by a later merge comes back from there; the later merge stays. Asked again, it changes
    nothing more. A lead that was being enriched when it was merged is enriched again. The other lead stays deleted
    where the import that created it, or the change that restored it, was undone while it was merged.

    Raises: MergeNotFound, MergeNotUndoable, Unavailable.
    """
    actor.require(LEADS_WRITE)
    found = await store.lock_merge(tx, actor.workspace_id, merge_id)
    if found is None:
        raise MergeNotFound
    if found.status is MergeStatus.UNDONE:
        return await queries.get_merge(tx, actor, participants, merge_id=merge_id)
    holders, survivor, other = await _lock_chain(tx, actor, participants, found)
    deferred = await leads.deferred_undos(tx, actor, lead_id=other.id)
    if deferred:
        await leads.complete_undos(tx, actor, other=other, deferred=deferred, merge_changeset_id=found.changeset_id)
    else:
        await _require_address(tx, actor, other)
    try:
        await leads.unmerge_leads(
            tx,
            actor,
            participants,
            changeset_id=found.changeset_id,
            pair=(survivor, other),
            merge_id=merge_id,
            later=await store.changesets_after(tx, actor.workspace_id, found),
            trace=trace,
        )
    except ChangesetNotFound as error:
        raise MergeNotUndoable("The undo period has ended.") from error
    moved = await store.references(tx, actor.workspace_id, merge_id)
    await participants.unmerge(tx, actor, moved=moved, holders=holders, to_id=other.id)
    expect_changed(await store.set_undone(tx, actor, merge_id))
    data: dict[str, JsonValue] = {"count": 2, "survivorId": str(survivor.id)}
    await audit.record(
        tx, actor, action=DuplicateAuditAction.UNMERGED, subject_type=MERGE, subject_id=merge_id, data=data
    )
    return await queries.get_merge(tx, actor, participants, merge_id=merge_id)


async def undo_change(
    tx: Transaction, actor: Actor, participants: Participants, *, changeset_id: UUID, trace: Mapping[str, str]
) -> ChangesetView:
    """Undo a changeset of any kind: a merge with everything it moved, others like `changesets.undo_changeset`.

    Raises: ChangesetNotFound, ChangesetNotUndoable, MergeNotFound, MergeNotUndoable, Unavailable.
    """
    actor.require(LEADS_WRITE)
    merge_id = (await get_changeset(tx, actor, changeset_id=changeset_id)).merge_id
    if merge_id is None:
        return await changesets.undo_changeset(tx, actor, participants, changeset_id=changeset_id, trace=trace)
    await undo_merge(tx, actor, participants, merge_id=merge_id, trace=trace)
    return await get_changeset(tx, actor, changeset_id=changeset_id)


async def _lock_leads(
    tx: Transaction, actor: Actor, survivor_id: UUID, other_id: UUID
) -> tuple[StoredLead, StoredLead]:
    try:
        return await leads.lock_pair(tx, actor, survivor_id=survivor_id, other_id=other_id)
    except LeadNotFound:
        known = await store.find_merge_of(tx, actor.workspace_id, [survivor_id, other_id])
        if known is None:
            raise
        raise AlreadyMerged(merge_id=known.id, survivor_id=known.survivor_id) from None


async def _lock_chain(
    tx: Transaction, actor: Actor, participants: Participants, found: Merge
) -> tuple[list[UUID], StoredLead, StoredLead]:
    """Lock all leads that may have references that the merge moved. Returns these, the survivor and the other."""
    holders = await store.chain(tx, actor.workspace_id, found.survivor_id)
    lead_ids_ = [*holders, found.other_id]
    await participants.lock(tx, actor, lead_ids_)
    locked = await leads.lock_all(tx, actor, lead_ids=lead_ids_)
    if len(locked) < len(set(lead_ids_)):
        raise MergeNotUndoable("One of the leads was permanently deleted.")
    if await store.chain(tx, actor.workspace_id, found.survivor_id) != holders:
        raise Unavailable("One of the leads was just merged again. Try again.")
    return holders, locked[found.survivor_id], locked[found.other_id]


async def _require_address(tx: Transaction, actor: Actor, other: StoredLead) -> None:
    holder = await leads.address_holder(tx, actor, email_norm=other.email_norm)
    if holder is not None and holder != other.id:
        message = f"Another lead now has the email {other.email}. Delete it or change its email, then undo."
        raise MergeNotUndoable(message, extra={"existingId": str(holder)})
