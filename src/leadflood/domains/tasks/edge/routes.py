"""Tasks on leads, with due date and assignee."""

from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity.queries import time_zone_of
from leadflood.domains.tasks import queries, service
from leadflood.domains.tasks.contracts import CreateTask, TaskView, UpdateTask
from leadflood.domains.tasks.models import TaskState, span_of
from leadflood.domains.tasks.permissions import TASKS_READ, TASKS_WRITE
from leadflood.domains.tasks.queries import Wanted
from leadflood.kernel.clock import utc_now

router = APIRouter(tags=["tasks"], route_class=EdgeRoute)


@router.get("/v1/tasks", summary="List tasks")
@requires(TASKS_READ)
async def list_tasks(
    pages: InPages,
    unit: UnitOfWorkDep,
    state: Annotated[TaskState, Query(description="State. All but `done` are open.")] = TaskState.OPEN,
    assignee: Annotated[UUID | None, Query(description="Only tasks assigned to this member.")] = None,
) -> Listing[TaskView]:
    """Open tasks by when they are due, or those that are done, last done first. Today is that of your profile."""
    zone = await _zone(unit)
    wanted = Wanted(None if state is TaskState.DONE else span_of(state, utc_now(), zone), assignee)
    return pages.answer(
        await queries.list_tasks(unit.tx, unit.actor, wanted=wanted, after=pages.after, limit=pages.limit)
    )


@router.get("/v1/leads/{id}/tasks", summary="List the tasks of a lead")
@requires(TASKS_READ)
async def list_lead_tasks(lead_id: ResourceId, pages: InPages, unit: UnitOfWorkDep) -> Listing[TaskView]:
    """The tasks of the lead: open ones by when they are due, then those that are done."""
    return pages.answer(
        await queries.list_lead_tasks(unit.tx, unit.actor, lead_id=lead_id, after=pages.after, limit=pages.limit)
    )


@router.post("/v1/leads/{id}/tasks", status_code=201, summary="Add a task to a lead")
@requires(TASKS_WRITE)
async def create_task(lead_id: ResourceId, command: CreateTask, response: Response, unit: UnitOfWorkDep) -> TaskView:
    """Create a task. It is overdue when its due date ends in `timeZone`."""
    task = await service.create_task(unit.tx, unit.actor, lead_id=lead_id, command=command, zone=await _zone(unit))
    response.headers["Location"] = f"/v1/tasks/{task.id}"
    response.headers["ETag"] = etag(task.version)
    return task


@router.get("/v1/tasks/{id}", summary="Retrieve a task")
@requires(TASKS_READ)
async def get_task(task_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> TaskView:
    """Returns the task. Its `ETag` is the value for `If-Match`."""
    task = await queries.get_task(unit.tx, unit.actor, task_id=task_id)
    response.headers["ETag"] = etag(task.version)
    return task


@router.patch("/v1/tasks/{id}", summary="Update a task")
@requires(TASKS_WRITE)
async def update_task(
    task_id: ResourceId, command: UpdateTask, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> TaskView:
    """Change a task, complete it (`done`) or reopen it. Requires `If-Match`."""
    task = await service.update_task(
        unit.tx,
        unit.actor,
        task_id=task_id,
        command=command,
        expected_version=version,
        zone=await _zone(unit),
    )
    response.headers["ETag"] = etag(task.version)
    return task


@router.delete("/v1/tasks/{id}", status_code=204, summary="Delete a task")
@requires(TASKS_WRITE)
async def delete_task(task_id: ResourceId, unit: UnitOfWorkDep) -> None:
    """Delete a task. It can be restored for 30 days (`LEADFLOOD_LEAD_RETENTION_DAYS`)."""
    await service.delete_task(unit.tx, unit.actor, task_id=task_id)


@router.post("/v1/tasks/{id}/restorations", status_code=200, summary="Restore a deleted task")
@requires(TASKS_WRITE)
async def restore_task(task_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> TaskView:
    """Restore a task on its lead."""
    task = await service.restore_task(unit.tx, unit.actor, task_id=task_id)
    response.headers["ETag"] = etag(task.version)
    return task


async def _zone(unit: UnitOfWorkDep) -> ZoneInfo:
    """The time zone of the caller's profile, or else UTC."""
    return ZoneInfo(await time_zone_of(unit.tx, unit.actor))
