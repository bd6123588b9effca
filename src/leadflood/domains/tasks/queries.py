"""SQL that reads tasks."""

from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.labels import name_of
from leadflood.domains.tasks.contracts import TaskView
from leadflood.domains.tasks.errors import TaskNotFound
from leadflood.domains.tasks.models import NEVER, Span
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut

_COLUMNS = sql("""
t.id, t.lead_id, l.email, coalesce(l.first_name, l.found_first_name) AS first_name,
       coalesce(l.last_name, l.found_last_name) AS last_name, t.title, t.due_on, t.due_at, t.assignee_id, t.done_at,
       t.version, t.created_at, t.done_at IS NULL AND t.due_at <= now() AS overdue
""")
_TABLES = sql("""
lead_tasks t JOIN leads l ON l.workspace_id = t.workspace_id AND l.id = t.lead_id AND l.deleted_at IS NULL
""")

# A task of an active lead.
_TASK = assemble(
    sql("""
SELECT {columns} FROM {tables} WHERE t.workspace_id = :workspace_id AND t.id = :task_id AND t.deleted_at IS NULL
"""),
    columns=_COLUMNS,
    tables=_TABLES,
)

# The next open tasks, by when they are due.
_OPEN = assemble(
    sql("""
SELECT {columns} FROM {tables}
WHERE t.workspace_id = :workspace_id AND t.deleted_at IS NULL AND t.done_at IS NULL
  AND t.due_at > :since AND t.due_at <= :until AND (:assignee_id::uuid IS NULL OR t.assignee_id = :assignee_id)
  AND (:after_id::uuid IS NULL OR (t.due_at, t.id) > (:after, :after_id))
ORDER BY t.due_at, t.id LIMIT :limit
"""),
    columns=_COLUMNS,
    tables=_TABLES,
)

# The next tasks that are done, last done first.
_DONE = assemble(
    sql("""
SELECT {columns} FROM {tables}
WHERE t.workspace_id = :workspace_id AND t.deleted_at IS NULL AND t.done_at IS NOT NULL
  AND (:assignee_id::uuid IS NULL OR t.assignee_id = :assignee_id)
  AND (:after_id::uuid IS NULL OR (t.done_at, t.id) < (:after, :after_id))
ORDER BY t.done_at DESC, t.id DESC LIMIT :limit
"""),
    columns=_COLUMNS,
    tables=_TABLES,
)

# The next tasks of a lead: open ones by when they are due, then those that are done.
_OF_LEAD = assemble(
    sql("""
SELECT {columns} FROM {tables}
WHERE t.workspace_id = :workspace_id AND t.lead_id = :lead_id AND t.deleted_at IS NULL
  AND (:after_id::uuid IS NULL OR (t.done_at IS NOT NULL, t.due_at, t.id) > (:after_done, :after, :after_id))
ORDER BY t.done_at IS NOT NULL, t.due_at, t.id LIMIT :limit
"""),
    columns=_COLUMNS,
    tables=_TABLES,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filter of tasks. `span`: their due times; None for those that are done. `assignee_id`: None for all."""

    span: Span | None
    assignee_id: UUID | None = None


async def get_task(tx: Transaction, actor: Actor, *, task_id: UUID) -> TaskView:
    """Raises: TaskNotFound: also for a deleted task, and for one of a deleted lead."""
    row = await tx.first(_TASK, {"workspace_id": actor.workspace_id, "task_id": task_id})
    if row is None:
        raise TaskNotFound
    return _view(row)


async def list_tasks(
    tx: Transaction, actor: Actor, *, wanted: Wanted, after: Position | None = None, limit: int
) -> Page[TaskView]:
    """Tasks of the workspace: open ones by when they are due, or those that are done, last done first."""
    values = {
        "workspace_id": actor.workspace_id,
        "assignee_id": wanted.assignee_id,
        "after": after.time if after else None,
        "after_id": after.id if after else None,
        "limit": limit + 1,
    }
    if wanted.span is None:
        rows = await tx.all(_DONE, values)
        return cut(rows, limit, lambda row: Position.at(row.done_at, row.id)).map(_view)
    rows = await tx.all(_OPEN, {**values, "since": wanted.span.after, "until": wanted.span.until})
    return cut(rows, limit, lambda row: Position.at(row.due_at, row.id)).map(_view)


async def list_lead_tasks(
    tx: Transaction, actor: Actor, *, lead_id: UUID, after: Position | None = None, limit: int
) -> Page[TaskView]:
    """The tasks of a lead, open ones first. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    return await tasks_of(tx, actor, lead_id=lead_id, after=after, limit=limit)


async def tasks_of(
    tx: Transaction, actor: Actor, *, lead_id: UUID, after: Position | None = None, limit: int
) -> Page[TaskView]:
    """As `list_lead_tasks`, for a lead that is known to exist."""
    done, time = after.text_and_time if after else (None, None)
    values = {
        "workspace_id": actor.workspace_id,
        "lead_id": lead_id,
        "after_done": done == "done",
        "after": time,
        "after_id": after.id if after else None,
        "limit": limit + 1,
    }
    return cut(await tx.all(_OF_LEAD, values), limit, _place).map(_view)


def _place(row: Row) -> Position:
    return Position.at(f"{'open' if row.done_at is None else 'done'} {row.due_at.isoformat()}", row.id)


def _view(row: Row) -> TaskView:
    return TaskView(
        id=row.id,
        lead_id=row.lead_id,
        lead_name=name_of(row),
        title=row.title,
        due_on=row.due_on,
        due_at=row.due_at if row.due_at < NEVER else None,
        overdue=row.overdue,
        assignee_id=row.assignee_id,
        done_at=row.done_at,
        version=row.version,
        created_at=row.created_at,
    )
