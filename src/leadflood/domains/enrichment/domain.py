"""What enrichment declares."""

from leadflood.domains.enrichment import jobs, listeners
from leadflood.domains.enrichment.events import LEAD_ENRICHED, LEAD_ENRICHMENT_FAILED, EnrichLead
from leadflood.domains.enrichment.participant import PARTICIPANT
from leadflood.domains.enrichment.registry import build_adapters
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD_CREATED, LEAD_ENRICHMENT_REQUESTED
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.events import Subscription


def _jobs(services: Services) -> list[JobDefinition[EnrichLead]]:
    return jobs.definitions(build_adapters(services.settings))


DOMAIN = Domain(
    name="enrichment",
    jobs=_jobs,
    events=(LEAD_ENRICHED, LEAD_ENRICHMENT_FAILED),
    subscriptions=(
        Subscription("enrichment.lead_created", LEAD_CREATED, listeners.lead_created),
        Subscription("enrichment.requested", LEAD_ENRICHMENT_REQUESTED, listeners.enrichment_requested),
    ),
    participants=(PARTICIPANT,),
)
