"""Merging and unmerging: the part of the leads domain."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import store
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.contracts.lead_records import StoredLead
from leadflood.domains.leads.errors import LeadNotFound, UnknownOwner
from leadflood.domains.leads.events import (
    LEAD_DELETED,
    LEAD_MERGED,
    LEAD_UNMERGED,
    ChangesetData,
    LeadEventKind,
    MergeData,
)
from leadflood.domains.leads.models import Change, ChangesetKind, FieldSource
from leadflood.domains.leads.service.changesets import add_counts, begin_undo, close_changeset, open_changeset
from leadflood.domains.leads.store import merging
from leadflood.domains.leads.store.history import attribute
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.errors import IntegrityError, constraint_of
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.events import Event
from leadflood.kernel.subjects import Participants


async def lock_pair(
    tx: Transaction, actor: Actor, *, survivor_id: UUID, other_id: UUID
) -> tuple[StoredLead, StoredLead]:
    """Two active leads, locked until this transaction ends. Raises: LeadNotFound: one of them is gone."""
    found = await merging.lock_pair(tx, actor.workspace_id, [survivor_id, other_id])
    if len(found) < 2:  # noqa: PLR2004  both
        raise LeadNotFound
    return found[survivor_id], found[other_id]


async def lock_all(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> dict[UUID, StoredLead]:
    """Leads, deleted or not, locked until this transaction ends. Purged ones are left out."""
    return await merging.lock_any(tx, actor.workspace_id, lead_ids)


async def deferred_undos(tx: Transaction, actor: Actor, *, lead_id: UUID) -> list[UUID]:
    """Changesets whose undo would have deleted the locked lead, had it not been merged by then."""
    return await merging.deferred_undos(tx, actor.workspace_id, lead_id)


async def complete_undos(
    tx: Transaction, actor: Actor, *, other: StoredLead, deferred: Sequence[UUID], merge_changeset_id: UUID
) -> None:
    """Before an unmerge: keep the other, locked lead deleted if these undone changesets require it."""
    await merging.complete_undos(
        tx, actor.workspace_id, other.id, changeset_ids=deferred, merge_changeset_id=merge_changeset_id
    )
    entry = {"changesetId": str(deferred[0]), "undo": True, "version": other.version + 1}
    await store.record(tx, actor, [other.id], LeadEventKind.DELETED, entry)
    await publish(tx, LEAD_DELETED, [Event(other.id, ChangesetData(changeset_id=deferred[0]), actor)])


async def address_holder(tx: Transaction, actor: Actor, *, email_norm: str) -> UUID | None:
    """The active lead with an email."""
    return (await store.existing_ids(tx, actor.workspace_id, [email_norm])).get(email_norm)


async def merge_leads(
    tx: Transaction, actor: Actor, *, survivor: StoredLead, other: StoredLead, values: Mapping[str, Any], merge_id: UUID
) -> UUID:
    """Set values of the survivor and delete the other; both are locked. Returns the changeset.

    Args: values: columns of the survivor that get another value, custom fields as a whole.

    Raises: UnknownOwner: the owner left at this very moment.
    """
    changeset_id = await open_changeset(
        tx,
        actor,
        kind=ChangesetKind.MERGE,
        label=f"Merged {other.email} into {survivor.email}"[:200],
        wanted=2,
        request={"mergeId": str(merge_id)},
    )
    before = await merging.images(tx, actor.workspace_id, [survivor.id, other.id])
    await attribute(tx, FieldSource.MERGE, actor_kind=actor.kind, actor_id=actor.id, changeset_id=changeset_id)
    try:
        async with tx.savepoint():
            expect_changed(
                await store.update_lead(
                    tx, actor.workspace_id, survivor.id, expected_version=survivor.version, values=values
                )
            )
    except IntegrityError as error:
        if constraint_of(error) == "leads_workspace_id_owner_id_fkey":
            raise UnknownOwner from error
        raise
    expect_changed(await store.set_deleted(tx, actor.workspace_id, other.id, deleted=True))
    changes = {survivor.id: Change.UPDATED, other.id: Change.DELETED}
    made = await merging.record_changes(tx, actor.workspace_id, changeset_id, changes, before)
    await add_counts(
        tx,
        actor,
        changeset_id=changeset_id,
        done=2,
        updated=made.count(Change.UPDATED),
        deleted=made.count(Change.DELETED),
    )
    await close_changeset(tx, actor, changeset_id=changeset_id)
    await _record_merge(tx, actor, survivor=survivor, other=other, values=values, merge_id=merge_id)
    return changeset_id


async def unmerge_leads(
    tx: Transaction,
    actor: Actor,
    participants: Participants,
    *,
    changeset_id: UUID,
    pair: tuple[StoredLead, StoredLead],
    merge_id: UUID,
    later: Sequence[UUID],
    trace: Mapping[str, str],
) -> ChangesetView:
    """Restore both leads, except later edits; both are locked.

    Args: pair: the survivor and the other. later: changesets of the merges after this one that made something part of
        the same survivor.

    Raises: ChangesetNotFound, ChangesetNotUndoable, Unavailable.
    """
    undone, _ = await begin_undo(tx, actor, participants, changeset_id=changeset_id, trace=trace)
    await merging.rebase(tx, actor.workspace_id, changeset_id, later)
    survivor, other = pair
    data = {"mergeId": str(merge_id), "otherId": str(other.id), "otherEmail": other.email}
    await store.record(tx, actor, [survivor.id], LeadEventKind.UNMERGED, data)
    await publish(
        tx, LEAD_UNMERGED, [Event(survivor.id, MergeData(merge_id=merge_id, other_id=other.id), actor, trace)]
    )
    return undone


async def _record_merge(
    tx: Transaction, actor: Actor, *, survivor: StoredLead, other: StoredLead, values: Mapping[str, Any], merge_id: UUID
) -> None:
    changes = {
        name: [_plain(getattr(survivor, name)), _plain(value)]
        for name, value in values.items()
        if getattr(survivor, name) != value
    }
    event_data: dict[str, Any] = {"mergeId": str(merge_id), "otherId": str(other.id), "otherEmail": other.email}
    event_data |= {"changes": changes, "version": survivor.version + 1}
    await store.record(tx, actor, [survivor.id], LeadEventKind.MERGED, event_data)
    into = {"mergeId": str(merge_id), "survivorId": str(survivor.id), "survivorEmail": survivor.email}
    await store.record(tx, actor, [other.id], LeadEventKind.MERGED_INTO, {**into, "version": other.version + 1})
    await publish(tx, LEAD_MERGED, [Event(survivor.id, MergeData(merge_id=merge_id, other_id=other.id), actor)])


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value
