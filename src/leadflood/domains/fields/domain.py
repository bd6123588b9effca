"""Declaration of the custom fields domain."""

from typing import Any

from leadflood.domains.fields import jobs
from leadflood.domains.identity.permissions import WORKSPACE_READ
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.pages import NavItem


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.converters)


DOMAIN = Domain(
    name="fields",
    jobs=_jobs,
    routes=("leadflood.api.routes.fields",),
    pages=("leadflood.web.pages.fields",),
    navigation=(
        NavItem(
            "Fields",
            "/settings/fields",
            "columns-3",
            "workspace",
            order=120,
            permission=WORKSPACE_READ,
            words="settings custom types",
        ),
    ),
)
