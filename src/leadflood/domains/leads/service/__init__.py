"""Verbs on leads."""

import json
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from pydantic.alias_generators import to_camel

from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.models import MAX_SUBJECTS
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import queries, store
from leadflood.domains.leads.contracts import (
    CreateLead,
    LeadCreated,
    LeadView,
    NewLead,
    UpdateLead,
    merge_custom_fields,
    resolve_phone,
)
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.domains.leads.errors import DuplicateLead, LeadMerged, LeadNotFound, LeadVersionConflict, UnknownOwner
from leadflood.domains.leads.events import (
    LEAD,
    LEAD_CREATED,
    LEAD_DELETED,
    LEAD_ENRICHMENT_REQUESTED,
    LEAD_RESTORED,
    LEAD_UPDATED,
    ChangesetData,
    EnrichmentRequestedData,
    LeadAuditAction,
    LeadCreatedData,
    LeadEventKind,
    LeadUpdatedData,
)
from leadflood.domains.leads.models import TRANSITIONS, CustomValue, DirectTransition, FieldSource, LeadStatus
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.service import custom, stage
from leadflood.domains.leads.store.history import attribute
from leadflood.domains.leads.store.merging import merged_among
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.errors import IntegrityError, LockConflict, constraint_of
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError, Unavailable, expect_changed
from leadflood.kernel.events import NO_TRACE, Event
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Priority

_NO_DATA: Mapping[str, JsonValue] = MappingProxyType({})
_OWNER = "leads_workspace_id_owner_id_fkey"
_ROUNDS = 5
"""Attempts to insert leads that conflict with a concurrently deleted lead."""


async def create_lead(
    tx: Transaction, actor: Actor, *, command: CreateLead, trace: Mapping[str, str], source: str = "api"
) -> LeadCreated:
    """Like `create_leads`, for one. `source`: its default source. Raises: DuplicateLead, UnknownOwner."""
    actor.require(LEADS_WRITE)
    lead = NewLead(actor, command, trace, source)
    (outcome,) = await create_leads(tx, workspace_id=actor.workspace_id, leads=[lead])
    if isinstance(outcome, AppError):
        raise outcome
    return outcome


async def create_leads(
    tx: Transaction, *, workspace_id: UUID, leads: Sequence[NewLead]
) -> list[LeadCreated | AppError]:
    """Insert leads (`new`), the first entries of their timelines, and the events that their jobs follow.

    All actors belong to the workspace. One outcome per lead, in order: refused ones (`DuplicateLead`, `UnknownOwner`,
    `UnknownStage`, `ValuesDoNotFit`) leave nothing and do not affect the others.

    Raises: leadflood.kernel.db.errors.LockConflict: an owner was removed at this very moment. Do it again.
    """
    for item in leads:
        item.actor.require(LEADS_WRITE)
    leads, misfits = await custom.type_new(tx, workspace_id, leads)
    leads = await stage.resolve_new(tx, workspace_id, leads, misfits)
    owners = {lead.command.owner_id for lead in leads if lead.command.owner_id is not None}
    known = {None, *(await identity.members_among(tx, workspace_id, owners) if owners else ())}
    owned = [item for item in leads if item.command.owner_id in known and item.id not in misfits]
    created, existing = await _insert(tx, workspace_id, leads, owned)
    made = [_creation(lead) for lead in leads if lead.id in created]
    for start in range(0, len(made), MAX_SUBJECTS):  # the jobs named in the response are committed with the leads
        await publish(tx, LEAD_CREATED, made[start : start + MAX_SUBJECTS])
    places = {lead.id: place for place, lead in enumerate(leads)}
    return [
        LeadCreated(lead_id=lead.id, job_id=lead.job_id)
        if lead.id in created
        else misfits.get(lead.id)
        or _refusal(lead, existing.get(lead.command.email.norm), known=lead.command.owner_id in known, places=places)
        for lead in leads
    ]


def _creation(lead: NewLead) -> Event[LeadCreatedData]:
    data = LeadCreatedData(source=lead.source, job_id=lead.job_id)
    return Event(lead.id, data, lead.actor, lead.trace, lead.priority)


