"""Runs of companies: one at a time for each, however many leads wait for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from leadflood.domains.companies import queries as company_queries
from leadflood.domains.companies import service as companies
from leadflood.domains.companies.models import CompanyStatus
from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.companies.queries import links
from leadflood.domains.companies.timeline import TIMELINE
from leadflood.domains.enrichment import store
from leadflood.domains.enrichment.events import (
    COMPANY_ENRICHED,
    COMPANY_ENRICHED_KIND,
    ENRICH_COMPANY,
    JOIN_COMPANIES,
    CompanyEnrichedData,
    EnrichCompany,
    EnrichmentAuditAction,
    JoinCompanies,
)
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.choosing import ChosenFact, FactCandidate, choose_all
from leadflood.domains.enrichment.models.company_runs import (
    CompanyRun,
    CompanyRunState,
    CompanyTask,
    InstantFacts,
    failed_until,
    fresh_until,
)
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.follow_ups import follow_up_at, stored_step
from leadflood.domains.enrichment.models.policies import ChoiceRules
from leadflood.domains.enrichment.models.runs import RunResult, StepState
from leadflood.domains.enrichment.queries.aliases import seen_redirect
from leadflood.domains.enrichment.queries.companies import fresh_companies
from leadflood.domains.enrichment.service import avoided
from leadflood.domains.enrichment.service.effective import refresh_companies
from leadflood.domains.enrichment.store import Choice
from leadflood.domains.enrichment.store import company_runs as runs
from leadflood.domains.enrichment.store.competing import competing_company_facts
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob, RunningJob
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import random_unit
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event
from leadflood.kernel.queue.ports import Priority

_INACTIVE: Final = "The company was deleted or merged while its sources were asked."
_ASKED_NOW: Final = "A user asked for it earlier."
_NO_SOURCES: Final = "No source about companies is configured."
_ABANDONED: Final = "The job that asked the sources ended without a result."


@dataclass(frozen=True, slots=True)
class RunEnd:
    """Result of an attempt of a run.

    Attributes:
        used: lookups whose answers the run used.
        instant: facts that no lookup has yet.
        rules: of the choice among all values of the company.
    """

    task: CompanyTask
    result: RunResult
    used: Collection[UUID]
    instant: Sequence[InstantFacts]
    rules: ChoiceRules


async def unread_leads(tx: Transaction, actor: Actor, *, leads: Collection[LeadDetails], sources: str) -> set[UUID]:
    """Those of the leads whose company has no fresh facts, or does not exist yet. Nothing is locked."""
    future = await links.future_companies(tx, actor, leads=leads)
    known = {item.id: item.domain for item in future.values() if item.id is not None and item.domain is not None}
    fresh = await fresh_companies(tx, actor, companies=known, sources=sources)
    return {lead_id for lead_id, item in future.items() if item.id not in fresh}


async def request(
    tx: Transaction,
    actor: Actor,
    *,
    wanted: Mapping[UUID, str],
    sources: str,
    cause: RunningJob,
) -> dict[UUID, CompanyRun]:
    """Start runs of those companies whose facts are not fresh. Returns all live runs, by company.

    `wanted`: main domains of companies by ID. `sources`: see `plan_of`. `cause`: the job for which it is done.
    """
    if not wanted:
        return {}
    started = await runs.request(tx, actor.workspace_id, wanted, sources=sources)
    await _enqueue(tx, actor, started, cause.trace, cause.priority)
    return await runs.live(tx, actor.workspace_id, list(wanted))


async def enrich_company(tx: Transaction, actor: Actor, *, company_id: UUID, trace: Mapping[str, str]) -> UUID:
    """Ask the sources about a company again. Returns the job: that of the live run, if there is one.

    Raises: leadflood.domains.companies.errors.CompanyNotFound.
    """
    actor.require(COMPANIES_WRITE)
    company = await company_queries.get_company(tx, actor, company_id=company_id)
    wanted = {company.id: company.domain}
    await runs.end_scheduled(tx, actor.workspace_id, [company.id], sentence=_ASKED_NOW)
    started = await runs.request(tx, actor.workspace_id, wanted, sources="", newer_than=utc_now())
    await _enqueue(tx, actor, started, trace, Priority.NORMAL)
    run = (await runs.live(tx, actor.workspace_id, [company.id]))[company.id]
    await companies.record_audit(
        tx, actor, EnrichmentAuditAction.COMPANY_REQUESTED, company.id, {"jobId": str(run.job_id)}
    )
    return run.job_id


@dataclass(frozen=True, slots=True)
class BulkRuns:
    """The jobs of companies that are read, and those that need not be read. Others are gone."""

    jobs: Mapping[UUID, UUID]
    fresh: Collection[UUID]


async def request_in_bulk(
    tx: Transaction,
    actor: Actor,
    *,
    company_ids: Sequence[UUID],
    sources: str,
    include_fresh: bool,
    trace: Mapping[str, str],
    free_only: bool = False,
    batch_id: UUID | None = None,
) -> BulkRuns:
    """Start runs of those companies whose facts are not fresh, or of all. A live run of a company counts as its own.

    `free_only`: ask no source that charges. `batch_id`: whose budget they use.
    """
    known = await company_queries.main_domains(tx, actor.workspace_id, company_ids)
    fresh = frozenset() if include_fresh else await fresh_companies(tx, actor, companies=known, sources=sources)
    wanted = {company_id: domain for company_id, domain in known.items() if company_id not in fresh}
    if not wanted:
        return BulkRuns({}, fresh)
    await runs.end_scheduled(tx, actor.workspace_id, wanted, sentence=_ASKED_NOW)
    newer_than = utc_now() if include_fresh else None
    started = await runs.request(
        tx,
        actor.workspace_id,
        wanted,
        sources=sources,
        newer_than=newer_than,
        free_only=free_only,
        batch_id=batch_id,
    )
    await _enqueue(tx, actor, started, trace, Priority.BULK)
    live = await runs.live(tx, actor.workspace_id, list(wanted))
    return BulkRuns({company_id: run.job_id for company_id, run in live.items()}, fresh)


async def only_for_batch(tx: Transaction, actor: Actor, *, batch_id: UUID, company_ids: Collection[UUID]) -> list[UUID]:
    """The jobs of runs that have not begun and that only this batch asked for. The runs are locked: no lead can wait.

    A run that a user asked for, that another batch shares or that leads wait for is not one of them.
    """
    return await runs.only_for_batch(tx, actor.workspace_id, batch_id, company_ids)


async def remove_unstarted(tx: Transaction, actor: Actor, *, job_ids: Collection[UUID]) -> None:
    """Remove the runs of jobs that were withdrawn, as if they had not been requested."""
    await runs.remove(tx, actor.workspace_id, job_ids)


async def is_awaited(tx: Transaction, actor: Actor, run_id: UUID) -> bool:
    """Whether leads wait for a run (`leadflood.domains.jobs.registry.Awaited`)."""
    return await runs.awaited(tx, actor.workspace_id, run_id)


async def begin(
    tx: Transaction, actor: Actor, *, payload: EnrichCompany, sources: str, free_sources: str
) -> CompanyTask | None:
    """Begin an attempt of a run. None if it has ended, or ends now because its company is deleted or merged.

    `sources`, `free_sources`: see `plan_of`; the latter of a run that asks no source that charges.
    """
    company = await companies.lock_if_active(tx, actor, company_id=payload.company_id)
    if company is None:
        await _cancel(tx, actor, payload.company_id)
        return None
    begun = await runs.begin(
        tx, actor.workspace_id, payload.run_id, domain=company.domain, sources=sources, free_sources=free_sources
    )
    if begun is None:
        return None
    given: dict[FactField, FactValue] = {fields.DOMAIN: company.domain}
    if company.name:
        given[fields.NAME] = company.name
    return CompanyTask(
        payload.run_id,
        company.id,
        given,
        begun.newer_than,
        begun.not_before,
        begun.follow_ups,
        free_only=begun.free_only,
    )


async def stored_candidates(
    tx: Transaction, actor: Actor, *, company_id: UUID, rules: ChoiceRules
) -> list[FactCandidate]:
    """The facts about a company that earlier runs found."""
    stored = (await competing_company_facts(tx, actor.workspace_id, company_id)).facts
    return [one.candidate(rules) for one in stored]


async def finish(tx: Transaction, actor: Actor, ended: Sequence[tuple[RunningJob, RunEnd]]) -> None:
    """End runs: choose among all that is known of their companies, and queue the jobs of the leads that wait."""
    for job, end in ended:
        company = await companies.lock_if_active(tx, actor, company_id=end.task.company_id)
        if company is None:
            await _cancel(tx, actor, end.task.company_id)
        else:
            await _finish(tx, actor, job, end)


async def _finish(tx: Transaction, actor: Actor, job: RunningJob, end: RunEnd) -> None:
    task, now = end.task, utc_now()
    result = await avoided.record(tx, actor, end.result, subject=SubjectKind.COMPANY, subject_id=task.company_id)
    sentence = result.sentence if result.steps else _NO_SOURCES
    state = CompanyRunState(result.state.value)
    first = await runs.end(
        tx,
        actor.workspace_id,
        task.run_id,
        state=state,
        sentence=sentence,
        steps=[stored_step(step) for step in result.steps],
        fresh_until=fresh_until(result, now),
    )
    if not first:
        return
    await runs.store_instant(tx, actor.workspace_id, task.company_id, job.id, end.instant)
    chosen = await choose_with_status(tx, actor, company_id=task.company_id, rules=end.rules, used=end.used)
    names = sorted({field.name for field in chosen})
    await refresh_companies(tx, actor, company_ids=[task.company_id], trace=job.trace)
    if not task.follow_ups or any(step.state is StepState.FOUND and not step.stored for step in result.steps):
        entry = {"state": state, "fields": names, "jobId": str(job.id), "sentence": sentence}
        await TIMELINE.record(tx, actor, kind=COMPANY_ENRICHED_KIND, entries={task.company_id: entry})
        data = CompanyEnrichedData(run_id=task.run_id, state=state, fields=names)
        await publish(tx, COMPANY_ENRICHED, [Event(task.company_id, data, actor, job.trace)])
    await jobs.wake(tx, actor, awaited_id=task.run_id)
    if chosen.get(fields.REDIRECTS_TO):
        await _join_if_seen_again(tx, actor, task.company_id, job.trace)
    again = follow_up_at(result, now, follow_ups=task.follow_ups, spread=random_unit())
    if again is not None:
        next_run = await runs.follow_up(tx, actor.workspace_id, task.run_id, not_before=again)
        await _enqueue(tx, actor, [next_run], job.trace, Priority.BULK)


async def _join_if_seen_again(tx: Transaction, actor: Actor, company_id: UUID, trace: Mapping[str, str]) -> None:
    seen = await seen_redirect(tx, actor.workspace_id, company_id)
    if seen is not None and seen.joins:
        payload = JoinCompanies(company_id=company_id)
        await jobs.enqueue(tx, actor, jobs=[NewJob(JOIN_COMPANIES, payload, company_id, trace)])


async def fail(tx: Transaction, actor: Actor, *, job_id: UUID, error: str) -> None:
    """End the run of a job that failed. The leads that wait complete with what is known."""
    ended = await runs.end_all(
        tx,
        actor.workspace_id,
        job_id=job_id,
        state=CompanyRunState.FAILED,
        sentence=error,
        fresh_until=failed_until(utc_now()),
    )
    await _wake(tx, actor, ended)


async def end_abandoned(tx: Transaction) -> int:
    """End the runs that no job is going to end. Returns their number. Requires a system transaction."""
    ended = await runs.end_abandoned(tx, sentence=_ABANDONED, fresh_until=failed_until(utc_now()))
    for workspace_id, run_id in ended:
        tx.mark(workspace_id)
        await jobs.wake(tx, Actor.system(workspace_id), awaited_id=run_id)
    return len(ended)


async def move_facts(
    tx: Transaction, actor: Actor, *, merge_id: UUID, from_id: UUID, to_id: UUID, rules: ChoiceRules
) -> None:
    """Give the facts of a merged company to its survivor. Its live run ends. Both are locked."""
    await _cancel(tx, actor, from_id)
    await runs.move_lookups(tx, actor.workspace_id, merge_id=merge_id, from_id=from_id, to_id=to_id)
    await choose_again(tx, actor, company_id=to_id, rules=rules)
    await refresh_companies(tx, actor, company_ids=[from_id, to_id])


async def return_facts(
    tx: Transaction, actor: Actor, *, merge_id: UUID, from_id: UUID, to_id: UUID, rules: ChoiceRules
) -> None:
    """Return the facts that a merge moved. Both are locked."""
    await runs.return_lookups(tx, actor.workspace_id, merge_id=merge_id, from_id=from_id, to_id=to_id)
    for company_id in (from_id, to_id):
        await choose_again(tx, actor, company_id=company_id, rules=rules)
    await refresh_companies(tx, actor, company_ids=[from_id, to_id])


async def choose_again(
    tx: Transaction, actor: Actor, *, company_id: UUID, rules: ChoiceRules, used: Collection[UUID] = ()
) -> dict[FactField, tuple[ChosenFact, ...]]:
    """Choose among all that is known of a company. What a person pinned stays."""
    stored = (await competing_company_facts(tx, actor.workspace_id, company_id, used=used)).facts
    by_fact = {id(one.fact): one for one in stored}
    candidates = [one.candidate(rules) for one in stored]
    chosen = choose_all(candidates, now=utc_now(), policy=rules.policy)
    choices = [Choice.of(value) for values in chosen.values() for value in values]
    await store.unchoose(tx, actor.workspace_id, {company_id: choices})
    pairs = [(by_fact[id(choice.fact)], choice) for choice in choices]
    await store.choose(tx, actor.workspace_id, SubjectKind.COMPANY, {company_id: pairs})
    return chosen


async def choose_with_status(
    tx: Transaction, actor: Actor, *, company_id: UUID, rules: ChoiceRules, used: Collection[UUID] = ()
) -> dict[FactField, tuple[ChosenFact, ...]]:
    """The same, and whether the company is known, or gone."""
    chosen = await choose_again(tx, actor, company_id=company_id, rules=rules, used=used)
    parked = chosen.get(fields.PARKED, ())
    if parked and parked[0].best.fact.value is True:
        await companies.set_status(tx, actor, company_ids=[company_id], status=CompanyStatus.GONE)
    elif chosen:
        await companies.set_status(tx, actor, company_ids=[company_id], status=CompanyStatus.KNOWN)
    return chosen


async def _cancel(tx: Transaction, actor: Actor, company_id: UUID) -> None:
    """End the live run of a company that is deleted or merged. It may be read again at any time."""
    ended = await runs.end_all(
        tx,
        actor.workspace_id,
        company_id=company_id,
        state=CompanyRunState.CANCELED,
        sentence=_INACTIVE,
        fresh_until=None,
    )
    await _wake(tx, actor, ended)


async def _wake(tx: Transaction, actor: Actor, run_ids: Sequence[UUID]) -> None:
    for run_id in run_ids:
        await jobs.wake(tx, actor, awaited_id=run_id)


async def _enqueue(
    tx: Transaction, actor: Actor, started: Sequence[CompanyRun], trace: Mapping[str, str], priority: Priority
) -> None:
    if started:
        queued = [
            NewJob(
                ENRICH_COMPANY,
                EnrichCompany(run_id=run.id, company_id=run.company_id),
                run.company_id,
                trace,
                run.job_id,
                priority,
            )
            for run in started
        ]
        await jobs.enqueue(tx, actor, jobs=queued)
