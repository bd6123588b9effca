"""Reactions to created leads, requested enrichments and merges of companies, in the same transaction."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.companies import queries as companies
from leadflood.domains.companies.events import CompanyData, CompanyMergeData
from leadflood.domains.companies.models import MergeKind
from leadflood.domains.enrichment.events import ENRICH_LEAD, EnrichLead
from leadflood.domains.enrichment.registry import standard_rules
from leadflood.domains.enrichment.service import company_runs
from leadflood.domains.enrichment.service.effective import refresh_companies, refresh_leads
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


async def company_merged(tx: Transaction, events: Sequence[Event[CompanyMergeData]]) -> None:
    """Give the facts of a merged company to its survivor."""
    for event in events:
        await company_runs.move_facts(
            tx,
            event.actor,
            merge_id=event.data.merge_id,
            from_id=event.data.other_id,
            to_id=event.subject_id,
            rules=standard_rules(),
        )


async def company_merge_undone(tx: Transaction, events: Sequence[Event[CompanyMergeData]]) -> None:
    """Return the facts that a merge moved; of an undone split, the facts of the split-off company move."""
    for event in events:
        merge = await companies.get_merge(tx, event.actor, merge_id=event.data.merge_id)
        moved = merge.kind is MergeKind.SPLIT
        survivor, other = event.subject_id, event.data.other_id
        await (company_runs.move_facts if moved else company_runs.return_facts)(
            tx,
            event.actor,
            merge_id=event.data.merge_id,
            from_id=other if moved else survivor,
            to_id=survivor if moved else other,
            rules=standard_rules(),
        )


async def company_changed(tx: Transaction, events: Sequence[Event[CompanyData]]) -> None:
    """Bring the leads of companies up to date whose name or state changed."""
    company_ids = list({event.subject_id for event in events})
    await refresh_companies(tx, events[0].actor, company_ids=company_ids, trace=events[0].trace)


async def company_split(tx: Transaction, events: Sequence[Event[CompanyMergeData]]) -> None:
    """The same for both parts of split companies."""
    company_ids = [company_id for event in events for company_id in (event.subject_id, event.data.other_id)]
    await refresh_companies(tx, events[0].actor, company_ids=company_ids, trace=events[0].trace)


async def lead_linked(tx: Transaction, events: Sequence[Event[CompanyData]]) -> None:
    """The same for leads that belong to another company now."""
    await refresh_leads(tx, events[0].actor, lead_ids=[event.subject_id for event in events])


def _job(event: Event[LeadCreatedData] | Event[EnrichmentRequestedData], job_id: UUID) -> NewJob[EnrichLead]:
    payload = EnrichLead(lead_id=event.subject_id)
    return NewJob(ENRICH_LEAD, payload, event.subject_id, event.trace, job_id, event.priority)
