"""The job that enriches a lead."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from leadflood.domains.enrichment import service
from leadflood.domains.enrichment.engine.lead_questions import lead_question
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.events import ENRICH_LEAD, EnrichLead
from leadflood.domains.enrichment.jobs import batches, companies, lead_runs, source_tests
from leadflood.domains.enrichment.jobs.lead_runs import run_sources
from leadflood.domains.enrichment.models import Found, Missed, Source
from leadflood.domains.enrichment.models.choosing import FactCandidate
from leadflood.domains.enrichment.models.company_runs import CompanyRun
from leadflood.domains.enrichment.models.lead_runs import LeadRun
from leadflood.domains.enrichment.models.planning import is_paid
from leadflood.domains.enrichment.models.questions import meets
from leadflood.domains.enrichment.models.runs import RunResult, StepState
from leadflood.domains.enrichment.models.source_sets import SourceSet
from leadflood.domains.enrichment.queries.companies import is_company_known
from leadflood.domains.enrichment.queries.worth import only_for_tier
from leadflood.domains.enrichment.service import company_runs
from leadflood.domains.enrichment.service.workspace_sources import FixedSources, SourceSets
from leadflood.domains.enrichment.store import SourceAnswer
from leadflood.domains.jobs.errors import Retryable, Terminal
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import Awaited, Complete, JobContext, JobDefinition, Later
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction

_TEMPORARY: Final = frozenset({StepState.WAITING, StepState.AWAY})
_UNANSWERED: Final = _TEMPORARY | {StepState.REFUSED, StepState.FAILED}


def definitions(sources: SourceSets | Sequence[Source], engines: SubjectEngines) -> list[JobDefinition[Any]]:
    """The jobs that ask the sources of each workspace, or the same ones for all."""
    sets = FixedSources(sources) if isinstance(sources, Sequence) else sources
    enriching = _Enriching(sets, engines)
    load = None if sets.least.slow else enriching.load
    return [
        JobDefinition(ENRICH_LEAD, enriching.enrich, on_failed=_lead_failed, many=True, load=load),
        *lead_runs.definitions(sets, engines),
        *companies.definitions(sets, engines),
        *batches.definitions(sets),
        *source_tests.definitions(sets, engines),
    ]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A lead that needs the sources that do not wait, and no others."""

    lead: LeadDetails
    sources: SourceSet


@dataclass(frozen=True, slots=True)
class _Asked:
    """Answers of instant sources, and the run of the others."""

    answers: Sequence[SourceAnswer]
    run: RunResult | None = None

    @property
    def found(self) -> bool:
        """Whether anything is known."""
        return any(answer.facts for answer in self.answers) or bool(self.run and self.run.chosen)


