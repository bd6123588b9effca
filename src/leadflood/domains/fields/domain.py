"""What custom fields declare."""

from typing import Any

from leadflood.domains.fields import jobs
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.domain import Domain, Services


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.converters)


DOMAIN = Domain(name="fields", jobs=_jobs)
