"""Reactions to created leads and requested enrichments, in the same transaction."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.enrichment.events import ENRICH_LEAD, EnrichLead
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.events import EnrichmentRequestedData, LeadCreatedData
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event


async def lead_created(tx: Transaction, events: Sequence[Event[LeadCreatedData]]) -> None:
    """Queue the jobs of new leads, with the IDs chosen by their creator."""
    wanted = [_job(event, event.data.job_id) for event in events if event.data.job_id is not None]
    if wanted:
        await jobs.enqueue(tx, events[0].actor, jobs=wanted)


async def enrichment_requested(tx: Transaction, events: Sequence[Event[EnrichmentRequestedData]]) -> None:
    """Queue the jobs of leads to enrich again, with the IDs chosen by the requester."""
    await jobs.enqueue(tx, events[0].actor, jobs=[_job(event, event.data.job_id) for event in events])


def _job(event: Event[LeadCreatedData] | Event[EnrichmentRequestedData], job_id: UUID) -> NewJob[EnrichLead]:
    payload = EnrichLead(lead_id=event.subject_id)
    return NewJob(ENRICH_LEAD, payload, event.subject_id, event.trace, job_id, event.priority)
