"""Verbs of enrichment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from leadflood.domains.companies import service as companies
from leadflood.domains.enrichment import store
from leadflood.domains.enrichment.events import (
    LEAD_ENRICHED,
    LEAD_ENRICHMENT_FAILED,
    EnrichmentFailedData,
    LeadEnrichedData,
)
from leadflood.domains.enrichment.models.choosing import Because, FactCandidate, choose_all
from leadflood.domains.enrichment.models.facts import Fact
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.store import Choice, LeadAnswers, SourceAnswer, StoredFact
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import DirectTransition, LeadStatus
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event


@dataclass(frozen=True, slots=True)
class AttemptInput:
    """Input of an attempt: the lead, and the sources whose answers an earlier attempt of the job stored."""

    lead: LeadDetails
    answered: frozenset[str]


@dataclass(frozen=True, slots=True)
class ChoiceRules:
    """Rules by which values are chosen. `families`: of sources, by name; others are a family of their own."""

    policy: Policy
    families: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """Result of an attempt: the answers that are not stored yet, and the rules of the choice.

    `begun`: whether `start` has taken the lead to `processing`.
    """

    lead_id: UUID
    answers: Sequence[SourceAnswer]
    rules: ChoiceRules
    begun: bool = True


async def load_leads(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> dict[UUID, LeadDetails]:
    """The leads that are not deleted, by ID. They are not locked."""
    return await leads.active_leads(tx, actor, lead_ids=lead_ids)


async def start(tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, UUID]]) -> list[AttemptInput | None]:
    """Set the leads of jobs to `processing`. None for a deleted one: then there is nothing to enrich."""
    active = await leads.lock_leads(tx, actor, lead_ids=[lead_id for _, lead_id in jobs])
    begun = [(lead_id, {"jobId": str(job.id), "attempt": job.attempt}) for job, lead_id in jobs if lead_id in active]
    await leads.transition(
        tx, actor, transitions=begun, status=LeadStatus.PROCESSING, event=LeadEventKind.ENRICHMENT_STARTED
    )
    again = [(job, lead_id) for job, lead_id in jobs if job.attempt > 1]
    answered = await store.answered(
        tx, actor.workspace_id, lead_ids=[lead_id for _, lead_id in again], job_ids=[job.id for job, _ in again]
    )
    return [
        AttemptInput(active[lead_id], frozenset(answered.get(job.id, ()))) if lead_id in active else None
        for job, lead_id in jobs
    ]


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
    await companies.ensure(tx, actor, locked=active.values())
    earlier = await store.competing_facts(tx, actor.workspace_id, [ended.lead_id for _, ended in ours])
    now = utc_now()
    written: list[LeadAnswers] = []
    transitions: list[tuple[UUID, dict[str, object]]] = []
    passes: list[DirectTransition] = []
    enriched: list[Event[LeadEnrichedData]] = []
    for job, ended in ours:
        lead_id, before = ended.lead_id, earlier[ended.lead_id]
        choices = _choices(before, ended, now)
        if before:
            await _choose_again(tx, actor, lead_id, before, choices)
        written.append(LeadAnswers(lead_id, job.id, ended.answers, choices))
        fields = sorted({choice.fact.field.name for choice in choices.values()})
        enriched.append(Event(lead_id, LeadEnrichedData(job_id=job.id, fields=fields), actor, job.trace))
        event_data: dict[str, object] = {"jobId": str(job.id), "fields": fields}
        if ended.begun:
            transitions.append((lead_id, event_data))
        else:
            begun = {"jobId": str(job.id), "attempt": job.attempt}
            passes.append(DirectTransition(lead_id, job.started_at, begun, event_data))
    await store.write_answers(tx, actor.workspace_id, written)
    if transitions:
        await leads.transition(
            tx, actor, transitions=transitions, status=LeadStatus.ENRICHED, event=LeadEventKind.ENRICHMENT_COMPLETED
        )
    if passes:
        await leads.direct_transition(tx, actor, passes=passes)
    await publish(tx, LEAD_ENRICHED, enriched)


def _choices(earlier: Sequence[StoredFact], ended: AttemptResult, now: datetime) -> dict[int, Choice]:
    """The choices by identity of their facts. A new hit of a source replaces its last one."""
    fresh = {answer.spec.name for answer in ended.answers if answer.facts}
    rivals = [stored for stored in earlier if stored.source not in fresh]
    facts = [fact for answer in ended.answers for fact in answer.facts]
    if not rivals and _one_of_each(facts):
        return {id(fact): Choice(fact, fact.confidence, Because.ONLY) for fact in facts}
    families = ended.rules.families
    candidates = [
        *(FactCandidate(one.fact, one.source, families.get(one.source, one.source)) for one in rivals),
        *(
            FactCandidate(fact, answer.spec.name, answer.spec.family)
            for answer in ended.answers
            for fact in answer.facts
        ),
    ]
    chosen = choose_all(candidates, now=now, policy=ended.rules.policy)
    return {
        id(value.best.fact): Choice(
            value.best.fact, value.confidence, value.because, value.best.fact.key if value.field.multiple else ""
        )
        for values in chosen.values()
        for value in values
    }


def _one_of_each(facts: Sequence[Fact]) -> bool:
    """Whether there is nothing to choose from: no field has several candidates."""
    fields = {fact.field for fact in facts}
    return len(fields) == len(facts) and not any(field.multiple for field in fields)


async def _choose_again(
    tx: Transaction, actor: Actor, lead_id: UUID, earlier: Sequence[StoredFact], choices: Mapping[int, Choice]
) -> None:
    """Replace the choices of a lead that was enriched before, except for facts that are not stored yet."""
    await store.unchoose(tx, actor.workspace_id, lead_id, list(choices.values()))
    still = [(stored, choices[id(stored.fact)]) for stored in earlier if id(stored.fact) in choices]
    if still:
        await store.choose(tx, actor.workspace_id, lead_id, still)


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
