"""Declaration of the engagement domain."""

from leadflood.domains.engagement.events import EngagementAuditAction
from leadflood.domains.engagement.extension import EXTENSION, FILTERS
from leadflood.domains.engagement.participant import PARTICIPANT
from leadflood.domains.engagement.permissions import ENGAGEMENT_CONFIGURE, ENGAGEMENT_READ, ENGAGEMENT_WRITE
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.domain import Domain
from leadflood.kernel.pages import AuditGroup, NavItem

_AUDIT = AuditGroup(
    "engagement.",
    "Engagement",
    "activity",
    {
        EngagementAuditAction.RECORDED: "recorded an engagement of a lead",
        EngagementAuditAction.DELETED: "deleted an engagement of a lead",
        EngagementAuditAction.IMPORTED: "imported {count} engagements",
        EngagementAuditAction.CONFIGURED: "changed how engagement is counted",
    },
    "/engagement",
)

DOMAIN = Domain(
    name="engagement",
    audit=(_AUDIT,),
    participants=(PARTICIPANT,),
    filters={LEAD: FILTERS},
    extensions={LEAD: EXTENSION},
    permissions=(ENGAGEMENT_READ, ENGAGEMENT_WRITE, ENGAGEMENT_CONFIGURE),
    routes=("leadflood.domains.engagement.edge.routes",),
    pages=("leadflood.domains.engagement.edge.pages",),
    templates="leadflood.domains.engagement.edge",
    navigation=(
        NavItem(
            "Engagement",
            "/engagement",
            "activity",
            "data",
            order=68,
            permission=ENGAGEMENT_READ,
            words="priority level points decay matrix half-life",
        ),
    ),
)
