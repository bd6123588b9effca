"""The job of enrichment, and what it says of leads."""

from uuid import UUID

from leadflood.domains.jobs.models import JobKind, Payload
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.events import EventData, EventType


class EnrichLead(Payload):
    """Which lead."""

    lead_id: UUID


ENRICH_LEAD = JobKind("leads.enrich.v1", EnrichLead, max_attempts=5)
"""Queued in the transaction that creates a lead, or that requests its enrichment."""


class LeadEnrichedData(EventData):
    """The job, and the fields of which a value was chosen."""

    job_id: UUID
    fields: list[str]


class EnrichmentFailedData(EventData):
    """The job, which says why."""

    job_id: UUID


LEAD_ENRICHED = EventType("lead.enriched.v1", LEAD, LeadEnrichedData, "Enrichment of a lead is complete.")
LEAD_ENRICHMENT_FAILED = EventType(
    "lead.enrichment_failed.v1", LEAD, EnrichmentFailedData, "Enrichment of a lead failed for good."
)
