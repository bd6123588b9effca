"""What leads declare."""

from typing import Any

from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads import jobs
from leadflood.domains.leads.events import EVENTS, LEAD, PURGE_DELETED
from leadflood.domains.leads.participant import PARTICIPANT
from leadflood.domains.leads.service.custom import convert_values
from leadflood.kernel.domain import Domain, Services


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(
        services.database, services.participants, retention_days=services.settings.lead_retention_days
    )


DOMAIN = Domain(
    name="leads",
    jobs=_jobs,
    schedules=(Schedule(PURGE_DELETED, 86_400.0),),
    events=EVENTS,
    participants=(PARTICIPANT,),
    converters={LEAD: convert_values},
)
