"""Domain events, timeline entries, audit actions and jobs of tasks."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.kernel.events import EventData, EventType

TASK: Final = "task"
TASK_ADDED_KIND: Final = "lead.task_added"
TASK_DONE_KIND: Final = "lead.task_done"
"""Kinds of entries in the timeline of a lead."""


class TaskData(EventData):
    """The lead of the task. Events don't have the title."""

    lead_id: UUID


TASK_CREATED = EventType("task.created.v1", TASK, TaskData, "A task was created on a lead.")
TASK_UPDATED = EventType("task.updated.v1", TASK, TaskData, "Title, due date or assignee of a task changed.")
TASK_COMPLETED = EventType("task.completed.v1", TASK, TaskData, "A task was done.")
TASK_REOPENED = EventType("task.reopened.v1", TASK, TaskData, "A task that was done was opened again.")
TASK_DELETED = EventType("task.deleted.v1", TASK, TaskData, "A task was deleted. It can be restored for a while.")
TASK_RESTORED = EventType("task.restored.v1", TASK, TaskData, "A deleted task was restored.")
EVENTS = (TASK_CREATED, TASK_UPDATED, TASK_COMPLETED, TASK_REOPENED, TASK_DELETED, TASK_RESTORED)

PURGE_TASKS = JobKind("tasks.purge.v1", NoPayload)
"""Enqueued by its schedule. Removes tasks that were deleted longer ago than they can be restored."""


class TaskAuditAction(StrEnum):
    """Audit actions of tasks. The names are stable: users filter and alert by them."""

    CREATED = "task.created"
    UPDATED = "task.updated"
    COMPLETED = "task.completed"
    REOPENED = "task.reopened"
    DELETED = "task.deleted"
    RESTORED = "task.restored"
