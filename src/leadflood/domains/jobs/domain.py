"""What jobs declare."""

from typing import Any

from leadflood.domains.jobs import jobs
from leadflood.domains.jobs.events import CLEAN_UP, HEARTBEAT, Schedule
from leadflood.domains.jobs.participant import PARTICIPANT
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.domain import Domain, Services


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    settings = services.settings
    return jobs.definitions(
        services.database,
        audit_days=settings.audit_retention_days,
        job_days=settings.job_retention_days,
        event_days=settings.event_retention_days,
    )


DOMAIN = Domain(
    name="jobs",
    jobs=_jobs,
    schedules=(Schedule(HEARTBEAT, 60.0), Schedule(CLEAN_UP, 3600.0)),
    participants=(PARTICIPANT,),
)
