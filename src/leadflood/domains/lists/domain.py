"""Declaration of the lists domain."""

from collections.abc import Mapping
from typing import Any

from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD
from leadflood.domains.lists import jobs
from leadflood.domains.lists.events import ADDED_KIND, EVENTS, PURGE_LISTS, REMOVED_KIND, ListAuditAction
from leadflood.domains.lists.extension import EXTENSION, FILTERS
from leadflood.domains.lists.participant import PARTICIPANT
from leadflood.domains.lists.permissions import LISTS_READ, LISTS_WRITE
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.metrics import Metric
from leadflood.kernel.pages import AuditGroup, NavItem, TimelineKind


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database, retention_days=services.settings.lead_retention_days)


def _name(data: Mapping[str, Any]) -> str:
    return str(data.get("list", ""))


_AUDIT = AuditGroup(
    "list.",
    "Lists",
    "list",
    {
        ListAuditAction.CREATED: "created a list",
        ListAuditAction.CHANGED: "changed a list",
        ListAuditAction.DELETED: "deleted a list",
        ListAuditAction.RESTORED: "restored a list",
        ListAuditAction.ADDED: "added {leads} to a list",
        ListAuditAction.REMOVED: "removed {leads} from a list",
    },
    "/lists/{id}",
)

DOMAIN = Domain(
    name="lists",
    audit=(_AUDIT,),
    jobs=_jobs,
    schedules=(Schedule(PURGE_LISTS, 86_400.0),),
    events=EVENTS,
    participants=(PARTICIPANT,),
    filters={LEAD: FILTERS},
    extensions={LEAD: EXTENSION},
    permissions=(LISTS_READ, LISTS_WRITE),
    routes=("leadflood.domains.lists.edge.routes",),
    pages=("leadflood.domains.lists.edge.pages",),
    templates="leadflood.domains.lists.edge",
    navigation=(
        NavItem("Lists", "/lists", "list", "main", order=15, permission=LISTS_READ, words="static segments groups"),
    ),
    timeline=(
        TimelineKind(ADDED_KIND, "Added to list", "list", text=_name),
        TimelineKind(REMOVED_KIND, "Removed from list", "list", text=_name),
    ),
    metrics=(
        Metric(
            name="lists.added",
            label="Leads added to lists",
            help="Leads put on lists, including those removed since.",
            permission=LISTS_READ,
            entry=ADDED_KIND,
        ),
    ),
)
