"""SQL that writes tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# A task of an active lead, deleted or not, locked.
_LOCK = sql("""
SELECT t.id, t.lead_id, t.title, t.due_on, t.due_at, t.assignee_id, t.done_at, t.version, t.deleted_at
FROM lead_tasks t JOIN leads l ON l.workspace_id = t.workspace_id AND l.id = t.lead_id
WHERE t.workspace_id = :workspace_id AND t.id = :task_id AND l.deleted_at IS NULL
FOR NO KEY UPDATE OF t
""")

# Insert a task.
_INSERT = sql("""
INSERT INTO lead_tasks (workspace_id, id, lead_id, title, due_on, due_at, assignee_id, actor_kind, actor_id)
VALUES (:workspace_id, :task_id, :lead_id, :title, :due_on, :due_at, :assignee_id, :actor_kind, :actor_id)
""")

# Change a task.
_UPDATE = sql("""
UPDATE lead_tasks
SET title = :title, due_on = :due_on, due_at = :due_at, assignee_id = :assignee_id,
    done_at = CASE WHEN :done THEN coalesce(done_at, now()) END, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :task_id AND version = :expected_version AND deleted_at IS NULL
""")

# Delete a task, or restore it.
_SET_DELETED = sql("""
UPDATE lead_tasks SET deleted_at = CASE WHEN :deleted THEN now() END, version = version + 1
WHERE workspace_id = :workspace_id AND id = :task_id AND (deleted_at IS NOT NULL) <> :deleted
""")

# Move the tasks of a lead to another one.
_MOVE_ALL = sql("""
UPDATE lead_tasks SET lead_id = :to_lead::uuid WHERE workspace_id = :workspace_id AND lead_id = :from_lead RETURNING id
""")

# Move tasks back that one of the holders still has.
_MOVE_BACK = sql("""
UPDATE lead_tasks SET lead_id = :to_lead::uuid
WHERE workspace_id = :workspace_id AND id = ANY (:task_ids::uuid[]) AND lead_id = ANY (:holders::uuid[])
""")

# Remove tasks that can no longer be restored.
_PURGE = sql("""
DELETE FROM lead_tasks WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM lead_tasks WHERE deleted_at < now() - make_interval(days => :days) LIMIT :batch
)
""")


@dataclass(frozen=True, slots=True)
class TaskValues:
    """Stored values of a task. `due_at`: the end of `due_on` in a time zone."""

    title: str
    due_on: date | None
    due_at: datetime
    assignee_id: UUID | None
    done: bool = False


async def lock_task(tx: Transaction, workspace_id: UUID, task_id: UUID) -> Row | None:
    """A task of an active lead, deleted or not, locked for this transaction."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "task_id": task_id})


async def insert_task(tx: Transaction, actor: Actor, task_id: UUID, lead_id: UUID, values: TaskValues) -> None:
    """Insert an open task. Raises: leadflood.kernel.db.errors.IntegrityError: the assignee is no member."""
    given = {
        "task_id": task_id,
        "lead_id": lead_id,
        "title": values.title,
        "due_on": values.due_on,
        "due_at": values.due_at,
        "assignee_id": values.assignee_id,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
    }
    await tx.execute(_INSERT, {"workspace_id": actor.workspace_id, **given})


async def update_task(
    tx: Transaction, workspace_id: UUID, task_id: UUID, *, expected_version: int, values: TaskValues
) -> int:
    """Change a task at the version expected. Returns the number of changed rows.

    Raises: leadflood.kernel.db.errors.IntegrityError: the assignee is no member.
    """
    given = {
        "task_id": task_id,
        "expected_version": expected_version,
        "title": values.title,
        "due_on": values.due_on,
        "due_at": values.due_at,
        "assignee_id": values.assignee_id,
        "done": values.done,
    }
    return await tx.changed(_UPDATE, {"workspace_id": workspace_id, **given})


async def set_deleted(tx: Transaction, workspace_id: UUID, task_id: UUID, *, deleted: bool) -> int:
    """Delete a task that is not deleted, or restore one that is. Returns the number of changed rows."""
    return await tx.changed(_SET_DELETED, {"workspace_id": workspace_id, "task_id": task_id, "deleted": deleted})


async def move_all(tx: Transaction, workspace_id: UUID, from_lead: UUID, to_lead: UUID) -> list[UUID]:
    """Move all tasks of a lead, deleted ones too. Returns their IDs."""
    values = {"workspace_id": workspace_id, "from_lead": from_lead, "to_lead": to_lead}
    return [row.id for row in await tx.all(_MOVE_ALL, values)]


async def move_back(
    tx: Transaction, workspace_id: UUID, task_ids: Sequence[UUID], *, holders: Sequence[UUID], to_lead: UUID
) -> None:
    """Move tasks that one of the holders has."""
    values = {"task_ids": list(task_ids), "holders": list(holders), "to_lead": to_lead}
    await tx.execute(_MOVE_BACK, {"workspace_id": workspace_id, **values})


async def purge(tx: Transaction, batch: int, *, days: int) -> int:
    """Remove up to `batch` tasks that were deleted more than `days` ago, over all workspaces. Returns how many."""
    return await tx.changed(_PURGE, {"days": days, "batch": batch})
