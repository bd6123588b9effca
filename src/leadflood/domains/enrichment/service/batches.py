"""Verbs on batches: start, pause, resume, cancel; and the steps of the job that carries one on."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.companies.service import files as company_files
from leadflood.domains.enrichment.contracts.batches import (
    EnrichmentBatchView,
    EnrichmentEstimate,
    SourceCalls,
    StartEnrichment,
)
from leadflood.domains.enrichment.errors import BatchNotFound, BatchNotReady, NothingToEnrich
from leadflood.domains.enrichment.events import (
    ENRICH_BATCH,
    ENRICHMENT_BATCH,
    ENRICHMENT_CANCELED_KIND,
    EnrichBatch,
    EnrichmentAuditAction,
)
from leadflood.domains.enrichment.models.batches import (
    READ_LATER,
    SAMPLE,
    BatchStatus,
    BatchSubject,
    Outcome,
    Settled,
    calls_of,
    duration_of,
    scaled,
)
from leadflood.domains.enrichment.models.company_runs import company_sources
from leadflood.domains.enrichment.models.cost_estimates import (
    CostEstimate,
    PlannedCalls,
    SourceHistory,
    estimate_cost,
)
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.sources import Source
from leadflood.domains.enrichment.queries.batches import get_batch
from leadflood.domains.enrichment.queries.cost_history import cost_history
from leadflood.domains.enrichment.service import batch_walk, company_runs
from leadflood.domains.enrichment.store import batches as store
from leadflood.domains.enrichment.store.batches import EnrichmentBatch, NewBatch
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadQuery
from leadflood.domains.leads.errors import MatchCountExceeded
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.queries.search import count_leads
from leadflood.domains.spending import queries as prices
from leadflood.domains.spending import service as spending
from leadflood.domains.spending.models import BudgetState
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.filters import Condition, Group, Operator, written
from leadflood.kernel.ids import new_id

_MAX_COUNT: Final = 10_000_000
_CHUNK: Final = 1000
_OPEN: Final = (BatchStatus.RUNNING, BatchStatus.PAUSED)
_RESUMABLE: Final = (BatchStatus.PAUSED, BatchStatus.FAILED)


async def estimate(
    tx: Transaction, actor: Actor, *, command: StartEnrichment, sources: Sequence[Source]
) -> EnrichmentEstimate:
    """Estimate what a batch would do, and how long that may take. Raises: MatchCountExceeded."""
    actor.require(LEADS_WRITE)
    about = company_sources(sources)
    about_leads = [source for source in sources if source.spec.subject is SubjectKind.LEAD]
    if command.domains is not None:
        actor.require(COMPANIES_WRITE)
        domains = list(dict.fromkeys(command.domains))
        seen = await batch_walk.survey_domains(tx, actor, domains, about, include_fresh=command.include_fresh)
        total = len(domains)
    else:
        total, scope = await _scope(tx, actor, command)
        sample = await batch_walk.first_leads(tx, actor, scope, limit=SAMPLE)
        seen = await batch_walk.survey_leads(tx, actor, sample, about, include_fresh=command.include_fresh)
    whole = scaled(seen, total)
    own_leads = total - whole.fresh if command.domains is None else 0
    takes = duration_of(own_leads, whole.companies, about)
    asked = [*((source, whole.companies) for source in about), *((source, own_leads) for source in about_leads)]
    cost = await _cost(tx, actor, asked)
    return EnrichmentEstimate(
        subject=command.subject,
        total=total,
        fresh=whole.fresh,
        companies=whole.companies,
        calls=[
            SourceCalls(source=name, at_most=most) for name, most in calls_of(whole.companies, about).items() if most
        ],
        seconds_from=takes.least,
        seconds_to=max(takes.least, takes.most),
        likely_micros=cost.likely,
        likely_from_micros=cost.least,
        likely_to_micros=cost.greatest,
        most_micros=cost.most,
        cost_history=cost.calls,
        currency=(await prices.get_settings(tx, actor)).currency,
        exact=whole == seen,
    )


async def _cost(tx: Transaction, actor: Actor, asked: Sequence[tuple[Source, int]]) -> CostEstimate:
    """Costs of so many questions to each of the sources that have a price."""
    paid = {source.spec.name: (source.spec.most_units, questions) for source, questions in asked}
    paid = {name: (units, questions) for name, (units, questions) in paid.items() if units and questions}
    known = await prices.prices_of(tx, actor, sources=paid) if paid else {}
    history = await cost_history(tx, actor, sources=[*known]) if known else {}
    return estimate_cost(
        [
            PlannedCalls(paid[name][1], price.micros * paid[name][0], history.get(name, SourceHistory()))
            for name, price in sorted(known.items())
        ]
    )


async def start(
    tx: Transaction, actor: Actor, *, command: StartEnrichment, trace: Mapping[str, str]
) -> EnrichmentBatchView:
    """Start a batch. Its job queues what belongs to it part by part. Raises: NothingToEnrich, MatchCountExceeded."""
    actor.require(LEADS_WRITE)
    if command.domains is not None:
        actor.require(COMPANIES_WRITE)
        ids = await _companies(tx, actor, list(dict.fromkeys(command.domains)))
        total, scope = len(ids), {"companyIds": [str(item) for item in ids]}
    else:
        total, scope = await _scope(tx, actor, command)
    if not total:
        raise NothingToEnrich
    batch_id = new_id()
    job_id = await _enqueue(tx, actor, batch_id, trace)
    new = NewBatch(batch_id, job_id, command.subject, command.name or _name(command), scope, total)
    await store.insert(tx, actor, new, include_fresh=command.include_fresh)
    if command.budget_micros is not None:
        await spending.open_batch_budget(tx, actor, batch_id=batch_id, limit=command.budget_micros)
    await _record(tx, actor, EnrichmentAuditAction.BATCH_STARTED, batch_id, total)
    return await get_batch(tx, actor, batch_id=batch_id)


async def pause(tx: Transaction, actor: Actor, *, batch_id: UUID) -> EnrichmentBatchView:
    """Pause a batch: what has not begun waits. Raises: BatchNotFound, BatchNotReady."""
    actor.require(LEADS_WRITE)
    batch = await _locked(tx, actor, batch_id, (BatchStatus.RUNNING,), "Only a running enrichment can be paused.")
    await _withdraw(tx, actor, batch)
    expect_changed(await store.change(tx, batch, BatchStatus.PAUSED))
    await spending.set_batch_state(tx, actor, batch_id=batch_id, state=BudgetState.PAUSED)
    await store.count(tx, batch, [])
    await _record(tx, actor, EnrichmentAuditAction.BATCH_PAUSED, batch_id, batch.total)
    return await get_batch(tx, actor, batch_id=batch_id)


async def resume(tx: Transaction, actor: Actor, *, batch_id: UUID, trace: Mapping[str, str]) -> EnrichmentBatchView:
    """Continue a batch that was paused or failed. Raises: BatchNotFound, BatchNotReady."""
    actor.require(LEADS_WRITE)
    batch = await _locked(tx, actor, batch_id, _RESUMABLE, "Only a paused or failed enrichment can be resumed.")
    job_id = await _enqueue(tx, actor, batch_id, trace)
    expect_changed(await store.change(tx, batch, BatchStatus.RUNNING, job_id=job_id))
    await spending.set_batch_state(tx, actor, batch_id=batch_id, state=BudgetState.OPEN)
    await _record(tx, actor, EnrichmentAuditAction.BATCH_RESUMED, batch_id, batch.total)
    return await get_batch(tx, actor, batch_id=batch_id)


async def cancel(tx: Transaction, actor: Actor, *, batch_id: UUID) -> EnrichmentBatchView:
    """End a batch: what has not begun is not enriched. What was found stays. Raises: BatchNotFound, BatchNotReady."""
    actor.require(LEADS_WRITE)
    message = "Only an enrichment that is running or paused can be canceled."
    batch = await _locked(tx, actor, batch_id, (*_OPEN, BatchStatus.FAILED), message)
    await _withdraw(tx, actor, batch)
    left = await store.withdrawn(tx, batch, limit=_MAX_COUNT)
    if batch.subject is BatchSubject.LEADS and left:
        active = await leads.lock_lead_ids(tx, actor, lead_ids=left)
        await leads.add_to_timelines(
            tx, actor, lead_ids=sorted(active), kind=ENRICHMENT_CANCELED_KIND, data={"batchId": str(batch_id)}
        )
    await store.remove_items(tx, batch, left)
    waited = await store.take_waiting(tx, batch)
    expect_changed(await store.change(tx, batch, BatchStatus.CANCELED))
    await spending.set_batch_state(tx, actor, batch_id=batch_id, state=BudgetState.CLOSED)
    await store.count(tx, batch, [Settled(item, Outcome.PARTIAL, READ_LATER) for item in waited])
    await _record(tx, actor, EnrichmentAuditAction.BATCH_CANCELED, batch_id, batch.total)
    return await get_batch(tx, actor, batch_id=batch_id)


async def fail(tx: Transaction, actor: Actor, *, batch_id: UUID, error: str) -> None:
    """End a batch whose job failed. It can be resumed."""
    batch = await store.lock(tx, actor.workspace_id, batch_id)
    if batch is not None and batch.status is BatchStatus.RUNNING:
        expect_changed(await store.change(tx, batch, BatchStatus.FAILED, error=error))
        await spending.set_batch_state(tx, actor, batch_id=batch_id, state=BudgetState.PAUSED)


async def _scope(tx: Transaction, actor: Actor, command: StartEnrichment) -> tuple[int, dict[str, Any]]:
    """The number of leads, and the scope as it is stored. Raises: MatchCountExceeded."""
    if command.lead_ids is not None:
        ids = list(dict.fromkeys(command.lead_ids))
        return len(await leads.active_leads(tx, actor, lead_ids=ids)), {"leadIds": [str(item) for item in ids]}
    if command.import_id is not None:
        tree = Group("all", (Condition("import", Operator.IS, str(command.import_id)),))
        filters = LeadFilter(tree=tree)
    else:
        filters = (command.matching or LeadQuery()).lead_filter()
    limit = _MAX_COUNT if command.expected_count is None else command.expected_count
    found = await count_leads(tx, actor, filters=filters, max_count=limit)
    if not found.exact:
        raise MatchCountExceeded(found.value)
    return found.value, {"matching": written(filters.fixed(actor).whole)}


async def _companies(tx: Transaction, actor: Actor, domains: Sequence[str]) -> list[UUID]:
    """The companies of domains, created where they are missing."""
    ids: dict[UUID, None] = {}
    for start_at in range(0, len(domains), _CHUNK):
        entries = [{"domain": domain} for domain in domains[start_at : start_at + _CHUNK]]
        made = await company_files.create_companies(tx, actor, entries=entries)
        ids |= {item.id: None for item in made.results if item.id is not None}
    return list(ids)


async def _withdraw(tx: Transaction, actor: Actor, batch: EnrichmentBatch) -> None:
    """Remove the jobs that have not begun. Runs of companies that others asked for, or wait for, stay."""
    under_way = await store.jobs_of(tx, batch)
    job_ids = list(under_way)
    if batch.subject is BatchSubject.COMPANIES:
        job_ids = await company_runs.only_for_batch(tx, actor, batch_id=batch.id, company_ids=list(under_way.values()))
    removed = await jobs.withdraw(tx, actor, job_ids=job_ids)
    if batch.subject is BatchSubject.COMPANIES:
        await company_runs.remove_unstarted(tx, actor, job_ids=removed)
    await store.wait(tx, batch, removed)


async def _locked(
    tx: Transaction, actor: Actor, batch_id: UUID, expected: Sequence[BatchStatus], message: str
) -> EnrichmentBatch:
    batch = await store.lock(tx, actor.workspace_id, batch_id)
    if batch is None:
        raise BatchNotFound
    if batch.status not in expected:
        raise BatchNotReady(f"{message} This one is {batch.status}.")
    return batch


async def _enqueue(tx: Transaction, actor: Actor, batch_id: UUID, trace: Mapping[str, str]) -> UUID:
    job = NewJob(ENRICH_BATCH, EnrichBatch(batch_id=batch_id), batch_id, trace)
    (job_id,) = await jobs.enqueue(tx, actor, jobs=[job])
    return job_id


def _name(command: StartEnrichment) -> str:
    if command.domains is not None:
        return "Companies by domain"
    if command.lead_ids is not None:
        return "Selected leads"
    return "Leads of an import" if command.import_id is not None else "Leads of a filter"


async def _record(tx: Transaction, actor: Actor, action: EnrichmentAuditAction, batch_id: UUID, count: int) -> None:
    data: dict[str, JsonValue] = {"count": count}
    await audit.record(tx, actor, action=action, subject_type=ENRICHMENT_BATCH, subject_id=batch_id, data=data)
