"""Verbs of enrichment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from leadflood.domains.companies import service as companies
from leadflood.domains.companies.contracts import CompanyLink
from leadflood.domains.enrichment import store
from leadflood.domains.enrichment.events import (
    LEAD_ENRICHED,
    LEAD_ENRICHMENT_FAILED,
    EnrichmentFailedData,
    LeadEnrichedData,
)
from leadflood.domains.enrichment.models.choosing import Because, FactCandidate, choose_all
from leadflood.domains.enrichment.models.company_runs import CompanyRun
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.facts import Fact
from leadflood.domains.enrichment.models.lead_runs import LeadRun
from leadflood.domains.enrichment.models.policies import ChoiceRules
from leadflood.domains.enrichment.queries.effective import company_facts, filling, found_values
from leadflood.domains.enrichment.queries.policies import fill_policies
from leadflood.domains.enrichment.service import company_runs, lead_runs
from leadflood.domains.enrichment.service.effective import refresh_leads
from leadflood.domains.enrichment.store import Choice, LeadAnswers, SourceAnswer
from leadflood.domains.enrichment.store.competing import KnownFacts, StoredFact, competing_facts
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.found_values import FoundValues
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import DirectTransition, LeadStatus
from leadflood.domains.leads.service.found_values import set_found_values
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event

_NOTHING: Final[FoundValues] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class AttemptInput:
    """Input of an attempt.

    Attributes:
        answered: the sources whose answers an earlier attempt of the job stored.
        run: of the lead's company, which has to end first.
    """

    lead: LeadDetails
    answered: frozenset[str]
    run: CompanyRun | None = None


@dataclass(frozen=True, slots=True)
class AttemptStart:
    """A lead, and the sources that its company must have been asked by (`plan_of`); None if companies are not asked."""

    lead_id: UUID
    sources: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """Result of an attempt: the answers that are not stored yet, and the rules of the choice.

    `begun`: whether `start` has taken the lead to `processing`. `run`: of the sources that do not answer immediately.
    """

    lead_id: UUID
    answers: Sequence[SourceAnswer]
    rules: ChoiceRules
    begun: bool = True
    run: LeadRun | None = None


async def load_leads(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> dict[UUID, LeadDetails]:
    """The leads that are not deleted, by ID. They are not locked."""
    return await leads.active_leads(tx, actor, lead_ids=lead_ids)


async def start(
    tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, AttemptStart]]
) -> list[AttemptInput | None]:
    """Set the leads of jobs to `processing`. None for a deleted one: then there is nothing to enrich.

    Starts the runs of companies whose facts are not fresh.
    """
    active = await leads.lock_leads(tx, actor, lead_ids=[given.lead_id for _, given in jobs])
    begun = [
        (given.lead_id, {"jobId": str(job.id), "attempt": job.attempt})
        for job, given in jobs
        if given.lead_id in active
    ]
    await leads.transition(
        tx, actor, transitions=begun, status=LeadStatus.PROCESSING, event=LeadEventKind.ENRICHMENT_STARTED
    )
    again = [(job, given.lead_id) for job, given in jobs if job.attempt > 1]
    answered = await store.answered(
        tx, actor.workspace_id, lead_ids=[lead_id for _, lead_id in again], job_ids=[job.id for job, _ in again]
    )
    live = await _runs(tx, actor, active, jobs)
    return [
        AttemptInput(active[given.lead_id], frozenset(answered.get(job.id, ())), live.get(given.lead_id))
        if given.lead_id in active
        else None
        for job, given in jobs
    ]


async def _runs(
    tx: Transaction,
    actor: Actor,
    active: Mapping[UUID, LeadDetails],
    jobs: Sequence[tuple[RunningJob, AttemptStart]],
) -> dict[UUID, CompanyRun]:
    """The runs for which leads wait, by lead."""
    asking = {given.lead_id: (job, given.sources) for job, given in jobs if given.sources and given.lead_id in active}
    if not asking:
        return {}
    ensured = await companies.ensure(tx, actor, locked=[active[lead_id] for lead_id in asking])
    await refresh_leads(tx, actor, lead_ids=ensured.changed)
    linked = ensured.links
    urgent = min((asking[lead_id] for lead_id in linked), key=lambda item: item[0].priority, default=None)
    if urgent is None:
        return {}
    cause, sources = urgent
    wanted = {link.company_id: link.domain for link in linked.values()}
    live = await company_runs.request(tx, actor, wanted=wanted, sources=sources or "", cause=cause)
    now = utc_now()
    runs = {lead_id: live[link.company_id] for lead_id, link in linked.items() if link.company_id in live}
    return {lead_id: run for lead_id, run in runs.items() if run.wait_until > now}


async def complete(tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, AttemptResult]]) -> list[None]:
    """Store the last answers of jobs, choose the values of each field, and set the leads to `enriched`.

    Nothing is written for a deleted lead. Two jobs of one lead choose one after the other.
    """
    waiting = list(jobs)
    while waiting:
        turn = {item[1].lead_id: item for item in reversed(waiting)}
        await _complete(tx, actor, list(turn.values()))
        waiting = [item for item in waiting if turn[item[1].lead_id] is not item]
    return [None for _ in jobs]


async def _complete(tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, AttemptResult]]) -> None:
    """Like `complete`, for jobs of different leads."""
    active = await leads.lock_leads(tx, actor, lead_ids=[ended.lead_id for _, ended in jobs])
    ours = [item for item in jobs if item[1].lead_id in active]
    if not ours:
        return
    linked = await companies.ensure(tx, actor, locked=active.values())
    earlier = await competing_facts(tx, actor.workspace_id, [ended.lead_id for _, ended in ours])
    now = utc_now()
    written: list[LeadAnswers] = []
    for job, ended in ours:
        lead_id, before = ended.lead_id, earlier[ended.lead_id]
        choices = _choices(before, ended, now)
        if before.every:
            await _choose_again(tx, actor, lead_id, before.every, choices)
        written.append(LeadAnswers(lead_id, job.id, ended.answers, choices))
    await store.write_answers(tx, actor.workspace_id, written)
    again = [lead_id for lead_id, before in earlier.items() if before.every]
    found = {**dict.fromkeys(linked.moved, _NOTHING), **await _found_values(tx, actor, written, linked.links, again)}
    await _pass_on(tx, actor, ours, {item.lead_id: item for item in written}, found)
    await lead_runs.record(tx, actor, [(job, ended.run) for job, ended in ours if ended.run is not None])


async def _found_values(
    tx: Transaction,
    actor: Actor,
    written: Sequence[LeadAnswers],
    links: Mapping[UUID, CompanyLink],
    again: Sequence[UUID],
) -> dict[UUID, FoundValues]:
    """The values that fill the fields of leads whose choices are written. Leads without facts are left out.

    `again`: the leads about which something was known before. Only of those are the choices read.
    """
    found = await found_values(tx, actor, lead_ids=again) if again else {}
    policies = await fill_policies(tx, actor)
    facts = await company_facts(tx, actor, company_ids=list({link.company_id for link in links.values()}))
    for item in written:
        if item.lead_id in found:
            continue
        known: dict[FactField, tuple[FactValue, float]] = {}
        link = links.get(item.lead_id)
        if link is not None:
            known.update(facts.get(link.company_id, {}))
        for choice in item.choices.values():
            field = choice.fact.field
            if field.fills is not None and choice.confidence > known.get(field, (None, -1.0))[1]:
                known[field] = (choice.fact.value, choice.confidence)
        filled = filling(known, policies, named=link is not None and link.named)
        if filled:
            found[item.lead_id] = filled
    return found


async def _pass_on(
    tx: Transaction,
    actor: Actor,
    jobs: Sequence[tuple[RunningJob, AttemptResult]],
    written: Mapping[UUID, LeadAnswers],
    found: Mapping[UUID, FoundValues],
) -> None:
    """Set the leads to `enriched`, with the values that fill their fields."""
    transitions: list[tuple[UUID, dict[str, object]]] = []
    passes: list[DirectTransition] = []
    enriched: list[Event[LeadEnrichedData]] = []
    for job, ended in jobs:
        lead_id = ended.lead_id
        fields = sorted({choice.fact.field.name for choice in written[lead_id].choices.values()})
        enriched.append(Event(lead_id, LeadEnrichedData(job_id=job.id, fields=fields), actor, job.trace))
        event_data: dict[str, object] = {"jobId": str(job.id), "fields": fields}
        if ended.begun:
            transitions.append((lead_id, event_data))
        else:
            begun = {"jobId": str(job.id), "attempt": job.attempt}
            passes.append(DirectTransition(lead_id, job.started_at, begun, event_data, found.get(lead_id)))
    if transitions:
        slow = {lead_id: found[lead_id] for lead_id, _ in transitions if lead_id in found}
        await set_found_values(tx, actor, found=slow)
        await leads.transition(
            tx, actor, transitions=transitions, status=LeadStatus.ENRICHED, event=LeadEventKind.ENRICHMENT_COMPLETED
        )
    if passes:
        await leads.direct_transition(tx, actor, passes=passes)
    await publish(tx, LEAD_ENRICHED, enriched)


def _choices(earlier: KnownFacts, ended: AttemptResult, now: datetime) -> dict[int, Choice]:
    """The choices by identity of their facts. A new hit of a source replaces its last one."""
    fresh = {answer.spec.name for answer in ended.answers if answer.facts}
    rivals = [stored for stored in earlier.facts if stored.source not in fresh]
    found = [
        FactCandidate(fact, answer.spec.name, answer.spec.family)
        for answer in ended.answers
        for fact in answer.facts
        if not earlier.is_rejected(answer.spec.name, fact)
    ]
    facts = [one.fact for one in found]
    if not rivals and _one_of_each(facts):
        return {id(fact): Choice(fact, fact.confidence, Because.ONLY) for fact in facts}
    candidates = [
        *(one.candidate(ended.rules) for one in rivals),
        *found,
    ]
    chosen = choose_all(candidates, now=now, policy=ended.rules.policy)
    return {id(value.best.fact): Choice.of(value) for values in chosen.values() for value in values}


def _one_of_each(facts: Sequence[Fact]) -> bool:
    """Whether there is nothing to choose from: no field has several candidates."""
    fields = {fact.field for fact in facts}
    return len(fields) == len(facts) and not any(field.multiple for field in fields)


async def _choose_again(
    tx: Transaction, actor: Actor, lead_id: UUID, earlier: Sequence[StoredFact], choices: Mapping[int, Choice]
) -> None:
    """Replace the choices of a lead that was enriched before, except for facts that are not stored yet."""
    await store.unchoose(tx, actor.workspace_id, {lead_id: list(choices.values())})
    still = [(stored, choices[id(stored.fact)]) for stored in earlier if id(stored.fact) in choices]
    await store.choose(tx, actor.workspace_id, SubjectKind.LEAD, {lead_id: still})


async def fail(tx: Transaction, actor: Actor, *, lead_id: UUID, job_id: UUID, error: str) -> None:
    """Set the lead to `failed`, with the reason: its job has ended, and only a retry asks sources again."""
    moved = await leads.transition(
        tx,
        actor,
        transitions=[(lead_id, {"jobId": str(job_id), "error": error})],
        status=LeadStatus.FAILED,
        event=LeadEventKind.ENRICHMENT_FAILED,
        error=error,
    )
    if moved:
        data = EnrichmentFailedData(job_id=job_id)
        await publish(tx, LEAD_ENRICHMENT_FAILED, [Event(lead_id, data, actor)])
