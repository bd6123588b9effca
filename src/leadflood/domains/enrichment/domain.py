"""Declaration of the enrichment domain."""

from leadflood.domains.enrichment import jobs, listeners
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.events import LEAD_ENRICHED, LEAD_ENRICHMENT_FAILED, EnrichLead
from leadflood.domains.enrichment.participant import PARTICIPANT
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD_CREATED, LEAD_ENRICHMENT_REQUESTED, LeadEventKind
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.events import Subscription
from leadflood.kernel.fingerprints import Fingerprints
from leadflood.kernel.metrics import Metric
from leadflood.kernel.pages import TimelineKind


def _jobs(services: Services) -> list[JobDefinition[EnrichLead]]:
    fingerprints = Fingerprints(services.database, services.secret_box)
    engines = SubjectEngines(
        services.database,
        lambda workspace_id: DoorFetcher(services.door, services.sandbox, workspace_id),
        fingerprints.hash,
    )
    return jobs.definitions(worker_sources(services.settings), engines)


DOMAIN = Domain(
    name="enrichment",
    jobs=_jobs,
    events=(LEAD_ENRICHED, LEAD_ENRICHMENT_FAILED),
    subscriptions=(
        Subscription("enrichment.lead_created", LEAD_CREATED, listeners.lead_created),
        Subscription("enrichment.requested", LEAD_ENRICHMENT_REQUESTED, listeners.enrichment_requested),
    ),
    participants=(PARTICIPANT,),
    timeline=(
        TimelineKind(LeadEventKind.ENRICHMENT_REQUESTED, "Enrichment requested", "sparkles"),
        TimelineKind(LeadEventKind.ENRICHMENT_STARTED, "Enrichment started", "loader-circle", "info"),
        TimelineKind(LeadEventKind.ENRICHMENT_COMPLETED, "Enriched", "circle-check", "ok"),
        TimelineKind(LeadEventKind.ENRICHMENT_FAILED, "Enrichment failed", "circle-x", "bad"),
    ),
    metrics=(
        Metric(
            name="enrichment.completed",
            label="Leads enriched",
            help="Enrichments completed, including repeated ones of a lead.",
            permission=LEADS_READ,
            entry=LeadEventKind.ENRICHMENT_COMPLETED,
        ),
        Metric(
            name="enrichment.failed",
            label="Enrichments failed",
            help="Enrichments failed after all attempts.",
            permission=LEADS_READ,
            entry=LeadEventKind.ENRICHMENT_FAILED,
        ),
    ),
)
