"""Declaration of the tags domain."""

from collections.abc import Mapping
from typing import Any

from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD
from leadflood.domains.tags import jobs
from leadflood.domains.tags.events import EVENTS, PURGE_TAGS, TAGGED_KIND, UNTAGGED_KIND, TagAuditAction
from leadflood.domains.tags.extension import EXTENSION, FILTERS
from leadflood.domains.tags.participant import PARTICIPANT
from leadflood.domains.tags.permissions import TAGS_READ, TAGS_WRITE
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.metrics import Metric
from leadflood.kernel.pages import AuditGroup, NavItem, TimelineKind


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database, retention_days=services.settings.lead_retention_days)


def _names(data: Mapping[str, Any]) -> str:
    return ", ".join(map(str, data.get("tags", ())))


_AUDIT = AuditGroup(
    "tag.",
    "Tags",
    "tag",
    {
        TagAuditAction.CREATED: "created a tag",
        TagAuditAction.CHANGED: "changed a tag",
        TagAuditAction.DELETED: "deleted a tag",
        TagAuditAction.RESTORED: "restored a tag",
        TagAuditAction.MERGED: "merged two tags",
        TagAuditAction.TAGGED: "added tags to a lead",
        TagAuditAction.UNTAGGED: "removed tags from a lead",
    },
    "/settings/tags",
)

DOMAIN = Domain(
    name="tags",
    audit=(_AUDIT,),
    jobs=_jobs,
    schedules=(Schedule(PURGE_TAGS, 86_400.0),),
    events=EVENTS,
    participants=(PARTICIPANT,),
    filters={LEAD: FILTERS},
    extensions={LEAD: EXTENSION},
    permissions=(TAGS_READ, TAGS_WRITE),
    routes=("leadflood.domains.tags.edge.routes",),
    pages=("leadflood.domains.tags.edge.pages",),
    templates="leadflood.domains.tags.edge",
    navigation=(
        NavItem("Tags", "/settings/tags", "tag", "workspace", order=130, permission=TAGS_READ, words="settings labels"),
    ),
    timeline=(
        TimelineKind(TAGGED_KIND, "Tagged", "tag", text=_names),
        TimelineKind(UNTAGGED_KIND, "Tag removed", "tag", text=_names),
    ),
    metrics=(
        Metric(
            name="tags.added",
            label="Leads tagged",
            help="Tags put on leads, including those removed since.",
            permission=TAGS_READ,
            entry=TAGGED_KIND,
        ),
    ),
)