async def _insert(
    tx: Transaction, workspace_id: UUID, new: Sequence[NewLead], owned: Sequence[NewLead]
) -> tuple[set[UUID], Mapping[str, UUID]]:
    """Insert the new leads whose owners are known. Returns the inserted ones, and the conflicts of the others.

    A conflicting lead may be deleted before it is looked up. Its email is free then, and the lead is inserted after
    all.
    """
    created: set[UUID] = set()
    existing: Mapping[str, UUID] = {}
    for _ in range(_ROUNDS):
        waiting = [lead for lead in owned if lead.id not in created and lead.command.email.norm not in existing]
        try:
            created |= await store.insert_leads(tx, workspace_id, waiting) if waiting else set()
        except IntegrityError as error:
            if constraint_of(error) == _OWNER:
                raise LockConflict("An owner was just removed. Try again.") from error
            raise
        refused = {lead.id: lead.command.email.norm for lead in new if lead.id not in created}
        existing = await store.existing_ids(tx, workspace_id, list(refused.values())) if refused else {}
        if all(refused[lead.id] in existing for lead in owned if lead.id in refused):
            break
    return created, existing


def _refusal(lead: NewLead, existing: UUID | None, *, known: bool, places: Mapping[UUID, int]) -> AppError:
    """`known`: whether its owner is known. If not, a duplicate is reported only if it precedes it (see `places`)."""
    if existing is not None and (known or places.get(existing, -1) < places[lead.id]):
        return DuplicateLead(existing)
    if not known:
        return UnknownOwner()
    return Unavailable("The lead with this address was deleted just now. Try again.")


async def update_lead(
    tx: Transaction, actor: Actor, *, lead_id: UUID, command: UpdateLead, expected_version: int | None
) -> LeadView:
    """Update a lead. A change without effect keeps the version; None expects any version.

    Raises: LeadNotFound, LeadVersionConflict, DuplicateLead, UnknownOwner, UnknownStage, InvalidInput: for a phone that
        does not fit.
    """
    actor.require(LEADS_WRITE)
    stored = await store.lock(tx, actor.workspace_id, lead_id)
    if stored is None:
        raise LeadNotFound
    if expected_version is not None and stored.version != expected_version:
        raise LeadVersionConflict(stored.version)
    before = dict(stored)
    typed = await custom.type_changes(tx, actor.workspace_id, command.custom_fields)
    command = await stage.resolved(tx, actor.workspace_id, command)
    changes = {name: value for name, value in _changes(before, command, typed).items() if _differs(before[name], value)}
    if changes:
        await attribute(tx, FieldSource.EDIT, actor_kind=actor.kind, actor_id=actor.id)
        await _write(tx, actor, lead_id, before, changes)
        data = {name: [before[name], changes[name]] for name in changes if name != "email_norm"}
        event_data = {"changes": _plain(data), "version": stored.version + 1}
        await store.record(tx, actor, [lead_id], LeadEventKind.CHANGED, event_data)
        await _record(tx, actor, LeadAuditAction.UPDATED, lead_id, {"fields": [*sorted(data)]})
        fields = [to_camel(name) for name in sorted(data)]
        await publish(tx, LEAD_UPDATED, [Event(lead_id, LeadUpdatedData(fields=fields), actor)])
    return await queries.get_lead(tx, actor, lead_id=lead_id)


async def delete_lead(tx: Transaction, actor: Actor, *, lead_id: UUID, expected_version: int | None = None) -> None:
    """Delete a lead; it can be restored during the retention period. Raises: LeadNotFound, LeadVersionConflict."""
    actor.require(LEADS_WRITE)
    stored = await store.lock(tx, actor.workspace_id, lead_id)
    if stored is None:
        raise LeadNotFound
    if expected_version is not None and stored.version != expected_version:
        raise LeadVersionConflict(stored.version)
    expect_changed(await store.set_deleted(tx, actor.workspace_id, lead_id, deleted=True))
    await store.record(tx, actor, [lead_id], LeadEventKind.DELETED, {"version": stored.version + 1})
    await _record(tx, actor, LeadAuditAction.DELETED, lead_id)
    await publish(tx, LEAD_DELETED, [Event(lead_id, ChangesetData(), actor)])


