"""Declaration of the stages domain."""

from leadflood.domains.identity.permissions import WORKSPACE_READ
from leadflood.domains.stages.events import EVENTS, StageAuditAction
from leadflood.kernel.domain import Domain
from leadflood.kernel.pages import AuditGroup, NavItem

_AUDIT = AuditGroup(
    "stage.",
    "Stages",
    "milestone",
    {
        StageAuditAction.CREATED: "created the stage “{key}”",
        StageAuditAction.UPDATED: "changed the stage “{key}”",
    },
    "/settings/stages",
)

DOMAIN = Domain(
    name="stages",
    audit=(_AUDIT,),
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
