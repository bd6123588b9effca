"""The job that enriches a lead."""

from collections.abc import Sequence
from datetime import datetime

from leadflood.domains.enrichment import service
from leadflood.domains.enrichment.events import ENRICH_LEAD, EnrichLead
from leadflood.domains.enrichment.models import Adapter, KnownLead
from leadflood.domains.enrichment.store import AdapterRun
from leadflood.domains.jobs.errors import Terminal
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction


def definitions(adapters: Sequence[Adapter]) -> list[JobDefinition[EnrichLead]]:
    """The jobs of this domain, run with these adapters in this order."""

    async def enrich_lead(context: JobContext[EnrichLead]) -> Complete[service.AttemptResult] | None:
        if context.loaded is not None:
            return await _enrich_locally(context.loaded, adapters)
        return await _enrich(context, adapters)

    load = _load if all(adapter.is_local for adapter in adapters) else None
    return [JobDefinition(ENRICH_LEAD, enrich_lead, on_failed=_lead_failed, many=True, load=load)]


async def _load(tx: Transaction, actor: Actor, payloads: Sequence[EnrichLead]) -> list[KnownLead | None]:
    """None for a deleted lead."""
    known = await service.load_leads(tx, actor, lead_ids=[payload.lead_id for payload in payloads])
    return [known.get(payload.lead_id) for payload in payloads]


async def _enrich_locally(lead: KnownLead, adapters: Sequence[Adapter]) -> Complete[service.AttemptResult]:
    """Nothing waits, so the lead passes through `processing` in one transaction."""
    runs = [await _ask(adapter, lead) for adapter in adapters]
    order = [adapter.name for adapter in adapters]
    return Complete(service.complete, service.AttemptResult(lead.lead_id, runs, order, begun=False))


async def _enrich(
    context: JobContext[EnrichLead], adapters: Sequence[Adapter]
) -> Complete[service.AttemptResult] | None:
    job, lead_id = context.job, context.payload.lead_id
    started = await context.share(service.start, lead_id)
    if started is None:
        return None
    waiting = [adapter for adapter in adapters if adapter.name not in started.answered]
    answers: list[AdapterRun] = []
    for adapter in waiting:
        run = await _ask(adapter, started.lead)
        answers.append(run)
        if adapter is not waiting[-1] or run.error:
            async with context.transaction() as tx:
                await service.record_run(tx, context.actor, lead_id=lead_id, job_id=job.id, run=run)
    outcomes = {**started.answered, **{run.adapter: run.error for run in answers}}
    if outcomes and None not in outcomes.values():
        raise Terminal(" ".join(f"{name}: {error}" for name, error in outcomes.items()))
    unkept = [run for run in answers[-1:] if run.error is None]
    order = [adapter.name for adapter in adapters]
    return Complete(service.complete, service.AttemptResult(lead_id, unkept, order))


async def _ask(adapter: Adapter, lead: KnownLead) -> AdapterRun:
    """One call. `Retryable` is raised: the whole attempt is repeated, without the adapters that already answered."""
    started_at: datetime = utc_now()
    try:
        values = await adapter.enrich(lead)
    except Terminal as refusal:
        return AdapterRun(adapter.name, adapter.version, started_at, error=refusal.reason)
    return AdapterRun(adapter.name, adapter.version, started_at, values)


async def _lead_failed(tx: Transaction, job: RunningJob, payload: EnrichLead | None, error: str) -> None:
    actor = Actor.system(job.workspace_id)
    lead_id = payload.lead_id if payload else job.subject_id
    if lead_id is not None:
        await service.fail(tx, actor, lead_id=lead_id, job_id=job.id, error=error)