class _Enriching:
    """The handler of the job."""

    def __init__(self, sources: SourceSets, engines: SubjectEngines) -> None:
        self._sources = sources
        self._engines = engines

    async def load(self, tx: Transaction, actor: Actor, payloads: Sequence[EnrichLead]) -> list[_Loaded | None]:
        """None for a deleted lead, for one whose company has to be read first, and where persons are asked about."""
        sources = await self._sources.of(tx, actor.workspace_id)
        if sources.slow:
            return [None] * len(payloads)
        known = await service.load_leads(tx, actor, lead_ids=[payload.lead_id for payload in payloads])
        unread: Collection[UUID] = ()
        if sources.plan is not None:
            unread = await company_runs.unread_leads(tx, actor, leads=known.values(), sources=sources.plan)
        ready = {lead_id: _Loaded(lead, sources) for lead_id, lead in known.items() if lead_id not in unread}
        return [ready.get(payload.lead_id) for payload in payloads]

    async def enrich(self, context: JobContext[EnrichLead]) -> Complete[service.AttemptResult] | Later | None:
        """Ask the sources. With instant ones alone, the lead passes through `processing` in one transaction.

        A lead whose company is being read waits for that, after its own sources were asked.
        """
        if context.loaded is not None:
            loaded: _Loaded = context.loaded
            answers = await self._at_once(loaded.sources, loaded.lead, frozenset())
            result = service.AttemptResult(loaded.lead.id, answers, loaded.sources.rules, begun=False)
            return Complete(service.complete, result)
        sources = await context.share(self._current_sources, None)
        begin = service.AttemptStart(context.payload.lead_id, sources.plan)
        started = await context.share(service.start, begin)
        if started is None:
            return None
        if started.run is not None and (not sources.slow or await self._needs_company_first(context, sources)):
            return _wait(started.run)
        asked = _Asked(await self._at_once(sources, started.lead, started.answered))
        if sources.slow:
            known = [
                FactCandidate(fact, answer.spec.name, answer.spec.family)
                for answer in asked.answers
                for fact in answer.facts
            ]
            newer_than = context.job.created_at
            run = await run_sources(context, self._engines, sources, started.lead, known, newer_than=newer_than)
            asked = _Asked(asked.answers, run)
        if started.run is not None:
            return _wait(started.run)
        if not asked.found and asked.run is not None and not await self._knows_company(context, sources):
            _require_answers(asked.run)
        ended = None if asked.run is None else LeadRun(started.lead.id, asked.run, context.job.created_at)
        result = service.AttemptResult(started.lead.id, asked.answers, sources.rules, run=ended)
        return Complete(service.complete, result)

    async def _current_sources(
        self, tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, None]], /
    ) -> list[SourceSet]:
        """The sources of a workspace, read once for all leads that begin together."""
        sources = await self._sources.of(tx, actor.workspace_id)
        return [sources for _ in jobs]

    async def _needs_company_first(self, context: JobContext[EnrichLead], sources: SourceSet) -> bool:
        """Whether the facts of its company decide which of its own sources are worth asking."""
        if not any(is_paid(source.spec) for source in sources.slow):
            return False
        async with context.transaction() as tx:
            return await only_for_tier(tx, context.actor)

    async def _knows_company(self, context: JobContext[EnrichLead], sources: SourceSet) -> bool:
        """Whether the facts of its company are something that is known of the lead."""
        if sources.plan is None:
            return False
        async with context.transaction() as tx:
            return await is_company_known(tx, context.actor, lead_id=context.payload.lead_id)

    async def _at_once(self, sources: SourceSet, lead: LeadDetails, answered: frozenset[str]) -> list[SourceAnswer]:
        """The answers of the sources that do not wait."""
        question = lead_question(lead, utc_now())
        answers = []
        for source in sources.instant:
            spec = source.spec
            if spec.name not in answered and meets(spec.needs, question.known):
                answer = await source.ask(question, self._engines.offline)
                if isinstance(answer, Found):
                    answers.append(SourceAnswer(spec, question.asked_at, answer.facts))
                elif isinstance(answer, Missed):
                    answers.append(SourceAnswer(spec, question.asked_at, sentence=answer.reason))
        return answers


def _wait(run: CompanyRun) -> Later:
    """Wait until the run of a company ends; after `wait_until`, the next attempt continues without it."""
    awaited = Awaited(run.id, company_runs.is_awaited)
    return Later(run.wait_until, f"Waiting for {run.domain}.", awaited)


def _require_answers(run: RunResult) -> None:
    """Raises: Retryable: nothing is known, but asking later may help. Terminal: it cannot."""
    failed = [step for step in run.steps if step.state in _UNANSWERED]
    if not failed:
        return
    reason = " ".join(dict.fromkeys(step.sentence for step in failed))
    if any(step.state in _TEMPORARY for step in failed):
        times: list[datetime] = [step.until for step in failed if step.until is not None]
        raise Retryable(reason, retry_at=min(times) if times else None)
    raise Terminal(reason)


async def _lead_failed(tx: Transaction, job: RunningJob, payload: EnrichLead | None, error: str) -> None:
    actor = Actor.system(job.workspace_id)
    lead_id = payload.lead_id if payload else job.subject_id
    if lead_id is not None:
        await service.fail(tx, actor, lead_id=lead_id, job_id=job.id, error=error)
