"""Declaration of the imports domain."""

from dataclasses import replace
from typing import Any

from leadflood.domains.imports import jobs, listeners
from leadflood.domains.imports.events import IMPORT_COMMITTED, IMPORT_UNDONE, PURGE_IMPORTS
from leadflood.domains.imports.filters import LEAD_FILTERS
from leadflood.domains.imports.participant import PARTICIPANT
from leadflood.domains.imports.queries import import_names
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import CHANGESET_UNDONE, LEAD
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.events import Subscription
from leadflood.kernel.metrics import Metric
from leadflood.kernel.pages import NavItem


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    days = services.settings.lead_retention_days
    return jobs.definitions(services.database, services.sandbox, retention_days=days)


DOMAIN = Domain(
    name="imports",
    jobs=_jobs,
    schedules=(Schedule(PURGE_IMPORTS, 86_400.0),),
    events=(IMPORT_COMMITTED, IMPORT_UNDONE),
    subscriptions=(Subscription("imports.changeset_undone", CHANGESET_UNDONE, listeners.changeset_undone),),
    participants=(PARTICIPANT,),
    routes=("leadflood.api.routes.imports",),
    pages=(
        "leadflood.web.pages.imports",
        "leadflood.web.pages.import_detail",
    ),
    navigation=(
        NavItem(
            "Import leads",
            "/imports/new",
            "upload",
            order=14,
            permission=LEADS_WRITE,
            words="csv xlsx upload leads",
        ),
        NavItem(
            "Imports",
            "/imports",
            "upload",
            "data",
            order=50,
            keys="g m",
            permission=LEADS_READ,
            words="csv xlsx files undo",
        ),
    ),
    filters={LEAD: [replace(each, options=import_names) for each in LEAD_FILTERS]},
    metrics=(
        Metric(
            name="imports.committed",
            label="Imports",
            help="Files imported.",
            permission=LEADS_READ,
            happened=sql("""
SELECT workspace_id, finished_at AS at FROM imports
WHERE status = 'committed' AND finished_at >= :since AND finished_at < :until
"""),
        ),
    ),
)
