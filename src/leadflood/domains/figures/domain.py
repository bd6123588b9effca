"""What figures declare."""

from leadflood.domains.figures import jobs
from leadflood.domains.figures.events import COUNT_FIGURES, RECOUNT_FIGURES
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.domain import Domain, Services


def _jobs(services: Services) -> list[JobDefinition[NoPayload]]:
    return jobs.definitions(services.database)


DOMAIN = Domain(
    name="figures",
    jobs=_jobs,
    schedules=(Schedule(COUNT_FIGURES, 60.0), Schedule(RECOUNT_FIGURES, 3600.0)),
)
