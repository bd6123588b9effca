"""What duplicates declare."""

from typing import Any

from leadflood.domains.duplicates import jobs
from leadflood.domains.duplicates.events import START_SCANS
from leadflood.domains.duplicates.participant import PARTICIPANT
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.domain import Domain, Services


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database)


DOMAIN = Domain(name="duplicates", jobs=_jobs, schedules=(Schedule(START_SCANS, 3600.0),), participants=(PARTICIPANT,))
