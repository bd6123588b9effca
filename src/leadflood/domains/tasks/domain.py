"""Declaration of the tasks domain."""

from collections.abc import Mapping
from typing import Any

from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD
from leadflood.domains.tasks import jobs
from leadflood.domains.tasks.events import EVENTS, PURGE_TASKS, TASK_ADDED_KIND, TASK_DONE_KIND, TaskAuditAction
from leadflood.domains.tasks.extension import EXTENSION, FILTERS, HOME
from leadflood.domains.tasks.participant import PARTICIPANT
from leadflood.domains.tasks.permissions import TASKS_READ, TASKS_WRITE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.pages import AuditGroup, NavCount, NavItem, TimelineKind


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database, retention_days=services.settings.lead_retention_days)


def _title(data: Mapping[str, Any]) -> str:
    return str(data.get("title", ""))


_AUDIT = AuditGroup(
    "task.",
    "Tasks",
    "square-check",
    {
        TaskAuditAction.CREATED: "added a task to a lead",
        TaskAuditAction.UPDATED: "changed a task",
        TaskAuditAction.COMPLETED: "completed a task",
        TaskAuditAction.REOPENED: "reopened a task",
        TaskAuditAction.DELETED: "deleted a task",
        TaskAuditAction.RESTORED: "restored a task",
    },
    "/tasks/{id}",
)

DOMAIN = Domain(
    name="tasks",
    audit=(_AUDIT,),
    jobs=_jobs,
    schedules=(Schedule(PURGE_TASKS, 86_400.0),),
    events=EVENTS,
    participants=(PARTICIPANT,),
    filters={LEAD: FILTERS},
    extensions={LEAD: EXTENSION},
    home=(HOME,),
    permissions=(TASKS_READ, TASKS_WRITE),
    routes=("leadflood.domains.tasks.edge.routes",),
    pages=("leadflood.domains.tasks.edge.pages",),
    templates="leadflood.domains.tasks.edge",
    navigation=(
        NavItem(
            "Tasks",
            "/tasks",
            "square-check",
            "main",
            order=14,
            keys="g t",
            permission=TASKS_READ,
            words="to do overdue due today",
            failed="tasks_overdue",
            failed_label="overdue",
        ),
    ),
    nav_counts=(
        NavCount(
            "tasks_overdue",
            sql("""
SELECT FROM lead_tasks t JOIN leads l ON l.workspace_id = t.workspace_id AND l.id = t.lead_id AND l.deleted_at IS NULL
WHERE t.workspace_id = :workspace_id AND t.deleted_at IS NULL AND t.done_at IS NULL AND t.due_at <= now()
  AND t.assignee_id = :user_id
"""),
            personal=True,
        ),
    ),
    timeline=(
        TimelineKind(TASK_ADDED_KIND, "Task added", "square", text=_title),
        TimelineKind(TASK_DONE_KIND, "Task done", "square-check", "ok", text=_title),
    ),
)
