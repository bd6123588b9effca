"""Declaration of the companies domain."""

from typing import Any

from leadflood.domains.companies import jobs, listeners
from leadflood.domains.companies.events import EVENTS, LINK_WORKSPACES, CompanyEventKind
from leadflood.domains.companies.participant import PARTICIPANT
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD_CREATED, LEAD_MERGED, LEAD_UNMERGED, LEAD_UPDATED
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.events import Subscription
from leadflood.kernel.pages import TimelineKind


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database)


DOMAIN = Domain(
    name="companies",
    jobs=_jobs,
    schedules=(Schedule(LINK_WORKSPACES, 86_400.0),),
    events=EVENTS,
    subscriptions=(
        Subscription("companies.lead_created", LEAD_CREATED, listeners.lead_created),
        Subscription("companies.lead_updated", LEAD_UPDATED, listeners.lead_updated),
        Subscription("companies.lead_merged", LEAD_MERGED, listeners.lead_merged),
        Subscription("companies.lead_unmerged", LEAD_UNMERGED, listeners.lead_merged),
    ),
    participants=(PARTICIPANT,),
    timeline=(TimelineKind(CompanyEventKind.CREATED, "Created", "building-2", "info"),),
)
