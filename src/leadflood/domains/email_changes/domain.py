"""Declaration of the email changes domain."""

from typing import Any

from leadflood.domains.email_changes import jobs
from leadflood.domains.email_changes.events import PURGE_EMAIL_CHANGES
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.domain import Domain, Services


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(
        services.database, mailer=services.mailer, secret_box=services.secret_box, public_url=services.public_url
    )


DOMAIN = Domain(
    name="email_changes",
    jobs=_jobs,
    schedules=(Schedule(PURGE_EMAIL_CHANGES, 86_400.0),),
    pages=("leadflood.web.pages.email_changes",),
)
