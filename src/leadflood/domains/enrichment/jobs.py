"""The job that enriches a lead."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from leadflood.domains.enrichment import service
from leadflood.domains.enrichment.models import Adapter, KnownLead
from leadflood.domains.enrichment.store import Run
from leadflood.domains.jobs.errors import Terminal
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import JobContext, JobDefinition, JobGroup, failed_id, payload_id
from leadflood.domains.leads.events import ENRICH_LEAD
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Transaction


def definitions(adapters: Sequence[Adapter]) -> list[JobDefinition]:
    """The jobs of this domain, run with these adapters in this order."""

    async def enrich_lead(context: JobContext) -> None:
        await _enrich(context, adapters)

    async def enrich_leads(group: JobGroup) -> None:
        await _enrich_at_once(group, adapters)

    together = enrich_leads if all(adapter.at_once for adapter in adapters) else None
    return [JobDefinition(ENRICH_LEAD, enrich_lead, on_failed=_lead_failed, together=together)]


async def _enrich_at_once(group: JobGroup, adapters: Sequence[Adapter]) -> None:
    """Nobody is waited for, so nobody could see a lead `processing`: it passes through that in one transaction."""
    lead_ids = {job.id: _lead_id(job) for job in group.jobs}
    async with group.reading() as tx:
        known = await service.known(tx, group.actor, lead_ids=list(lead_ids.values()))
    order = [adapter.name for adapter in adapters]
    ended: list[tuple[RunningJob, service.Ended]] = []
    for job in group.jobs:
        lead = known.get(lead_ids[job.id])
        if lead is not None:
            runs = [await _ask(adapter, lead) for adapter in adapters]
            ended.append((job, service.Ended(lead.lead_id, runs, order, begun=False)))
    await group.complete(service.complete, ended)


async def _enrich(context: JobContext, adapters: Sequence[Adapter]) -> None:
    job, lead_id = context.job, _lead_id(context.job)
    started = await context.together(service.start, lead_id)
    if started is None:
        return
    waiting = [adapter for adapter in adapters if adapter.name not in started.answered]
    answers: list[Run] = []
    for adapter in waiting:
        run = await _ask(adapter, started.lead)
        answers.append(run)
        if adapter is not waiting[-1] or run.error:
            async with context.transaction() as tx:
                await service.keep(tx, context.actor, lead_id=lead_id, job_id=job.id, run=run)
    outcomes = {**started.answered, **{run.adapter: run.error for run in answers}}
    if outcomes and None not in outcomes.values():
        raise Terminal(" ".join(f"{name}: {error}" for name, error in outcomes.items()))
    unkept = [run for run in answers[-1:] if run.error is None]
    order = [adapter.name for adapter in adapters]
    await context.completing_together(service.complete, service.Ended(lead_id, unkept, order))


async def _ask(adapter: Adapter, lead: KnownLead) -> Run:
    """One call. `Retryable` rises: the whole attempt is repeated, without the adapters that have answered."""
    started_at: datetime = utc_now()
    try:
        values = await adapter.enrich(lead)
    except Terminal as refusal:
        return Run(adapter.name, adapter.version, started_at, error=refusal.reason)
    return Run(adapter.name, adapter.version, started_at, values)


async def _lead_failed(tx: Transaction, job: RunningJob, error: str) -> None:
    actor = Actor.system(job.workspace_id)
    lead_id = failed_id(job, "leadId")
    if lead_id is not None:
        await service.fail(tx, actor, lead_id=lead_id, job_id=job.id, error=error)


def _lead_id(job: RunningJob) -> UUID:
    return payload_id(job, "leadId")
