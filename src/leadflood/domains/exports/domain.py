"""Declaration of the exports domain."""

from typing import Any

from leadflood.domains.exports import jobs
from leadflood.domains.exports.events import PURGE_EXPORTS
from leadflood.domains.exports.participant import PARTICIPANT
from leadflood.domains.exports.permissions import LEADS_EXPORT
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.db.sql import sql
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.metrics import Metric
from leadflood.kernel.pages import NavItem


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database)


DOMAIN = Domain(
    name="exports",
    jobs=_jobs,
    schedules=(Schedule(PURGE_EXPORTS, 3600.0),),
    participants=(PARTICIPANT,),
    permissions=(LEADS_EXPORT,),
    routes=("leadflood.api.routes.exports",),
    pages=("leadflood.web.pages.exports",),
    navigation=(
        NavItem(
            "Export leads",
            "/leads/export",
            "download",
            order=15,
            permission=LEADS_EXPORT,
            words="csv parquet ndjson",
        ),
        NavItem(
            "Exports",
            "/exports",
            "download",
            "data",
            order=60,
            keys="g e",
            permission=LEADS_EXPORT,
            words="past files download",
            under=("/exports/", "/leads/export/"),
        ),
    ),
    metrics=(
        Metric(
            name="exports.requested",
            label="Exports",
            help="Exports prepared in the background.",
            permission=LEADS_EXPORT,
            happened=sql("""
SELECT workspace_id, created_at AS at FROM exports WHERE created_at >= :since AND created_at < :until
"""),
        ),
    ),
)
