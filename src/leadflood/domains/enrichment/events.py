"""The job and the domain events of enrichment."""

from uuid import UUID

from leadflood.domains.jobs.models import JobKind, Payload
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.events import EventData, EventType


class EnrichLead(Payload):
    """The lead to enrich."""

    lead_id: UUID


ENRICH_LEAD = JobKind("leads.enrich.v1", EnrichLead, max_attempts=5)
"""Queued in the transaction that creates a lead, or that requests its enrichment."""


class LeadEnrichedData(EventData):
    """The job, and the fields with a chosen value."""

    job_id: UUID
    fields: list[str]


class EnrichmentFailedData(EventData):
    """The job, which has the reason."""

    job_id: UUID


LEAD_ENRICHED = EventType("lead.enriched.v1", LEAD, LeadEnrichedData, "Enrichment of a lead is complete.")
LEAD_ENRICHMENT_FAILED = EventType(
    "lead.enrichment_failed.v1", LEAD, EnrichmentFailedData, "Enrichment of a lead failed for good."
)
