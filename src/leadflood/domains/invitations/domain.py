"""Declaration of the invitations domain."""

from typing import Any

from leadflood.domains.invitations import jobs
from leadflood.domains.invitations.events import PURGE_INVITATIONS
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.domain import Domain, Services


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(
        services.database, mailer=services.mailer, secret_box=services.secret_box, public_url=services.public_url
    )


DOMAIN = Domain(
    name="invitations",
    jobs=_jobs,
    schedules=(Schedule(PURGE_INVITATIONS, 86_400.0),),
    routes=("leadflood.api.routes.invitations",),
    pages=("leadflood.web.pages.invitations",),
)
