"""Verbs on tasks."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.tasks import queries, store
from leadflood.domains.tasks.contracts import CreateTask, TaskView, UpdateTask
from leadflood.domains.tasks.errors import TaskNotFound, TaskVersionConflict, UnknownAssignee
from leadflood.domains.tasks.events import (
    TASK,
    TASK_ADDED_KIND,
    TASK_COMPLETED,
    TASK_CREATED,
    TASK_DELETED,
    TASK_DONE_KIND,
    TASK_REOPENED,
    TASK_RESTORED,
    TASK_UPDATED,
    TaskAuditAction,
    TaskData,
)
from leadflood.domains.tasks.models import due_at
from leadflood.domains.tasks.permissions import TASKS_WRITE
from leadflood.domains.tasks.store import TaskValues
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.events import Event, EventType
from leadflood.kernel.ids import new_id

_RECORDED: Mapping[TaskAuditAction, EventType[TaskData]] = MappingProxyType(
    {
        TaskAuditAction.CREATED: TASK_CREATED,
        TaskAuditAction.UPDATED: TASK_UPDATED,
        TaskAuditAction.COMPLETED: TASK_COMPLETED,
        TaskAuditAction.REOPENED: TASK_REOPENED,
        TaskAuditAction.DELETED: TASK_DELETED,
        TaskAuditAction.RESTORED: TASK_RESTORED,
    }
)


async def create_task(tx: Transaction, actor: Actor, *, lead_id: UUID, command: CreateTask, zone: ZoneInfo) -> TaskView:
    """Create a task on a lead. `zone`: where its due date ends, unless the command says another one.

    Raises: leadflood.domains.leads.errors.LeadNotFound, UnknownAssignee.
    """
    actor.require(TASKS_WRITE)
    if not await leads.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        raise LeadNotFound
    ends = due_at(command.due_on, _zone(command, zone))
    await _check_assignee(tx, actor, command.assignee_id)
    task_id = new_id()
    values = TaskValues(command.title, command.due_on, ends, command.assignee_id)
    try:
        async with tx.savepoint():
            await store.insert_task(tx, actor, task_id, lead_id, values)
    except IntegrityError as error:  # the assignee left at this very moment
        raise UnknownAssignee from error
    await _note(tx, actor, TASK_ADDED_KIND, lead_id, task_id, command.title)
    await _record(tx, actor, TaskAuditAction.CREATED, task_id, lead_id)
    return await queries.get_task(tx, actor, task_id=task_id)


async def update_task(
    tx: Transaction, actor: Actor, *, task_id: UUID, command: UpdateTask, expected_version: int, zone: ZoneInfo
) -> TaskView:
    """Change a task, complete it or reopen it. A change without effect keeps the version. `zone`: as of `create_task`.

    Raises: TaskNotFound, TaskVersionConflict, UnknownAssignee.
    """
    actor.require(TASKS_WRITE)
    stored = await _lock(tx, actor, task_id)
    if stored.version != expected_version:
        raise TaskVersionConflict(stored.version)
    before = TaskValues(stored.title, stored.due_on, stored.due_at, stored.assignee_id, stored.done_at is not None)
    values = _changed(before, command, zone)
    if values != before:
        await _check_assignee(tx, actor, values.assignee_id if values.assignee_id != before.assignee_id else None)
        await _write(tx, actor, stored, values)
        await _record(tx, actor, _action(before, values), task_id, stored.lead_id)
        if values.done and not before.done:
            await _note(tx, actor, TASK_DONE_KIND, stored.lead_id, task_id, values.title)
    return await queries.get_task(tx, actor, task_id=task_id)


async def delete_task(tx: Transaction, actor: Actor, *, task_id: UUID) -> TaskView:
    """Delete a task. It can be restored. Returns it as it was. Raises: TaskNotFound."""
    actor.require(TASKS_WRITE)
    stored = await _lock(tx, actor, task_id)
    found = await queries.get_task(tx, actor, task_id=task_id)
    expect_changed(await store.set_deleted(tx, actor.workspace_id, task_id, deleted=True))
    await _record(tx, actor, TaskAuditAction.DELETED, task_id, stored.lead_id)
    return found


async def restore_task(tx: Transaction, actor: Actor, *, task_id: UUID) -> TaskView:
    """Restore a deleted task. One that is not deleted stays as it is. Raises: TaskNotFound."""
    actor.require(TASKS_WRITE)
    stored = await store.lock_task(tx, actor.workspace_id, task_id)
    if stored is None:
        raise TaskNotFound
    if stored.deleted_at is not None:
        expect_changed(await store.set_deleted(tx, actor.workspace_id, task_id, deleted=False))
        await _record(tx, actor, TaskAuditAction.RESTORED, task_id, stored.lead_id)
    return await queries.get_task(tx, actor, task_id=task_id)


async def _lock(tx: Transaction, actor: Actor, task_id: UUID) -> Row:
    """Raises: TaskNotFound: also for a deleted task."""
    stored = await store.lock_task(tx, actor.workspace_id, task_id)
    if stored is None or stored.deleted_at is not None:
        raise TaskNotFound
    return stored


def _zone(command: CreateTask | UpdateTask, zone: ZoneInfo) -> ZoneInfo:
    return ZoneInfo(command.time_zone) if command.time_zone else zone


def _changed(before: TaskValues, command: UpdateTask, zone: ZoneInfo) -> TaskValues:
    given = command.model_fields_set
    moves = "due_on" in given and command.due_on != before.due_on
    return TaskValues(
        command.title or before.title,
        command.due_on if moves else before.due_on,
        due_at(command.due_on, _zone(command, zone)) if moves else before.due_at,
        command.assignee_id if "assignee_id" in given else before.assignee_id,
        before.done if command.done is None else command.done,
    )


def _action(before: TaskValues, after: TaskValues) -> TaskAuditAction:
    if before.done == after.done:
        return TaskAuditAction.UPDATED
    return TaskAuditAction.COMPLETED if after.done else TaskAuditAction.REOPENED


async def _write(tx: Transaction, actor: Actor, stored: Row, values: TaskValues) -> None:
    try:
        async with tx.savepoint():
            expect_changed(
                await store.update_task(
                    tx, actor.workspace_id, stored.id, expected_version=stored.version, values=values
                )
            )
    except IntegrityError as error:  # the assignee left at this very moment
        raise UnknownAssignee from error


async def _check_assignee(tx: Transaction, actor: Actor, assignee_id: UUID | None) -> None:
    """Raises: UnknownAssignee."""
    if assignee_id is not None and not await identity.members_among(tx, actor.workspace_id, {assignee_id}):
        raise UnknownAssignee


async def _note(tx: Transaction, actor: Actor, kind: str, lead_id: UUID, task_id: UUID, title: str) -> None:
    data = {"taskId": str(task_id), "title": title}
    await leads.add_to_timelines(tx, actor, lead_ids=[lead_id], kind=kind, data=data)


async def _record(tx: Transaction, actor: Actor, action: TaskAuditAction, task_id: UUID, lead_id: UUID) -> None:
    await publish(tx, _RECORDED[action], [Event(task_id, TaskData(lead_id=lead_id), actor)])
    data: dict[str, JsonValue] = {"count": 1, "leadId": str(lead_id)}
    await audit.record(tx, actor, action=action, subject_type=TASK, subject_id=task_id, data=data)
