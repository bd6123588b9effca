"""Declaration of the metrics domain."""

from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.metrics import jobs
from leadflood.domains.metrics.events import AGGREGATE_METRICS, REBUILD_METRICS
from leadflood.kernel.domain import Domain, Services


def _jobs(services: Services) -> list[JobDefinition[NoPayload]]:
    return jobs.definitions(services.database)


DOMAIN = Domain(
    name="metrics",
    jobs=_jobs,
    schedules=(Schedule(AGGREGATE_METRICS, 60.0), Schedule(REBUILD_METRICS, 3600.0)),
    routes=("leadflood.api.routes.metrics",),
)
