"""Declaration of the engagement domain."""

from leadflood.domains.engagement.events import EngagementAuditAction
from leadflood.domains.engagement.extension import EXTENSION
from leadflood.domains.engagement.participant import PARTICIPANT
from leadflood.domains.engagement.permissions import ENGAGEMENT_READ, ENGAGEMENT_WRITE
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.domain import Domain
from leadflood.kernel.pages import AuditGroup

_AUDIT = AuditGroup(
    "engagement.",
    "Engagement",
    "activity",
    {
        EngagementAuditAction.RECORDED: "recorded an engagement of a lead",
        EngagementAuditAction.DELETED: "deleted an engagement of a lead",
        EngagementAuditAction.IMPORTED: "imported {count} engagements",
    },
)

DOMAIN = Domain(
    name="engagement",
    audit=(_AUDIT,),
    participants=(PARTICIPANT,),
    extensions={LEAD: EXTENSION},
    permissions=(ENGAGEMENT_READ, ENGAGEMENT_WRITE),
    routes=("leadflood.domains.engagement.edge.routes",),
    pages=("leadflood.domains.engagement.edge.pages",),
    templates="leadflood.domains.engagement.edge",
)
