"""Tasks for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID
from zoneinfo import ZoneInfo

from leadflood.domains.tasks import service
from leadflood.domains.tasks.contracts import CreateTask
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database

SEARCHED = ("lead_tasks",)
BODY_REFUSALS = {
    ("createTask", "assigneeId"): (400, "unknown_assignee"),
    ("updateTask", "assigneeId"): (400, "unknown_assignee"),
}


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Add a task to a lead."""
    async with database.transaction(actor.workspace_id) as tx:
        command = CreateTask.model_validate({"title": "Call"})
        task = await service.create_task(tx, actor, lead_id=ids["leads"], command=command, zone=ZoneInfo("UTC"))
    return {"tasks": task.id}
