"""Verbs on retractions: count, retract; and the undo of a retraction as a changeset."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.companies import service as companies
from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.enrichment.contracts.retractions import RetractionEstimate, RetractionView, RetractValues
from leadflood.domains.enrichment.errors import NothingToRetract, ValueCountExceeded
from leadflood.domains.enrichment.events import (
    RETRACT_VALUES,
    RETRACTION,
    VALUES_RESTORED_KIND,
    VALUES_RETRACTED_KIND,
    EnrichmentAuditAction,
    RetractValuesPayload,
)
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.retractions import (
    COMPANIES_AT_ONCE,
    LEADS_AT_ONCE,
    RetractionImage,
    RetractionScope,
)
from leadflood.domains.enrichment.queries.retractions import get_retraction
from leadflood.domains.enrichment.registry import standard_rules
from leadflood.domains.enrichment.service.choosing import choose_for_companies, choose_for_leads
from leadflood.domains.enrichment.store import retractions as store
from leadflood.domains.enrichment.store.decisions import give_pins
from leadflood.domains.enrichment.store.retractions import StoredRetraction
from leadflood.domains.enrichment.timeline import record_in_timelines
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.models import ChangesetKind
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.service import changesets
from leadflood.domains.leads.service import found_values as leads_values
from leadflood.kernel.actor import Actor, ActorKind, Permission
from leadflood.kernel.changesets import ChangesetSubject, StoredChange, Undone, UndoStep
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed

_AT_ONCE: Final = {SubjectKind.LEAD: LEADS_AT_ONCE, SubjectKind.COMPANY: COMPANIES_AT_ONCE}
_KINDS: Final = (SubjectKind.LEAD, SubjectKind.COMPANY)


async def estimate(tx: Transaction, actor: Actor, *, command: RetractValues) -> RetractionEstimate:
    """Count what would be retracted."""
    actor.require(LEADS_WRITE)
    scope = _scope(command)
    found = await store.count(tx, actor.workspace_id, scope)
    return RetractionEstimate(
        values=found.found, leads=found.leads, companies=found.companies, chosen=found.chosen, until=scope.until
    )


async def retract(tx: Transaction, actor: Actor, *, command: RetractValues, trace: Mapping[str, str]) -> RetractionView:
    """Retract values: of up to 500 leads or 100 companies directly, of more by a job. Undone as a changeset.

    Other values are chosen, and what the leads have of them follows in the same transaction.

    Raises: NothingToRetract, ValueCountExceeded.
    """
    actor.require(LEADS_WRITE)
    scope = _scope(command)
    found = await store.count(tx, actor.workspace_id, scope)
    if not found.found:
        raise NothingToRetract
    if found.companies:
        actor.require(COMPANIES_WRITE)
    if command.expected_count is not None and found.found > command.expected_count:
        raise ValueCountExceeded(command.expected_count)
    label = f"Retract values of {scope.source}"
    retraction_id = await changesets.open_changeset(
        tx, actor, kind=ChangesetKind.BULK, label=label, wanted=found.leads + found.companies, subject=RETRACTION
    )
    await store.insert(tx, actor, retraction_id, scope)
    if found.leads > LEADS_AT_ONCE or found.companies > COMPANIES_AT_ONCE:
        job = NewJob(RETRACT_VALUES, RetractValuesPayload(retraction_id=retraction_id), retraction_id, trace)
        (job_id,) = await jobs.enqueue(tx, actor, jobs=[job])
        await store.set_job(tx, actor.workspace_id, retraction_id, job_id)
        await changesets.attach_job(tx, actor, changeset_id=retraction_id, job_id=job_id)
    else:
        while await retract_more(tx, actor, retraction_id=retraction_id, trace=trace):
            pass
    data: dict[str, JsonValue] = {
        "count": found.found,
        "source": scope.source,
        "changesetId": str(retraction_id),
        "since": scope.since.isoformat(),
    }
    action = EnrichmentAuditAction.VALUES_RETRACTED
    await audit.record(tx, actor, action=action, subject_type=RETRACTION, subject_id=retraction_id, data=data)
    return await get_retraction(tx, actor, retraction_id=retraction_id)


async def retract_more(tx: Transaction, actor: Actor, *, retraction_id: UUID, trace: Mapping[str, str]) -> bool:
    """Retract the values of the next leads, then companies. Returns whether there may be more."""
    retraction = await store.lock(tx, actor.workspace_id, retraction_id)
    if retraction is None:
        return False
    at = retraction.position or {"kind": SubjectKind.LEAD.value, "after": ""}
    kind, limit = SubjectKind(at["kind"]), _AT_ONCE[SubjectKind(at["kind"])]
    after = UUID(at["after"]) if at["after"] else None
    workspace_id, scope = actor.workspace_id, retraction.scope
    subjects = await store.next_subjects(tx, workspace_id, scope, kind, after=after, limit=limit)
    found = await _retract(tx, actor, retraction, kind, subjects, trace) if subjects else 0
    more = len(subjects) == limit
    position = {"kind": kind.value, "after": str(subjects[-1])} if more else {"kind": _KINDS[-1].value, "after": ""}
    counts = {"found": found, "leads" if kind is SubjectKind.LEAD else "companies": len(subjects)}
    expect_changed(await store.advance(tx, workspace_id, retraction_id, counts, position=position))
    if more or kind is not _KINDS[-1]:
        return True
    await end(tx, actor, retraction_id=retraction_id)
    return False


async def end(tx: Transaction, actor: Actor, *, retraction_id: UUID) -> None:
    """End a retraction, finished or not. What was retracted can be undone."""
    if await store.end(tx, actor.workspace_id, retraction_id):
        await changesets.close_changeset(tx, actor, changeset_id=retraction_id)


async def _retract(
    tx: Transaction,
    actor: Actor,
    retraction: StoredRetraction,
    kind: SubjectKind,
    subjects: Sequence[UUID],
    trace: Mapping[str, str],
) -> int:
    """Retract the values about some subjects, and choose again. Returns the number of values."""
    workspace_id = actor.workspace_id
    others: list[UUID] = []
    if kind is SubjectKind.LEAD:
        await leads_values.lock_any(tx, actor, lead_ids=subjects)
    else:
        others = await store.sharing(tx, workspace_id, retraction.scope, subjects)
        await companies.lock_any(tx, actor, company_ids=[*subjects, *others])
    rows = await store.mark(tx, workspace_id, retraction.id, retraction.scope, subjects)
    lookups = sorted({row.lookup_id for row in rows})
    pins = await store.take_pins(tx, workspace_id, retraction.id, lookups)
    if kind is SubjectKind.LEAD:
        await choose_for_leads(tx, actor, lead_ids=subjects, rules=standard_rules())
    else:
        everyone = sorted({*subjects, *others})
        await choose_for_companies(tx, actor, company_ids=everyone, rules=standard_rules(), trace=trace)
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row.subject_id, []).append(row)
    by = Actor.requester(workspace_id, ActorKind(retraction.actor_kind), retraction.actor_id)
    named = {"source": retraction.scope.source, "changesetId": str(retraction.id)}
    entries = {key: {**named, "fields": sorted({row.field for row in values})} for key, values in found.items()}
    await record_in_timelines(tx, by, kind, VALUES_RETRACTED_KIND, entries)
    changes = [
        StoredChange(subject_id, "updated", _image(values, pins, others).stored, {"values": len(values)})
        for subject_id, values in found.items()
    ]
    await changesets.record_changes(tx, actor, changeset_id=retraction.id, changes=changes)
    return len(rows)


def _image(values: Sequence[Row], pins: Sequence[Mapping[str, Any]], others: Sequence[UUID]) -> RetractionImage:
    lookups = sorted({row.lookup_id for row in values})
    return RetractionImage(lookups, [pin for pin in pins if UUID(pin["lookup_id"]) in lookups], others)


async def _undo(tx: Transaction, step: UndoStep) -> Undone:
    """Restore the values that a retraction took from some subjects, and choose again."""
    actor, workspace_id = step.actor, step.actor.workspace_id
    images = [RetractionImage.of(change.before or {}) for change in await changesets.changes_of(tx, step)]
    lookups = sorted({item for image in images for item in image.lookups})
    lead_ids, owners = await store.owners(tx, workspace_id, lookups)
    used: dict[UUID, set[UUID]] = {}
    for image in images:
        for other in image.others:
            used.setdefault(other, set()).update(image.lookups)
    await leads_values.lock_any(tx, actor, lead_ids=lead_ids)
    company_ids = await companies.lock_any(tx, actor, company_ids={*owners, *used})
    await store.unmark(tx, workspace_id, step.changeset_id, lookups)
    await give_pins(tx, workspace_id, [pin for image in images for pin in image.pins], over_pins=False)
    rules = standard_rules()
    for start in range(0, len(lead_ids), LEADS_AT_ONCE):
        await choose_for_leads(tx, actor, lead_ids=lead_ids[start : start + LEADS_AT_ONCE], rules=rules)
    if company_ids:
        await choose_for_companies(tx, actor, company_ids=company_ids, rules=rules, used=used, trace=step.trace)
    entry = {"changesetId": str(step.changeset_id)}
    await record_in_timelines(tx, step.by, SubjectKind.LEAD, VALUES_RESTORED_KIND, dict.fromkeys(lead_ids, entry))
    restored = dict.fromkeys(company_ids & set(owners), entry)
    await record_in_timelines(tx, step.by, SubjectKind.COMPANY, VALUES_RESTORED_KIND, restored)
    await store.set_undone(tx, workspace_id, step.changeset_id)
    return Undone(len(images))


def _scope(command: RetractValues) -> RetractionScope:
    now = utc_now()
    until = min(command.until, now) if command.until is not None else now
    return RetractionScope(command.source, command.since, until, command.field, command.lead_id, command.company_id)


async def _permissions(tx: Transaction, actor: Actor, changeset_id: UUID) -> Collection[Permission]:
    retraction = await get_retraction(tx, actor, retraction_id=changeset_id)
    return [COMPANIES_WRITE] if retraction.companies else []


RETRACTION_CHANGESETS: Final = ChangesetSubject(
    subject=RETRACTION, undo=_undo, chunk=COMPANIES_AT_ONCE, permissions=_permissions
)
