"""Declaration of the stages domain."""

from leadflood.domains.identity.permissions import WORKSPACE_READ
from leadflood.domains.stages.events import EVENTS
from leadflood.kernel.domain import Domain
from leadflood.kernel.pages import NavItem

DOMAIN = Domain(
    name="stages",
    events=EVENTS,
    routes=("leadflood.api.routes.stages",),
    pages=("leadflood.web.pages.stages",),
    navigation=(
        NavItem(
            "Stages",
            "/settings/stages",
            "milestone",
            "workspace",
            order=125,
            permission=WORKSPACE_READ,
            words="settings lifecycle status pipeline",
        ),
    ),
)
