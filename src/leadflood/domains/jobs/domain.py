"""Declaration of the jobs domain."""

from typing import Any

from leadflood.domains.identity.permissions import WORKSPACE_WRITE
from leadflood.domains.jobs import jobs, queries
from leadflood.domains.jobs.events import CLEAN_UP, HEARTBEAT, Schedule
from leadflood.domains.jobs.participant import PARTICIPANT
from leadflood.domains.jobs.permissions import OUTBOX_READ, PERMISSIONS
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.actor import Permission
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.pages import NavCount, NavItem


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    settings = services.settings
    return jobs.definitions(
        services.database,
        audit_days=settings.audit_retention_days,
        job_days=settings.job_retention_days,
        event_days=settings.event_retention_days,
    )


DOMAIN = Domain(
    name="jobs",
    jobs=_jobs,
    schedules=(Schedule(HEARTBEAT, 60.0), Schedule(CLEAN_UP, 3600.0)),
    participants=(PARTICIPANT,),
    permissions=PERMISSIONS,
    routes=(
        "leadflood.api.routes.jobs",
        "leadflood.api.routes.job_retries",
        "leadflood.api.routes.workers",
        "leadflood.api.routes.outbox",
        "leadflood.api.routes.outbox_replays",
        "leadflood.api.routes.events",
    ),
    pages=(
        "leadflood.web.pages.jobs",
        "leadflood.web.pages.outbox",
    ),
    navigation=(
        NavItem(
            "Background jobs",
            "/jobs",
            "activity",
            "system",
            order=210,
            keys="g j",
            permission=WORKSPACE_WRITE,
            words="settings queue failed errors retry",
            failed="jobs_failed",
        ),
        NavItem(
            "Event delivery",
            "/outbox",
            "send",
            "system",
            order=220,
            keys="g o",
            permission=OUTBOX_READ,
            words="settings outbox events undelivered replay retry",
            failed="events_undelivered",
        ),
        NavItem(
            "Workers",
            "/settings/workers",
            "monitor",
            "system",
            order=230,
            permission=Permission.INSTANCE,
            words="settings processes",
        ),
    ),
    nav_counts=(
        NavCount("jobs_failed", queries.FAILED_JOBS.rows),
        NavCount("events_undelivered", queries.DEAD_EVENTS.rows),
    ),
)
