"""Decisions of people about found values: pin one, correct it, reject it; each is a changeset that can be undone."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.companies import service as companies
from leadflood.domains.companies.errors import CompanyNotFound
from leadflood.domains.companies.events import COMPANY
from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.enrichment.contracts.decisions import AcceptedFacts, DecidedField, DecisionRequest
from leadflood.domains.enrichment.errors import FactFieldNotFound, FactNotFound, OwnField
from leadflood.domains.enrichment.events import DECISION, VALUE_DECIDED_KIND, EnrichmentAuditAction
from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.models.decisions import UNDONE, Decision, FieldDecisions, Subject, typed
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.facts import MANUAL, Fact, Receipt
from leadflood.domains.enrichment.queries.decisions import company_suggestions, field_values
from leadflood.domains.enrichment.registry import standard_rules
from leadflood.domains.enrichment.service.choosing import choose_for_companies, choose_for_leads
from leadflood.domains.enrichment.store import decisions as store
from leadflood.domains.enrichment.store.competing import StoredFact, competing_company_facts, competing_facts
from leadflood.domains.enrichment.timeline import record_in_timelines
from leadflood.domains.identity.service import audit
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.models import ChangesetKind
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.service import changesets
from leadflood.domains.leads.service import found_values as leads_values
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.changesets import ChangesetSubject, StoredChange, Undone, UndoStep
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.ids import new_id
from leadflood.kernel.text import InvalidValue

_AT_ONCE: Final = 100
_LABELS: Final = {
    Decision.PINNED: "Pin a found value",
    Decision.UNPINNED: "Unpin a found value",
    Decision.CORRECTED: "Correct a found value",
    Decision.CORRECTION_REMOVED: "Remove a correction",
    Decision.REJECTED: "Reject a found value",
    Decision.REJECTION_REMOVED: "Remove a rejection",
}


async def decide_for_lead(
    tx: Transaction, actor: Actor, *, lead_id: UUID, field: str, request: DecisionRequest, trace: Mapping[str, str]
) -> DecidedField:
    """Pin, correct or reject a found value of a lead, or revoke such a decision.

    Raises: LeadNotFound, FactFieldNotFound, FactNotFound, OwnField: people edit it on the lead. InvalidInput.
    """
    actor.require(LEADS_WRITE)
    if not await leads.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        raise LeadNotFound
    return await _decide(tx, actor, Subject(SubjectKind.LEAD, lead_id), field, request, trace)


async def decide_for_company(
    tx: Transaction, actor: Actor, *, company_id: UUID, field: str, request: DecisionRequest, trace: Mapping[str, str]
) -> DecidedField:
    """The same of a company. Raises: CompanyNotFound, FactFieldNotFound, FactNotFound, InvalidInput."""
    actor.require(COMPANIES_WRITE)
    if await companies.lock_if_active(tx, actor, company_id=company_id) is None:
        raise CompanyNotFound
    return await _decide(tx, actor, Subject(SubjectKind.COMPANY, company_id), field, request, trace)


async def _decide(
    tx: Transaction, actor: Actor, subject: Subject, name: str, request: DecisionRequest, trace: Mapping[str, str]
) -> DecidedField:
    catalog = CATALOGS[subject.kind]
    if name not in catalog:
        raise FactFieldNotFound(catalog.names())
    field = catalog[name]
    before = await store.read(tx, actor, subject, name)
    value = await _apply(_Work(tx, actor, subject, field, before), request)
    after = await store.read(tx, actor, subject, name)
    changeset_id = None
    if after.stored != before.stored:
        image = {"kind": subject.kind.value, "field": name}
        change = StoredChange(subject.id, "updated", {**image, **before.stored}, {**image, **after.stored})
        changeset_id = await _changeset(tx, actor, change, _LABELS[request.decision])
        await _choose_again(tx, actor, [subject], trace)
        entry = {"decision": request.decision.value, "field": name, "changesetId": str(changeset_id)}
        entries = {subject.id: {**entry, "value": value}}
        await record_in_timelines(tx, actor, subject.kind, VALUE_DECIDED_KIND, entries)
        await audit.record(
            tx,
            actor,
            action=EnrichmentAuditAction(f"enrichment.value_{request.decision}"),
            subject_type=LEAD if subject.kind is SubjectKind.LEAD else COMPANY,
            subject_id=subject.id,
            data={"count": 1, **entry},
        )
    values = await field_values(tx, actor, subject=subject, field=name)
    return DecidedField(subject=subject.kind, id=subject.id, field=name, changeset_id=changeset_id, values=values)


async def accept_for_company(
    tx: Transaction, actor: Actor, *, company_id: UUID, trace: Mapping[str, str]
) -> AcceptedFacts:
    """Pin all values of a company that its leads are only offered, as one change. Raises: CompanyNotFound."""
    actor.require(COMPANIES_WRITE)
    if await companies.lock_if_active(tx, actor, company_id=company_id) is None:
        raise CompanyNotFound
    subject = Subject(SubjectKind.COMPANY, company_id)
    before: dict[str, JsonValue] = {}
    after: dict[str, JsonValue] = {}
    for field, value in (await company_suggestions(tx, actor, company_id=company_id)).items():
        decided = await store.read(tx, actor, subject, field.name)
        await _Work(tx, actor, subject, field, decided).pin(DecisionRequest(Decision.PINNED, value))
        before[field.name] = decided.stored
        after[field.name] = (await store.read(tx, actor, subject, field.name)).stored
    names = sorted(after)
    if not names:
        return AcceptedFacts(id=company_id, fields=[], changeset_id=None)
    image = {"kind": subject.kind.value}
    change = StoredChange(company_id, "updated", {**image, "fields": before}, {**image, "fields": after})
    changeset_id = await _changeset(tx, actor, change, "Accept found values of a company")
    await _choose_again(tx, actor, [subject], trace)
    named: dict[str, JsonValue] = {"decision": Decision.PINNED.value, "changesetId": str(changeset_id)}
    for name in names:
        await record_in_timelines(tx, actor, subject.kind, VALUE_DECIDED_KIND, {company_id: {**named, "field": name}})
    await audit.record(
        tx,
        actor,
        action=EnrichmentAuditAction.VALUES_ACCEPTED,
        subject_type=COMPANY,
        subject_id=company_id,
        data={"count": len(names), **named},
    )
    return AcceptedFacts(id=company_id, fields=names, changeset_id=changeset_id)


async def _changeset(tx: Transaction, actor: Actor, change: StoredChange, label: str) -> UUID:
    """Record decisions about one subject as a changeset."""
    changeset_id = await changesets.open_changeset(
        tx, actor, kind=ChangesetKind.BULK, label=label, wanted=1, subject=DECISION
    )
    await changesets.record_changes(tx, actor, changeset_id=changeset_id, changes=[change])
    await changesets.close_changeset(tx, actor, changeset_id=changeset_id)
    return changeset_id


async def _apply(work: "_Work", request: DecisionRequest) -> FactValue | None:
    """Write a decision. Returns the value that it is about."""
    match request.decision:
        case Decision.PINNED:
            return await work.pin(request)
        case Decision.CORRECTED:
            return await work.correct(request)
        case Decision.REJECTED:
            return await work.reject(request)
        case Decision.UNPINNED:
            return await work.unpin(request)
        case Decision.CORRECTION_REMOVED:
            return await work.remove_correction(request)
        case _:
            return await work.remove_rejection(request)


class _Work:
    """Writes decisions about one field of a locked subject."""

    def __init__(
        self,
        tx: Transaction,
        actor: Actor,
        subject: Subject,
        field: FactField,
        before: FieldDecisions,
    ) -> None:
        self._tx, self._actor, self._subject, self._field, self._before = tx, actor, subject, field, before

    async def pin(self, request: DecisionRequest) -> FactValue:
        """Pin a candidate, whether it was rejected or not."""
        best = max(await self._facts(request), key=lambda one: one.fact.confidence)
        await store.unreject(self._tx, self._actor, self._subject, self._field.name, key=best.fact.key)
        if any(pin["value_id"] == str(best.value_id) for pin in self._before.pins):
            return best.fact.value
        if not self._field.multiple:
            await self._clear(keep=[str(best.lookup_id)] if best.source == MANUAL else [])
        await self._pin(best.fact, best.lookup_id, best.value_id)
        return best.fact.value

    async def correct(self, request: DecisionRequest) -> FactValue:
        """Write a value of the person, which is pinned."""
        if self._subject.kind is SubjectKind.LEAD and self._field.fills is not None:
            raise OwnField(self._field.fills)
        receipt = Receipt("manual", "Entered by a person.", utc_now())
        fact = Fact.stored(self._field, self._normal(request.value), 1.0, receipt)
        if any(one.source == MANUAL and one.fact.value == fact.value for one in await self._known()):
            return fact.value
        lookup_id, value_id = await store.correct(self._tx, self._actor, self._subject, fact)
        if not self._field.multiple:
            await self._clear(keep=[str(lookup_id)])
        await self._pin(fact, lookup_id, value_id)
        return fact.value

    async def reject(self, request: DecisionRequest) -> FactValue:
        """Reject a value of its sources, or of one."""
        found = [one for one in await self._facts(request) if one.source != MANUAL]
        if not found:
            raise FactNotFound
        fact = found[0].fact
        await store.reject(self._tx, self._actor, self._subject, fact, sorted({one.source for one in found}))
        lookups = {str(one.lookup_id) for one in found}
        values = {str(one.value_id) for one in found}
        pinned = [pin["item"] for pin in self._before.pins if pin["lookup_id"] in lookups and pin["value_id"] in values]
        await store.unpin(self._tx, self._actor, self._subject, self._field.name, pinned)
        return fact.value

    async def unpin(self, request: DecisionRequest) -> FactValue | None:
        """Remove the pins of found values, or of one of several."""
        wanted = None if request.value is None else self._item(request.value)
        items = [
            pin["item"]
            for pin in self._before.pins
            if pin["lookup_id"] not in self._before.corrections and wanted in (None, pin["item"])
        ]
        await store.unpin(self._tx, self._actor, self._subject, self._field.name, items)
        return request.value

    async def remove_correction(self, request: DecisionRequest) -> FactValue | None:
        """Remove the corrections, or one of several."""
        wanted = None if request.value is None else self._item(request.value)
        gone = [
            pin
            for pin in self._before.pins
            if pin["lookup_id"] in self._before.corrections and wanted in (None, pin["item"])
        ]
        await store.unpin(self._tx, self._actor, self._subject, self._field.name, [pin["item"] for pin in gone])
        left = [item for item in self._before.corrections if item not in {pin["lookup_id"] for pin in gone}]
        await self._set_corrections(left)
        return request.value

    async def remove_rejection(self, request: DecisionRequest) -> FactValue | None:
        """Let a rejected value compete again."""
        key = None if request.value is None else self._item(request.value)
        name = self._field.name
        await store.unreject(self._tx, self._actor, self._subject, name, key=key, source=request.source)
        return request.value

    async def _clear(self, *, keep: Sequence[str]) -> None:
        """Remove the pin of a field with one value, and its corrections but for some."""
        await store.unpin(self._tx, self._actor, self._subject, self._field.name)
        await self._set_corrections(keep)

    async def _set_corrections(self, lookup_ids: Sequence[str]) -> None:
        """Void the other corrections: by a mark that is that of no retraction."""
        name = self._field.name
        await store.set_corrections(self._tx, self._actor, self._subject, name, lookup_ids, void_id=new_id())

    async def _pin(self, fact: Fact, lookup_id: UUID, value_id: UUID) -> None:
        item = fact.key if self._field.multiple else ""
        name = self._field.name
        await store.pin(self._tx, self._actor, self._subject, name, item=item, lookup_id=lookup_id, value_id=value_id)

    async def _known(self) -> list[StoredFact]:
        """The facts of the field, rejected ones included."""
        workspace_id, subject_id = self._actor.workspace_id, self._subject.id
        if self._subject.kind is SubjectKind.LEAD:
            known = (await competing_facts(self._tx, workspace_id, [subject_id]))[subject_id]
        else:
            known = await competing_company_facts(self._tx, workspace_id, subject_id)
        return [one for one in known.every if one.fact.field is self._field]

    async def _facts(self, request: DecisionRequest) -> list[StoredFact]:
        """The facts with the value of a request. Raises: FactNotFound."""
        key = self._item(request.value)
        found = [one for one in await self._known() if one.fact.key == key and request.source in (None, one.source)]
        if not found:
            raise FactNotFound
        return found

    def _item(self, value: FactValue | None) -> str:
        return self._field.compare(self._normal(value))

    def _normal(self, value: FactValue | None) -> FactValue:
        """Raises: InvalidInput."""
        try:
            return self._field.normalise(typed(self._field, value or "") if isinstance(value, str | None) else value)
        except InvalidValue as error:
            fault = FieldError("/value", error.code, str(error))
            raise InvalidInput(f"This is no value of the field {self._field.label}.", errors=[fault]) from error


async def _choose_again(tx: Transaction, actor: Actor, subjects: Sequence[Subject], trace: Mapping[str, str]) -> None:
    lead_ids = [subject.id for subject in subjects if subject.kind is SubjectKind.LEAD]
    company_ids = [subject.id for subject in subjects if subject.kind is SubjectKind.COMPANY]
    await choose_for_leads(tx, actor, lead_ids=lead_ids, rules=standard_rules())
    if company_ids:
        await choose_for_companies(tx, actor, company_ids=company_ids, rules=standard_rules(), trace=trace)


async def _undo(tx: Transaction, step: UndoStep) -> Undone:
    """Restore the decisions about fields, but for those that were decided again since."""
    changes = await changesets.changes_of(tx, step)
    subjects = {
        change.subject_id: Subject(SubjectKind(str(change.after["kind"])), change.subject_id) for change in changes
    }
    found = {
        *await leads_values.lock_any(
            tx, step.actor, lead_ids=[item.id for item in subjects.values() if item.lead_id is not None]
        ),
        *await companies.lock_any(
            tx, step.actor, company_ids=[item.id for item in subjects.values() if item.company_id is not None]
        ),
    }
    restored: list[Subject] = []
    kept: dict[UUID, Sequence[str]] = {}
    for change in changes:
        subject = subjects[change.subject_id]
        if subject.id not in found:
            continue
        names = []
        for name, before, after in _images(change):
            if (await store.read(tx, step.actor, subject, name)).stored != after.stored:
                kept[subject.id] = [*kept.get(subject.id, ()), name]
                continue
            await store.restore(tx, step.actor, subject, name, before, void_id=new_id())
            names.append(name)
        for name in names:
            entry = {"decision": UNDONE, "field": name, "changesetId": str(step.changeset_id)}
            await record_in_timelines(tx, step.by, subject.kind, VALUE_DECIDED_KIND, {subject.id: entry})
        if names:
            restored.append(subject)
    await _choose_again(tx, step.actor, restored, step.trace)
    return Undone(len(restored), kept)


def _images(change: StoredChange) -> list[tuple[str, FieldDecisions, FieldDecisions]]:
    """The fields of a change, with the decisions before and after it."""
    before, after = dict(change.before or {}), dict(change.after)
    if "fields" not in after:
        return [(str(after["field"]), FieldDecisions.of(before), FieldDecisions.of(after))]
    earlier: Any = before["fields"]
    later: Any = after["fields"]
    return [(name, FieldDecisions.of(earlier[name]), FieldDecisions.of(later[name])) for name in sorted(later)]


async def _permissions(tx: Transaction, actor: Actor, changeset_id: UUID) -> Collection[Permission]:
    changes = await changesets.changes_in(tx, actor, changeset_id=changeset_id)
    return [COMPANIES_WRITE] if any(change.after["kind"] == SubjectKind.COMPANY for change in changes) else []


DECISION_CHANGESETS: Final = ChangesetSubject(subject=DECISION, undo=_undo, chunk=_AT_ONCE, permissions=_permissions)
