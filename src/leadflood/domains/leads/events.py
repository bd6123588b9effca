"""What the timeline of a lead records, and the jobs that a lead causes."""

from enum import StrEnum

from leadflood.domains.jobs.models import JobKind


class LeadEventKind(StrEnum):
    """The kinds of entries in a lead's timeline. The values are stored: they never change their meaning."""

    CREATED = "lead.created"
    CHANGED = "lead.changed"
    DELETED = "lead.deleted"
    RESTORED = "lead.restored"
    ENRICHMENT_REQUESTED = "enrichment.requested"
    ENRICHMENT_STARTED = "enrichment.started"
    ENRICHMENT_COMPLETED = "enrichment.completed"
    ENRICHMENT_FAILED = "enrichment.failed"


ENRICH_LEAD = JobKind("leads.enrich.v1", max_attempts=5)
"""Payload: `{"leadId": uuid}`. Enqueued with every new lead; the enrichment domain runs it."""

PURGE_DELETED = JobKind("leads.purge.v1", max_attempts=3)
"""Payload: `{}`. Removes for good what was deleted longer ago than can be restored."""
