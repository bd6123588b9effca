"""Verbs of enrichment."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.companies import service as companies
from leadflood.domains.enrichment import store
from leadflood.domains.enrichment.events import (
    LEAD_ENRICHED,
    LEAD_ENRICHMENT_FAILED,
    EnrichmentFailedData,
    LeadEnrichedData,
)
from leadflood.domains.enrichment.models import Candidate, KnownLead, best_values
from leadflood.domains.enrichment.store import AdapterRun, RecordedRun, StoredValue
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import DirectTransition, LeadStatus
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event


@dataclass(frozen=True, slots=True)
class AttemptInput:
    """Input of an attempt: the lead, and the adapters that already answered for this job (None: successfully)."""

    lead: KnownLead
    answered: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """Result of an attempt: the runs not yet stored, and the adapters in order of precedence among equals.

    `begun`: whether `start` has taken the lead to `processing`.
    """

    lead_id: UUID
    runs: Sequence[AdapterRun]
    order: Sequence[str]
    begun: bool = True


async def load_leads(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> dict[UUID, KnownLead]:
    """Inputs of adapters for the leads that are not deleted, by ID. They are not locked."""
    rows = await leads.active_leads(tx, actor, lead_ids=lead_ids)
    return {lead_id: _known_lead(lead) for lead_id, lead in rows.items()}


async def start(tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, UUID]]) -> list[AttemptInput | None]:
    """Set the leads of jobs to `processing`. None for a deleted one: then there is nothing to enrich."""
    active = await leads.lock_leads(tx, actor, lead_ids=[lead_id for _, lead_id in jobs])
    begun = [(lead_id, {"jobId": str(job.id), "attempt": job.attempt}) for job, lead_id in jobs if lead_id in active]
    await leads.transition(
        tx, actor, transitions=begun, status=LeadStatus.PROCESSING, event=LeadEventKind.ENRICHMENT_STARTED
    )
    answered = await store.answered(tx, actor.workspace_id, [job.id for job, _ in jobs if job.attempt > 1])
    return [
        AttemptInput(_known_lead(active[lead_id]), answered.get(job.id, {})) if lead_id in active else None
        for job, lead_id in jobs
    ]


async def record_run(tx: Transaction, actor: Actor, *, lead_id: UUID, job_id: UUID, run: AdapterRun) -> None:
    """Store an adapter's result before the next call: it may have cost money. Not for a deleted lead."""
    if await leads.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        await store.insert_runs(tx, actor.workspace_id, [RecordedRun(lead_id, job_id, run)])


async def complete(tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, AttemptResult]]) -> list[None]:
    """Store the last runs of jobs, choose the best value of each field, and set the leads to `enriched`.

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
    earlier = await store.competing_values(tx, actor.workspace_id, [ended.lead_id for _, ended in ours])
    recorded: list[RecordedRun] = []
    transitions: list[tuple[UUID, dict[str, object]]] = []
    passes: list[DirectTransition] = []
    enriched: list[Event[LeadEnrichedData]] = []
    for job, ended in ours:
        lead_id, before = ended.lead_id, earlier[ended.lead_id]
        winners = _winners(before, ended)
        if before:
            still = [value.id for value in before if id(value.candidate) in winners]
            await store.choose(tx, actor.workspace_id, lead_id, still)
        chosen = [candidate.found for candidate in winners.values()]
        recorded += [RecordedRun(lead_id, job.id, run, chosen) for run in ended.runs]
        fields = sorted(found.field.value for found in chosen)
        enriched.append(Event(lead_id, LeadEnrichedData(job_id=job.id, fields=fields), actor, job.trace))
        event_data: dict[str, object] = {"jobId": str(job.id), "fields": fields}
        if ended.begun:
            transitions.append((lead_id, event_data))
        else:
            begun = {"jobId": str(job.id), "attempt": job.attempt}
            passes.append(DirectTransition(lead_id, job.started_at, begun, event_data))
    await store.insert_runs(tx, actor.workspace_id, recorded)
    if transitions:
        await leads.transition(
            tx, actor, transitions=transitions, status=LeadStatus.ENRICHED, event=LeadEventKind.ENRICHMENT_COMPLETED
        )
    if passes:
        await leads.direct_transition(tx, actor, passes=passes)
    await publish(tx, LEAD_ENRICHED, enriched)


def _winners(earlier: Sequence[StoredValue], ended: AttemptResult) -> dict[int, Candidate]:
    """The best candidate of each field, by its identity. A new run of an adapter replaces its last one."""
    fresh = {run.adapter for run in ended.runs if run.error is None}
    rivals = [value.candidate for value in earlier if value.candidate.adapter not in fresh]
    new = [Candidate(run.adapter, run.adapter_version, value) for run in ended.runs for value in run.values]
    candidates = sorted([*rivals, *new], key=lambda item: _rank(ended.order, item.adapter))
    return {id(candidate): candidate for candidate in best_values(candidates).values()}


async def fail(tx: Transaction, actor: Actor, *, lead_id: UUID, job_id: UUID, error: str) -> None:
    """Set the lead to `failed`, with the reason: its job has ended, and only a retry calls adapters again."""
    await store.void_refusals(tx, actor.workspace_id, job_id)
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


def _known_lead(lead: LeadDetails) -> KnownLead:
    names = (name for name in KnownLead.__match_args__ if name != "lead_id")
    return KnownLead(lead.id, **{name: getattr(lead, name) for name in names})


def _rank(order: Sequence[str], adapter: str) -> int:
    return order.index(adapter) if adapter in order else len(order)
