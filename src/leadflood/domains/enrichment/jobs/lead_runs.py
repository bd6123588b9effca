"""Runs of the sources about a person that do not answer immediately, and the job of a run that follows another one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from leadflood.domains.enrichment.engine.lead_questions import asked_fields, given_values
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.events import ENRICH_LEAD_LATER, EnrichLeadLater
from leadflood.domains.enrichment.models import SubjectKind
from leadflood.domains.enrichment.models.choosing import FactCandidate
from leadflood.domains.enrichment.models.lead_runs import FollowUpEnd, LeadRun
from leadflood.domains.enrichment.models.runs import RunRequest, RunResult
from leadflood.domains.enrichment.models.source_sets import SourceSet
from leadflood.domains.enrichment.queries.worth import read_worth
from leadflood.domains.enrichment.service import lead_runs
from leadflood.domains.enrichment.service.workspace_sources import SourceSets
from leadflood.domains.enrichment.store.lookups import LookupAsker, end_claims
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition, Later
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.kernel.clock import utc_now


def definitions(sources: SourceSets, engines: SubjectEngines) -> list[JobDefinition[EnrichLeadLater]]:
    """The job that asks sources again which had asked for patience."""

    async def again(context: JobContext[EnrichLeadLater]) -> Complete[FollowUpEnd] | Later | None:
        """Ask them when it is time. What others answered before is used again."""
        lead_id = context.payload.lead_id
        async with context.transaction() as tx:
            scheduled = await lead_runs.scheduled(tx, context.actor, lead_id=lead_id, job_id=context.job.id)
            if scheduled is None:
                return None
            if scheduled.not_before > utc_now():
                return Later(scheduled.not_before, "Some sources want to be asked later.")
            current = await sources.of(tx, context.actor.workspace_id)
            begun = await lead_runs.begin(tx, context.actor, lead_id=lead_id, rules=current.rules)
        if begun is None:
            return None
        left = current.without({step["source"] for step in scheduled.answered})
        result = await run_sources(context, engines, left, begun.lead, begun.known, newer_than=scheduled.newer_than)
        run = LeadRun(lead_id, result, scheduled.newer_than, scheduled.follow_ups, scheduled.answered)
        return Complete(lead_runs.finish, FollowUpEnd(run, current.rules))

    return [JobDefinition(ENRICH_LEAD_LATER, again)]


async def run_sources(
    context: JobContext[Any],
    engines: SubjectEngines,
    sources: SourceSet,
    lead: LeadDetails,
    known: Sequence[FactCandidate],
    *,
    newer_than: datetime,
) -> RunResult:
    """Ask the sources about a lead that do not answer immediately. Their answers are stored as they come."""
    job = context.job
    asker = LookupAsker(job.workspace_id, SubjectKind.LEAD, lead.id, job.id)
    async with context.transaction() as tx:
        await end_claims(tx, asker)
        worth = await read_worth(tx, context.actor, subject=asker.kind, subject_id=lead.id, sources=sources)
    request = RunRequest(
        SubjectKind.LEAD,
        given_values(lead),
        asked_fields(sources.slow),
        sources.rules.policy,
        newer_than=newer_than,
        stored=known,
        worth=worth,
    )
    return (await engines.run(asker, sources.slow, request, sources.gates)).result
