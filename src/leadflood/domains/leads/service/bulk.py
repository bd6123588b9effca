"""Bulk changes: directly for few leads, otherwise by a job, chunk by chunk."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from pydantic.alias_generators import to_camel

from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.errors import MemberNotFound
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads.contracts import MAX_CUSTOM_BYTES, MAX_CUSTOM_FIELDS
from leadflood.domains.leads.contracts.bulk import BulkAction, BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadQuery, LeadSort
from leadflood.domains.leads.errors import MatchCountExceeded, UnknownOwner
from leadflood.domains.leads.events import (
    BULK_CHANGE,
    LEAD_DELETED,
    LEAD_RESTORED,
    LEAD_UPDATED,
    ChangesetData,
    ChangesetPayload,
    LeadAuditAction,
    LeadEventKind,
    LeadUpdatedData,
)
from leadflood.domains.leads.models import Change, ChangesetKind, ChangesetStatus, FieldSource
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.queries.changesets import get_changeset
from leadflood.domains.leads.queries.deleted import count_restorable, restorable_rows
from leadflood.domains.leads.queries.search import count_leads, matching_rows
from leadflood.domains.leads.service import bulk_operations, custom, queue_enrichment, stage
from leadflood.domains.leads.service.changesets import (
    add_counts,
    changed_leads,
    close_changeset,
    open_changeset,
    record,
)
from leadflood.domains.leads.store import bulk as store
from leadflood.domains.leads.store import changesets, merging
from leadflood.domains.leads.store.history import attribute
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.changesets import MAX_DIRECT
from leadflood.kernel.db import planner
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.events import Event, EventData, EventType
from leadflood.kernel.extensions import Batch
from leadflood.kernel.filters import written
from leadflood.kernel.pagination import Position

_CHANGES = {
    BulkAction.SET: (Change.UPDATED, LeadEventKind.CHANGED),
    BulkAction.DELETE: (Change.DELETED, LeadEventKind.DELETED),
    BulkAction.RESTORE: (Change.RESTORED, LeadEventKind.RESTORED),
}
_RECORDED = {
    BulkAction.SET: LeadAuditAction.UPDATED,
    BulkAction.DELETE: LeadAuditAction.DELETED,
    BulkAction.RESTORE: LeadAuditAction.RESTORED,
    BulkAction.ENRICH: LeadAuditAction.ENRICHMENT_REQUESTED,
}
_EVENTS: Mapping[BulkAction, EventType[Any]] = {
    BulkAction.SET: LEAD_UPDATED,
    BulkAction.DELETE: LEAD_DELETED,
    BulkAction.RESTORE: LEAD_RESTORED,
}
_LIMITS = (MAX_CUSTOM_FIELDS, MAX_CUSTOM_BYTES)


async def change_leads(
    tx: Transaction, actor: Actor, *, command: BulkChange, trace: Mapping[str, str]
) -> ChangesetView:
    """Change many leads. Up to 5,000 directly, and the changeset is `applied`; more by its job.

    Unknown IDs and leads that already have the values are skipped: see `wanted` and the other counts. So are deleted
    leads that were merged into others: undoing the merge restores them.

    Raises: MatchCountExceeded, UnknownOwner, ValuesDoNotFit, Unavailable.
    """
    actor.require(LEADS_WRITE)
    await _check_owner(tx, actor, command)
    command, label = await bulk_operations.prepare(tx, actor, await _typed(tx, actor, command))
    ids = list(dict.fromkeys(command.lead_ids or ()))
    wanted = len(ids) if command.lead_ids is not None else await _expected(tx, actor, command)
    changeset_id = await open_changeset(
        tx,
        actor,
        kind=ChangesetKind.BULK,
        label=label,
        wanted=wanted,
        request=_request(actor, command),
    )
    if command.lead_ids is not None:
        await _change(tx, actor, changeset_id, command, ids, trace)
        await close_changeset(tx, actor, changeset_id=changeset_id)
    elif wanted > MAX_DIRECT:
        job = NewJob(BULK_CHANGE, ChangesetPayload(changeset_id=changeset_id), changeset_id, trace)
        (job_id,) = await jobs.enqueue(tx, actor, jobs=[job])
        await changesets.set_job(tx, actor.workspace_id, changeset_id, job_id)
    else:
        while await change_more(tx, actor, changeset_id=changeset_id, trace=trace):
            pass
    made = await get_changeset(tx, actor, changeset_id=changeset_id)
    await record(tx, actor, _recorded(command), made, count=_count(command, made))
    return made


def _request(actor: Actor, command: BulkChange) -> dict[str, JsonValue]:
    """Stored form of a command in a changeset, for its job."""
    kept = command.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"lead_ids"})
    if command.matching is not None:
        kept["matching"] = written(command.matching.lead_filter().fixed(actor).whole)
    return kept


async def change_more(
    tx: Transaction, actor: Actor, *, changeset_id: UUID, trace: Mapping[str, str], batch: int = MAX_DIRECT
) -> bool:
    """Change the next leads of an open changeset. Returns whether there may be more.

    Active leads are read in the order of their creation, deleted ones from the last deleted to the first, as of the
    time of the request: later ones are not included.
    """
    changeset = await changesets.lock_changeset(tx, actor.workspace_id, changeset_id)
    if changeset is None or changeset.status != ChangesetStatus.OPEN:
        return False
    command = BulkChange.model_validate(changeset.request)
    after = Position(changeset.position["value"], UUID(changeset.position["id"])) if changeset.position else None
    rows = await _next_rows(tx, actor, changeset, command, after=after, limit=batch)
    await _change(tx, _requester(changeset), changeset_id, command, [row.id for row in rows], trace)
    if len(rows) < batch:
        await close_changeset(tx, actor, changeset_id=changeset_id)
        if changeset.job_id is not None:
            await record_end(tx, actor, changeset_id=changeset_id)
        return False
    last = Position.at(rows[-1].created_at if command.deleted is None else rows[-1].deleted_at, rows[-1].id)
    position = {"value": last.value, "id": str(last.id)}
    await changesets.set_position(tx, actor.workspace_id, changeset_id, position)
    return True


async def record_end(tx: Transaction, actor: Actor, *, changeset_id: UUID) -> None:
    """Record in the audit log how many leads a job has changed, for the requesting actor."""
    ended = await get_changeset(tx, actor, changeset_id=changeset_id)
    by = Actor.requester(actor.workspace_id, ended.actor.kind, ended.actor.id)
    await record(tx, by, LeadAuditAction.CHANGE_FINISHED, ended, count=changed_leads(ended) or ended.processed)


async def _next_rows(
    tx: Transaction, actor: Actor, changeset: Row, command: BulkChange, *, after: Position | None, limit: int
) -> Sequence[Row]:
    if command.deleted is not None:
        filters, until = command.deleted.deleted_filter(), changeset.created_at
        return await restorable_rows(tx, actor, filters=filters, until=until, after=after, limit=limit)
    meant = _matching(command.matching, changeset)
    return await matching_rows(tx, actor, filters=meant, sort=LeadSort.CREATED, after=after, limit=limit)


async def _change(
    tx: Transaction,
    actor: Actor,
    changeset_id: UUID,
    command: BulkChange,
    lead_ids: Sequence[UUID],
    trace: Mapping[str, str],
) -> None:
    await planner.apply(tx, planner.BY_KEY)
    locked = await _lock(tx, actor, lead_ids, restoring=command.action is BulkAction.RESTORE)
    counts = {"done": len(lead_ids)}
    if command.action is BulkAction.ENRICH:
        await queue_enrichment(tx, actor, lead_ids=locked, trace=trace)
    elif (operation := bulk_operations.operation_of(command)) is not None:
        batch = Batch(actor, changeset_id, locked, command.arguments or {}, trace)
        counts[Change.UPDATED] = await bulk_operations.apply(tx, operation, batch)
    elif locked:
        counts |= await _write(tx, actor, changeset_id, command, locked, trace)
    await add_counts(tx, actor, changeset_id=changeset_id, **counts)


async def _write(
    tx: Transaction,
    actor: Actor,
    changeset_id: UUID,
    command: BulkChange,
    locked: Sequence[UUID],
    trace: Mapping[str, str],
) -> dict[str, int]:
    """Set fields of locked leads, delete or restore them. Returns the counts. Raises: Unavailable."""
    action = BulkAction(command.action)
    change, event = _CHANGES[action]
    patch = _patch(command)
    await attribute(tx, FieldSource.BULK, actor_kind=actor.kind, actor_id=actor.id, changeset_id=changeset_id)
    try:
        async with tx.savepoint():
            changed = await store.change_leads(
                tx, actor, changeset_id, change=change, event=event, patch=patch, lead_ids=locked, limits=_LIMITS
            )
    except IntegrityError as error:
        message = "An email or owner was just changed. Try again."
        raise Unavailable(message) from error
    data = _data(command, patch, changeset_id)
    await publish(tx, _EVENTS[action], [Event(lead_id, data, actor, trace) for lead_id in changed.leads])
    await queue_enrichment(tx, actor, lead_ids=changed.unfinished, trace=trace)
    return {change: len(changed.leads)}


async def _lock(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID], *, restoring: bool) -> Sequence[UUID]:
    locked = await store.lock_leads(tx, actor.workspace_id, lead_ids, deleted=restoring)
    if not restoring:
        return locked
    merged = await merging.merged_among(tx, actor.workspace_id, lead_ids)
    return [lead_id for lead_id in locked if lead_id not in merged]


def _data(command: BulkChange, patch: Mapping[str, JsonValue], changeset_id: UUID) -> EventData:
    if command.action is not BulkAction.SET:
        return ChangesetData(changeset_id=changeset_id)
    names = sorted({name.partition(".")[0] for name in patch})
    return LeadUpdatedData(fields=[to_camel(name) for name in names], changeset_id=changeset_id)


def _patch(command: BulkChange) -> dict[str, JsonValue]:
    """Values to set, named as in an image. For a deletion any time works, as no active lead has one."""
    if command.changes is not None:
        return command.changes.patch()
    return {"deleted_at": 0 if command.action is BulkAction.DELETE else None}


async def _expected(tx: Transaction, actor: Actor, command: BulkChange) -> int:
    """Number of matching leads, at most the number the caller expects. Raises: MatchCountExceeded."""
    if command.deleted is not None:
        found = await count_restorable(
            tx, actor, filters=command.deleted.deleted_filter(), max_count=command.expected_count or 0
        )
    else:
        filters = command.matching.lead_filter() if command.matching is not None else LeadFilter()
        found = await count_leads(tx, actor, filters=filters, max_count=command.expected_count)
    if not found.exact:
        raise MatchCountExceeded(found.value)
    return found.value


async def _check_owner(tx: Transaction, actor: Actor, command: BulkChange) -> None:
    owner_id = command.changes.owner_id if command.changes is not None else None
    if owner_id is None:
        return
    try:
        await identity.get_member(tx, actor, user_id=owner_id)
    except MemberNotFound as error:
        raise UnknownOwner("/changes/ownerId") from error


async def _typed(tx: Transaction, actor: Actor, command: BulkChange) -> BulkChange:
    """The command with typed values of custom fields and its stage. Raises: ValuesDoNotFit, UnknownStage."""
    if command.changes is None:
        return command
    changes = await stage.resolved(tx, actor.workspace_id, command.changes, prefix="/changes")
    if changes.custom_fields:
        values = await custom.type_changes(tx, actor.workspace_id, changes.custom_fields, prefix="/changes")
        changes = changes.model_copy(update={"custom_fields": values})
    return command.model_copy(update={"changes": changes})


def _matching(matching: LeadQuery | None, changeset: Row) -> LeadFilter:
    filters = matching.lead_filter() if matching is not None else LeadFilter()
    until = min(filters.created_until or changeset.created_at, changeset.created_at)
    return replace(filters, created_until=until)


def _requester(changeset: Row) -> Actor:
    return Actor.requester(changeset.workspace_id, ActorKind(changeset.actor_kind), changeset.actor_id)


def _recorded(command: BulkChange) -> LeadAuditAction:
    return _RECORDED[command.action] if isinstance(command.action, BulkAction) else LeadAuditAction.UPDATED


def _count(command: BulkChange, changeset: ChangesetView) -> int:
    """Number of leads that are changed, or will be by a job; for a re-enrichment, those it processed."""
    if changeset.job_id is not None and changeset.status is ChangesetStatus.OPEN:
        return changeset.total
    return changeset.processed if command.action is BulkAction.ENRICH else changed_leads(changeset)