async def restore_lead(
    tx: Transaction, actor: Actor, *, lead_id: UUID, trace: Mapping[str, str] = NO_TRACE
) -> LeadView:
    """Restore a deleted lead; restoring an active one changes nothing.

    A job that found the lead deleted did nothing, so an unfinished enrichment is queued again.

    Raises: LeadNotFound, LeadMerged: it is merged into another. DuplicateLead: another lead has the address now.
    """
    actor.require(LEADS_WRITE)
    stored = await store.lock(tx, actor.workspace_id, lead_id, deleted=True)
    if stored is None:
        return await queries.get_lead(tx, actor, lead_id=lead_id)
    into = (await merged_among(tx, actor.workspace_id, [lead_id])).get(lead_id)
    if into is not None:
        raise LeadMerged(merge_id=into.merge_id, survivor_id=into.survivor_id, survivor_email=into.survivor_email)
    try:
        async with tx.savepoint():
            expect_changed(await store.set_deleted(tx, actor.workspace_id, lead_id, deleted=False))
    except IntegrityError as error:
        raise await _named(tx, actor, error, stored.email_norm) from error
    await store.record(tx, actor, [lead_id], LeadEventKind.RESTORED, {"version": stored.version + 1})
    if stored.status in (LeadStatus.NEW, LeadStatus.PROCESSING):
        await queue_enrichment(tx, actor, lead_ids=[lead_id], trace=trace)
    await _record(tx, actor, LeadAuditAction.RESTORED, lead_id)
    await publish(tx, LEAD_RESTORED, [Event(lead_id, ChangesetData(), actor, trace)])
    return await queries.get_lead(tx, actor, lead_id=lead_id)


async def request_enrichment(tx: Transaction, actor: Actor, *, lead_id: UUID, trace: Mapping[str, str]) -> UUID:
    """Enrich a lead again. Returns the ID of the job. Raises: LeadNotFound."""
    actor.require(LEADS_WRITE)
    if await store.lock(tx, actor.workspace_id, lead_id) is None:
        raise LeadNotFound
    (job_id,) = await queue_enrichment(tx, actor, lead_ids=[lead_id], trace=trace)
    await _record(tx, actor, LeadAuditAction.ENRICHMENT_REQUESTED, lead_id, {"jobId": str(job_id)})
    return job_id


async def queue_enrichment(
    tx: Transaction,
    actor: Actor,
    *,
    lead_ids: Sequence[UUID],
    trace: Mapping[str, str],
    priority: Priority | None = None,
) -> list[UUID]:
    """Request the enrichment of locked, active leads. Returns the IDs of the jobs, in order."""
    if not lead_ids:
        return []
    priority = priority or (Priority.NORMAL if len(lead_ids) == 1 else Priority.BULK)
    job_ids = {lead_id: new_id() for lead_id in lead_ids}
    requests = [
        Event(lead_id, EnrichmentRequestedData(job_id=job_id), actor, trace, priority)
        for lead_id, job_id in job_ids.items()
    ]
    await publish(tx, LEAD_ENRICHMENT_REQUESTED, requests)
    entries = {lead_id: {"jobId": str(job_id)} for lead_id, job_id in job_ids.items()}
    await store.record_each(tx, actor, LeadEventKind.ENRICHMENT_REQUESTED, entries)
    return list(job_ids.values())


async def lock_leads(tx: Transaction, actor: Actor, *, lead_ids: Collection[UUID]) -> dict[UUID, LeadDetails]:
    """Lock those of the leads that are active until this transaction ends. Returns their values, by ID."""
    return await store.lock_many(tx, actor.workspace_id, lead_ids)


