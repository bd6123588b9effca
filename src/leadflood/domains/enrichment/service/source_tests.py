"""Tests of sources: one call of a source about a lead or company, which budgets limit as any other."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

from leadflood.domains.companies import queries as companies
from leadflood.domains.companies.models import company_domain
from leadflood.domains.enrichment.contracts.source_tests import SourceTestView, StartSourceTest
from leadflood.domains.enrichment.engine.lead_questions import given_values
from leadflood.domains.enrichment.errors import KeyMissing, PriceMissing, SourceNotTestable, SourceWithoutKey
from leadflood.domains.enrichment.events import SOURCE, TEST_SOURCE, EnrichmentAuditAction, SourceTestPayload
from leadflood.domains.enrichment.models import SubjectKind
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.choosing import FactCandidate
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue
from leadflood.domains.enrichment.models.follow_ups import stored_step
from leadflood.domains.enrichment.models.policies import ChoiceRules
from leadflood.domains.enrichment.models.runs import Step, StepState
from leadflood.domains.enrichment.models.source_tests import SourceTestResult
from leadflood.domains.enrichment.models.sources import Charge
from leadflood.domains.enrichment.permissions import SOURCES_WRITE
from leadflood.domains.enrichment.queries.source_settings import provider_keys
from leadflood.domains.enrichment.queries.source_tests import latest_test
from leadflood.domains.enrichment.service.source_settings import find_source
from leadflood.domains.enrichment.store import source_tests as store
from leadflood.domains.enrichment.store.competing import competing_company_facts, competing_facts
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob, RunningJob
from leadflood.domains.leads import queries as leads
from leadflood.domains.spending.queries import price_of
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.ids import new_id
from leadflood.kernel.text import InvalidValue

_GONE: Final = "The lead or company was deleted before the source was asked."
_STOPPED: Final = "The source is not set up any longer."


@dataclass(frozen=True, slots=True)
class SourceTestSubject:
    """A lead or company: what people wrote of it, and what was found."""

    given: Mapping[FactField, FactValue]
    stored: Sequence[FactCandidate]


async def start(
    tx: Transaction, actor: Actor, *, source: str, command: StartSourceTest, trace: Mapping[str, str]
) -> SourceTestView:
    """Request one call of a source about a lead or company. It takes the place of the test before.

    The source need not be enabled. An answer that is still good is shown instead of asking again.

    Raises: SourceNotFound, SourceNotTestable, ModelMissing, KeyMissing, PriceMissing, InvalidInput: no such lead or
        company.
    """
    actor.require(SOURCES_WRITE)
    try:
        provider, found = await find_source(tx, actor, source)
    except SourceWithoutKey:
        raise SourceNotTestable from None
    if found.spec.reads_pages:
        raise SourceNotTestable
    if provider.needs_key and provider.name not in await provider_keys(tx, actor.workspace_id):
        raise KeyMissing
    if found.spec.charges is not Charge.NEVER and await price_of(tx, actor, source=source) is None:
        raise PriceMissing(found.spec.label)
    kind, job_id = found.spec.subject, new_id()
    subject_id = await _subject(tx, actor, kind, command.about)
    await store.request(tx, actor.workspace_id, source=source, kind=kind, subject_id=subject_id, job_id=job_id)
    payload = SourceTestPayload(source=source, subject=kind, subject_id=subject_id)
    await jobs.enqueue(tx, actor, jobs=[NewJob(TEST_SOURCE, payload, subject_id, trace, job_id)])
    action = EnrichmentAuditAction.SOURCE_TESTED
    await audit.record(tx, actor, action=action, subject_type=SOURCE, data={"count": 1, "source": source})
    return await latest_test(tx, actor, source=source)


async def begin(
    tx: Transaction, actor: Actor, *, payload: SourceTestPayload, rules: ChoiceRules
) -> SourceTestSubject | None:
    """Read the lead or company; None if it was deleted meanwhile."""
    subject_id = payload.subject_id
    if payload.subject is SubjectKind.LEAD:
        lead = (await leads.active_leads(tx, actor, lead_ids=[subject_id])).get(subject_id)
        if lead is None:
            return None
        stored = (await competing_facts(tx, actor.workspace_id, [subject_id]))[subject_id].facts
        return SourceTestSubject(given_values(lead), [one.candidate(rules) for one in stored])
    domain = (await companies.main_domains(tx, actor.workspace_id, [subject_id])).get(subject_id)
    if domain is None:
        return None
    stored = (await competing_company_facts(tx, actor.workspace_id, subject_id)).facts
    return SourceTestSubject({fields.DOMAIN: domain}, [one.candidate(rules) for one in stored])


async def is_requested(tx: Transaction, actor: Actor, *, source: str, job_id: UUID) -> bool:
    """Whether the test of a job is still the one that was requested last."""
    return await store.is_requested(tx, actor.workspace_id, source=source, job_id=job_id)


async def finish(
    tx: Transaction, actor: Actor, ended: Sequence[tuple[RunningJob, tuple[str, SourceTestResult]]]
) -> None:
    """Store the results of tests."""
    for job, (source, result) in ended:
        await store.write(
            tx,
            actor.workspace_id,
            source=source,
            job_id=job.id,
            result={
                "step": stored_step(result.step),
                "calls": [asdict(call) for call in result.calls],
                "values": [
                    {"field": fact.field.name, "value": fact.value, "confidence": fact.confidence}
                    for fact in result.facts
                ],
            },
            lookup_ids=result.lookup_ids,
        )


def not_asked(source: str, *, deleted: bool) -> SourceTestResult:
    """The result where a subject was deleted, or the source was taken away, before it was asked."""
    return SourceTestResult(Step(source, source, StepState.SKIPPED, _GONE if deleted else _STOPPED))


async def fail(tx: Transaction, actor: Actor, *, source: str, job_id: UUID, error: str) -> None:
    """End the test of a job that failed."""
    step = stored_step(Step(source, source, StepState.FAILED, error))
    result = {"step": step, "calls": [], "values": []}
    await store.write(tx, actor.workspace_id, source=source, job_id=job_id, result=result)


async def _subject(tx: Transaction, actor: Actor, kind: SubjectKind, about: str) -> UUID:
    """The lead with an email, or the company with a domain. Raises: InvalidInput."""
    found: UUID | None
    try:
        if kind is SubjectKind.LEAD:
            found = await leads.lead_with_email(tx, actor, email=parse_email(about.strip()))
            missing = "No lead has this email. Add it first."
        else:
            domain = company_domain(about)
            owner = (await companies.owners_of(tx, actor.workspace_id, [domain])).get(domain)
            found = None if owner is None else owner.company_id
            missing = "No company has this domain. Add it first."
    except InvalidValue as error:
        raise _refused("invalid_format", str(error)) from None
    if found is None:
        raise _refused("not_found", missing)
    return found


def _refused(code: str, message: str) -> InvalidInput:
    return InvalidInput("Fix the errors below.", errors=[FieldError("/about", code, message)])
