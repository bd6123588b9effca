"""Declaration of the duplicates domain."""

from typing import Any

from leadflood.domains.duplicates import jobs, queries
from leadflood.domains.duplicates.events import START_SCANS
from leadflood.domains.duplicates.extension import EXTENSION
from leadflood.domains.duplicates.participant import PARTICIPANT
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD, LeadEventKind
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.metrics import Metric
from leadflood.kernel.pages import NavCount, NavItem


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database, services.participants)


DOMAIN = Domain(
    name="duplicates",
    jobs=_jobs,
    schedules=(Schedule(START_SCANS, 3600.0),),
    participants=(PARTICIPANT,),
    extensions={LEAD: EXTENSION},
    routes=(
        "leadflood.api.routes.duplicates",
        "leadflood.api.routes.merge_runs",
        "leadflood.api.routes.merges",
    ),
    pages=("leadflood.web.pages.duplicates",),
    navigation=(
        NavItem(
            "Duplicates",
            "/duplicates",
            "users",
            "data",
            order=70,
            keys="g d",
            permission=LEADS_READ,
            words="merge twice same dedupe",
            count="duplicates",
        ),
    ),
    nav_counts=(NavCount("duplicates", queries.OPEN_PAIRS),),
    metrics=(
        Metric(
            name="duplicates.merged",
            label="Leads merged",
            help="Leads merged into another one, including those separated since.",
            permission=LEADS_READ,
            entry=LeadEventKind.MERGED_INTO,
        ),
    ),
)
