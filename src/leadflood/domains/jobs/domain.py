"""Declaration of the jobs domain."""

from typing import Any

from leadflood.domains.jobs import jobs
from leadflood.domains.jobs.events import CLEAN_UP, HEARTBEAT, Schedule
from leadflood.domains.jobs.participant import PARTICIPANT
from leadflood.domains.jobs.permissions import JOBS_READ, OUTBOX_READ, PERMISSIONS
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.pages import NavItem


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
            "Jobs",
            "/jobs",
            "activity",
            "main",
            order=30,
            keys="g j",
            permission=JOBS_READ,
            words="queue failed workers",
            count="jobs",
            failed="jobs_failed",
        ),
        NavItem(
            "Failed jobs",
            "/jobs?status=failed",
            "circle-x",
            order=31,
            permission=JOBS_READ,
            words="errors causes retry",
        ),
        NavItem(
            "Event delivery",
            "/outbox",
            "send",
            "main",
            order=40,
            keys="g o",
            permission=OUTBOX_READ,
            words="outbox events undelivered replay retry",
            failed="outbox_failed",
        ),
    ),
)
