"""What changes of addresses declare."""

from typing import Any

from leadflood.domains.email_changes import jobs
from leadflood.domains.email_changes.events import FORGET_EMAIL_CHANGES
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.domain import Domain, Services


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(
        services.database, mailer=services.mailer, sealer=services.sealer, public_url=services.public_url
    )


DOMAIN = Domain(name="email_changes", jobs=_jobs, schedules=(Schedule(FORGET_EMAIL_CHANGES, 86_400.0),))
