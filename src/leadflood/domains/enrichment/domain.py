"""What enrichment declares."""

from leadflood.domains.enrichment import jobs
from leadflood.domains.enrichment.participant import PARTICIPANT
from leadflood.domains.enrichment.registry import build_adapters
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import EnrichLead
from leadflood.kernel.domain import Domain, Services


def _jobs(services: Services) -> list[JobDefinition[EnrichLead]]:
    return jobs.definitions(build_adapters(services.settings))


DOMAIN = Domain(name="enrichment", jobs=_jobs, participants=(PARTICIPANT,))