async def transition(
    tx: Transaction,
    actor: Actor,
    *,
    transitions: Sequence[tuple[UUID, Mapping[str, Any]]],
    status: LeadStatus,
    event: LeadEventKind,
    error: str | None = None,
) -> set[UUID]:
    """Set leads to `status` along the declared transitions, each with an entry in its timeline.

    Args: transitions: ids of leads with the data of their entries. Returns: the leads that changed; the others are
    deleted or in a state without a transition to `status`, and stay unchanged.
    """
    expected = {source for source, targets in TRANSITIONS.items() if status in targets}
    return await store.transition(tx, actor, transitions, expected=expected, status=status, event=event, error=error)


async def add_to_timelines(
    tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID], kind: str, data: Mapping[str, Any] = _NO_DATA
) -> None:
    """Add an entry of another domain to the timeline of each of these locked leads."""
    await store.record(tx, actor, lead_ids, kind, data)


async def add_each_to_timelines(
    tx: Transaction, actor: Actor, *, kind: str, entries: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """As `add_to_timelines`, with separate data for each lead."""
    await store.record_each(tx, actor, kind, entries)


async def lock_lead_ids(tx: Transaction, actor: Actor, *, lead_ids: Collection[UUID]) -> set[UUID]:
    """Like `lock_leads`, for callers that know their values. Returns the IDs of active ones."""
    return set(await store.lock_active(tx, actor.workspace_id, lead_ids))


async def active_leads(tx: Transaction, actor: Actor, *, lead_ids: Collection[UUID]) -> dict[UUID, LeadDetails]:
    """Like `lock_leads`, without locking them."""
    return await queries.active_leads(tx, actor, lead_ids=lead_ids)


async def direct_transition(tx: Transaction, actor: Actor, *, passes: Sequence[DirectTransition]) -> None:
    """Take leads through `processing` to `enriched` in one statement, like two calls of `transition`."""
    expected = {source for source, targets in TRANSITIONS.items() if LeadStatus.PROCESSING in targets}
    await store.direct_transition(tx, actor, passes, expected=expected)


def _changes(
    before: Mapping[Any, Any], command: UpdateLead, custom_fields: Mapping[str, CustomValue | None] | None
) -> dict[str, Any]:
    given = {name: getattr(command, name) for name in command.model_fields_set}
    if (email := given.pop("email", None)) is not None:
        given |= {"email": email.display, "email_norm": email.norm}
    if given.get("phone") is not None:
        given["phone"] = resolve_phone(given["phone"], given.get("country", before["country"]))
    if "custom_fields" in given:
        given["custom_fields"] = merge_custom_fields(before["custom_fields"], custom_fields)
    return given


async def _write(
    tx: Transaction, actor: Actor, lead_id: UUID, before: Mapping[Any, Any], changes: Mapping[str, Any]
) -> None:
    try:
        async with tx.savepoint():
            expect_changed(
                await store.update_lead(
                    tx, actor.workspace_id, lead_id, expected_version=before["version"], values=changes
                )
            )
    except IntegrityError as error:
        raise await _named(tx, actor, error, changes.get("email_norm", before["email_norm"])) from error


async def _record(
    tx: Transaction, actor: Actor, action: LeadAuditAction, lead_id: UUID, data: Mapping[str, JsonValue] = _NO_DATA
) -> None:
    one = {"count": 1, **data}
    await audit.record(tx, actor, action=action, subject_type=LEAD, subject_id=lead_id, data=one)


async def _duplicate(tx: Transaction, actor: Actor, email_norm: str) -> Exception:
    found = (await store.existing_ids(tx, actor.workspace_id, [email_norm])).get(email_norm)
    if found is None:
        return Unavailable("The lead with this address was deleted just now. Try again.")
    return DuplicateLead(found)


async def _named(tx: Transaction, actor: Actor, error: IntegrityError, email_norm: str) -> Exception:
    constraint = constraint_of(error)
    if constraint == _OWNER:
        return UnknownOwner()
    if constraint == "leads_email_norm_key":
        return await _duplicate(tx, actor, email_norm)
    return error


def _differs(before: object, after: object) -> bool:
    """Whether a value changes; 1 and true are equal in Python, but not in JSON."""
    if isinstance(before, dict):
        return json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)
    return before != after


def _plain(data: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: [str(value) if isinstance(value, UUID) else value for value in pair] for name, pair in data.items()}
