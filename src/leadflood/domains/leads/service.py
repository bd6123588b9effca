"""Verbs on leads."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads import queries, store
from leadflood.domains.leads.contracts import (
    CreateLead,
    LeadCreated,
    LeadView,
    UpdateLead,
    merge_custom_fields,
    resolve_phone,
)
from leadflood.domains.leads.errors import DuplicateLead, LeadChanged, LeadNotFound, UnknownOwner
from leadflood.domains.leads.events import ENRICH_LEAD, LeadEventKind
from leadflood.domains.leads.models import TRANSITIONS, LeadStatus, search_text
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Transaction, constraint_of
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id

DEFAULT_SOURCE = "api"
_NO_TRACE: Mapping[str, str] = MappingProxyType({})
_SEARCHED = ("first_name", "last_name", "email", "company")


async def create_lead(
    tx: Transaction, actor: Actor, *, command: CreateLead, trace: Mapping[str, str], source: str = DEFAULT_SOURCE
) -> LeadCreated:
    """Write the lead (`new`), its job (`queued`), its outbox event and the first entry of its timeline.

    Args: trace: where the request came from, handed on to the job. source: what `source` is when not given.

    Raises: DuplicateLead, UnknownOwner.
    """
    values = _new_row(actor, command, source)
    try:
        inserted = await store.insert_lead(tx, values)
    except IntegrityError as error:
        raise await _named(tx, actor, error, values["email_norm"]) from error
    if not inserted:
        raise await _duplicate(tx, actor, values["email_norm"])
    lead_id = values["id"]
    (job_id,) = await jobs.enqueue(tx, actor, jobs=[enrichment_job(lead_id, trace)])
    await store.record(tx, actor, [lead_id], LeadEventKind.CREATED, {"source": values["source"], "jobId": str(job_id)})
    return LeadCreated(lead_id=lead_id, job_id=job_id)


async def update_lead(
    tx: Transaction, actor: Actor, *, lead_id: UUID, command: UpdateLead, expected_version: int | None
) -> LeadView:
    """Change what the command gives. A change that changes nothing keeps the version; None expects any version.

    Raises: LeadNotFound, LeadChanged, DuplicateLead, UnknownOwner, InvalidInput: for a phone that does not fit.
    """
    stored = await store.lock(tx, actor.workspace_id, lead_id)
    if stored is None:
        raise LeadNotFound
    if expected_version is not None and stored.version != expected_version:
        raise LeadChanged(stored.version)
    before = stored._asdict()
    changes = {name: value for name, value in _changes(before, command).items() if _differs(before[name], value)}
    if changes:
        await _write(tx, actor, lead_id, before, changes)
        data = {name: [before[name], changes[name]] for name in changes if name not in ("email_norm", "search_text")}
        await store.record(tx, actor, [lead_id], LeadEventKind.CHANGED, {"changes": _plain(data)})
    return await queries.get_lead(tx, actor, lead_id=lead_id)


async def delete_lead(tx: Transaction, actor: Actor, *, lead_id: UUID, expected_version: int | None = None) -> None:
    """Delete a lead; it can be restored for as long as the settings say. Raises: LeadNotFound, LeadChanged."""
    stored = await store.lock(tx, actor.workspace_id, lead_id)
    if stored is None:
        raise LeadNotFound
    if expected_version is not None and stored.version != expected_version:
        raise LeadChanged(stored.version)
    await store.set_deleted(tx, actor.workspace_id, lead_id, deleted=True)
    await store.record(tx, actor, [lead_id], LeadEventKind.DELETED, {})


async def restore_lead(
    tx: Transaction, actor: Actor, *, lead_id: UUID, trace: Mapping[str, str] = _NO_TRACE
) -> LeadView:
    """Bring a deleted lead back; restoring a living one changes nothing.

    A job that met the lead deleted did nothing, so one whose enrichment had not ended is enriched afresh.

    Raises: LeadNotFound, DuplicateLead: when another lead has the address by now.
    """
    stored = await store.lock(tx, actor.workspace_id, lead_id, deleted=True)
    if stored is None:
        return await queries.get_lead(tx, actor, lead_id=lead_id)
    try:
        async with tx.savepoint():
            await store.set_deleted(tx, actor.workspace_id, lead_id, deleted=False)
    except IntegrityError as error:
        raise await _named(tx, actor, error, stored.email_norm) from error
    await store.record(tx, actor, [lead_id], LeadEventKind.RESTORED, {})
    if stored.status in (LeadStatus.NEW, LeadStatus.PROCESSING):
        await request_enrichment(tx, actor, lead_id=lead_id, trace=trace)
    return await queries.get_lead(tx, actor, lead_id=lead_id)


async def request_enrichment(tx: Transaction, actor: Actor, *, lead_id: UUID, trace: Mapping[str, str]) -> UUID:
    """Enrich a lead again. Returns the id of the job. Raises: LeadNotFound."""
    if await store.lock(tx, actor.workspace_id, lead_id) is None:
        raise LeadNotFound
    (job_id,) = await jobs.enqueue(tx, actor, jobs=[enrichment_job(lead_id, trace)])
    await store.record(tx, actor, [lead_id], LeadEventKind.ENRICHMENT_REQUESTED, {"jobId": str(job_id)})
    return job_id


async def hold_lead(tx: Transaction, actor: Actor, *, lead_id: UUID) -> bool:
    """Lock a living lead until this transaction ends; False when it is gone."""
    return await store.lock(tx, actor.workspace_id, lead_id) is not None


async def move(
    tx: Transaction,
    actor: Actor,
    *,
    lead_id: UUID,
    status: LeadStatus,
    event: LeadEventKind,
    data: Mapping[str, Any],
    error: str | None = None,
) -> bool:
    """Take a lead to `status` along the declared transitions, with an entry in its timeline.

    Returns False, and changes nothing, when the lead is gone or in a state that does not lead there.
    """
    expected = {source for source, targets in TRANSITIONS.items() if status in targets}
    moved = await store.set_status(tx, actor.workspace_id, lead_id, expected=expected, status=status, error=error)
    if moved:
        await store.record(tx, actor, [lead_id], event, data)
    return moved


def enrichment_job(lead_id: UUID, trace: Mapping[str, str]) -> NewJob:
    """The job that enriches a lead."""
    return NewJob(ENRICH_LEAD, {"leadId": str(lead_id)}, lead_id, trace)


def _new_row(actor: Actor, command: CreateLead, source: str) -> dict[str, Any]:
    email = command.email
    return {
        "workspace_id": actor.workspace_id,
        "id": new_id(),
        "email": email.display,
        "email_norm": email.norm,
        "first_name": command.first_name,
        "last_name": command.last_name,
        "company": command.company,
        "job_title": command.job_title,
        "phone": command.phone,
        "website": command.website,
        "country": command.country,
        "source": command.source or source,
        "custom_fields": command.custom_fields,
        "owner_id": command.owner_id,
        "search_text": search_text(command.first_name, command.last_name, email.display, command.company),
    }


def _changes(before: Mapping[Any, Any], command: UpdateLead) -> dict[str, Any]:
    given = {name: getattr(command, name) for name in command.model_fields_set}
    if (email := given.pop("email", None)) is not None:
        given |= {"email": email.display, "email_norm": email.norm}
    if given.get("phone") is not None:
        given["phone"] = resolve_phone(given["phone"], given.get("country", before["country"]))
    if "custom_fields" in given:
        given["custom_fields"] = merge_custom_fields(before["custom_fields"], given["custom_fields"])
    after = {**before, **given}
    given["search_text"] = search_text(*(after[name] for name in _SEARCHED))
    return given


async def _write(
    tx: Transaction, actor: Actor, lead_id: UUID, before: Mapping[Any, Any], changes: Mapping[str, Any]
) -> None:
    try:
        async with tx.savepoint():
            await store.update_lead(tx, actor.workspace_id, lead_id, expected_version=before["version"], values=changes)
    except IntegrityError as error:
        raise await _named(tx, actor, error, changes.get("email_norm", before["email_norm"])) from error


async def _duplicate(tx: Transaction, actor: Actor, email_norm: str) -> Exception:
    found = await store.existing_id(tx, actor.workspace_id, email_norm)
    if found is None:
        return Unavailable("The lead with this address was deleted just now. Try again.")
    return DuplicateLead(found)


async def _named(tx: Transaction, actor: Actor, error: IntegrityError, email_norm: str) -> Exception:
    constraint = constraint_of(error)
    if constraint == "leads_workspace_id_owner_id_fkey":
        return UnknownOwner()
    if constraint == "leads_email_norm_key":
        return await _duplicate(tx, actor, email_norm)
    return error


def _differs(before: object, after: object) -> bool:
    """Whether a value changes; Python holds 1 and true for equal, JSON does not."""
    if isinstance(before, dict):
        return json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)
    return before != after


def _plain(data: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: [str(value) if isinstance(value, UUID) else value for value in pair] for name, pair in data.items()}
