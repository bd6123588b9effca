"""Runs of leads: each is stored as it ends, and sources that asked for patience are asked again by a later one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from leadflood.domains.enrichment.events import (
    ENRICH_LEAD_LATER,
    LEAD_ENRICHED,
    SOURCES_ANSWERED_KIND,
    EnrichLeadLater,
    LeadEnrichedData,
)
from leadflood.domains.enrichment.models.choosing import FactCandidate
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.follow_ups import follow_up_at
from leadflood.domains.enrichment.models.lead_runs import FollowUpEnd, LeadRun, ScheduledRun
from leadflood.domains.enrichment.models.policies import ChoiceRules
from leadflood.domains.enrichment.models.runs import StepState, run_sentence
from leadflood.domains.enrichment.service import avoided
from leadflood.domains.enrichment.service.choosing import choose_for_leads
from leadflood.domains.enrichment.store import lead_runs
from leadflood.domains.enrichment.store.competing import competing_facts
from leadflood.domains.enrichment.store.lead_runs import EndedRun
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob, RunningJob
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import random_unit
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Priority


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The lead of a run that is about to begin, and what is known of it."""

    lead: LeadDetails
    known: Sequence[FactCandidate]


async def record(tx: Transaction, actor: Actor, ended: Sequence[tuple[RunningJob, LeadRun]]) -> None:
    """Store runs of leads, which are locked, and queue the runs that follow them."""
    if not ended:
        return
    now, written, queued = utc_now(), [], []
    for job, finished in ended:
        result = await avoided.record(tx, actor, finished.result, subject=SubjectKind.LEAD, subject_id=finished.lead_id)
        run = replace(finished, result=result)
        again = follow_up_at(run.result, now, follow_ups=run.follow_ups, spread=random_unit())
        if again is None:
            written.append(EndedRun(run, job.id))
            continue
        next_job_id, payload = new_id(), EnrichLeadLater(lead_id=run.lead_id)
        written.append(EndedRun(run, job.id, next_job_id, again))
        queued.append(NewJob(ENRICH_LEAD_LATER, payload, run.lead_id, job.trace, next_job_id, Priority.BULK))
    await lead_runs.write(tx, actor.workspace_id, written)
    if queued:
        await jobs.enqueue(tx, actor, jobs=queued)


async def scheduled(tx: Transaction, actor: Actor, *, lead_id: UUID, job_id: UUID) -> ScheduledRun | None:
    """The run that a job is for; None if its lead was enriched again meanwhile."""
    return await lead_runs.scheduled(tx, actor.workspace_id, lead_id=lead_id, job_id=job_id)


async def begin(tx: Transaction, actor: Actor, *, lead_id: UUID, rules: ChoiceRules) -> FollowUp | None:
    """Read what a run needs. None for a deleted lead."""
    lead = (await leads.active_leads(tx, actor, lead_ids=[lead_id])).get(lead_id)
    if lead is None:
        return None
    stored = (await competing_facts(tx, actor.workspace_id, [lead_id]))[lead_id].facts
    return FollowUp(lead, [one.candidate(rules) for one in stored])


async def finish(tx: Transaction, actor: Actor, ended: Sequence[tuple[RunningJob, FollowUpEnd]]) -> None:
    """End runs that followed others: choose again, and tell of what is new. The status of the leads stays."""
    active = await leads.lock_leads(tx, actor, lead_ids=[end.run.lead_id for _, end in ended])
    for job, end in ended:
        run = end.run
        still = await scheduled(tx, actor, lead_id=run.lead_id, job_id=job.id)
        if run.lead_id not in active or still is None:
            continue
        await choose_for_leads(tx, actor, lead_ids=[run.lead_id], rules=end.rules)
        news = [step for step in run.result.steps if step.state is StepState.FOUND and not step.stored]
        if news:
            entry = {"jobId": str(job.id), "sentence": run_sentence(news, sum(step.facts for step in news))}
            await leads.add_each_to_timelines(tx, actor, kind=SOURCES_ANSWERED_KIND, entries={run.lead_id: entry})
            data = LeadEnrichedData(job_id=job.id, fields=sorted(field.name for field in run.result.chosen))
            await publish(tx, LEAD_ENRICHED, [Event(run.lead_id, data, actor, job.trace)])
        await record(tx, actor, [(job, run)])
