"""The page of tasks, the form to edit one, and the forms of the panel on the lead page."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from leadflood.domains.tasks import queries, service
from leadflood.domains.tasks.contracts import CreateTask, TaskView, UpdateTask
from leadflood.domains.tasks.models import MAX_TITLE, TaskState, span_of
from leadflood.domains.tasks.permissions import TASKS_READ, TASKS_WRITE
from leadflood.domains.tasks.queries import Wanted
from leadflood.kernel.clock import utc_now
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import Toast, local_path
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names, owner_choices
from leadflood.web.pages.lead_panels import panel_response
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect
from leadflood.web.templating import url

pages = Pages()

_ROWS: Final = 50
_LIST: Final = "/tasks"
_TASK: Final = "/tasks/{id}"
_EVERYONE: Final = "everyone"
STATES: Final[Mapping[TaskState, str]] = {
    TaskState.OPEN: "Open",
    TaskState.OVERDUE: "Overdue",
    TaskState.TODAY: "Today",
    TaskState.UPCOMING: "Upcoming",
    TaskState.DONE: "Done",
}
_EMPTY: Final[Mapping[TaskState, str]] = {
    TaskState.OPEN: "No open tasks",
    TaskState.OVERDUE: "Nothing is overdue",
    TaskState.TODAY: "Nothing is due today",
    TaskState.UPCOMING: "Nothing is coming up",
    TaskState.DONE: "Nothing is done yet",
}


@pages.get(_LIST, TASKS_READ, live=("tasks_list",))
async def list_tasks(ctx: PageContext) -> PageResult:
    """My tasks, or everyone's: `who=everyone`. `state`: the open, overdue, upcoming ones, those of today, or done."""
    state = next((item for item in TaskState if item.value == ctx.query.get("state")), TaskState.OPEN)
    everyone = ctx.query.get("who") == _EVERYONE
    span = None if state is TaskState.DONE else span_of(state, utc_now(), ctx.time_zone)
    wanted = Wanted(span, None if everyone else ctx.actor.user_id)
    scope = f"tasks {state} {everyone}"
    async with ctx.reading() as tx:
        page = await queries.list_tasks(tx, ctx.actor, wanted=wanted, after=ctx.after(scope), limit=_ROWS)
        people = await member_names(tx, ctx.actor)
    who = _EVERYONE if everyone else None
    after = ctx.cursor(page, scope)
    shown = {"state": state.value if state is not TaskState.OPEN else None, "who": who}
    context: dict[str, Any] = {
        "tasks": page.items,
        "people": people,
        "today": utc_now().astimezone(ctx.time_zone).date(),
        "tabs": [
            (text, url(_LIST, state=item.value if item is not TaskState.OPEN else None, who=who), item is state)
            for item, text in STATES.items()
        ],
        "whose": [
            ("Mine", url(_LIST, shown, who=None), not everyone),
            ("Everyone", url(_LIST, shown, who=_EVERYONE), everyone),
        ],
        "nothing": _EMPTY[state],
        "here": url(_LIST, shown),
        "first": url(_LIST, shown) if "after" in ctx.query else None,
        "next": url(_LIST, shown, after=after) if after else None,
    }
    return PageResponse("tasks/list.html", context)


@pages.post("/leads/{id}/tasks", TASKS_WRITE)
async def add_task(ctx: PageContext) -> PageResult:
    """Add a task to a lead."""
    try:
        command = validated(CreateTask, _given(ctx.form))
        async with ctx.writing() as tx:
            await service.create_task(tx, ctx.actor, lead_id=ctx.id(), command=command, zone=ctx.time_zone)
    except AppError as error:
        return await panel_response(ctx, "tasks", ctx.id(), error=error)
    return await panel_response(ctx, "tasks", ctx.id())


@pages.get(_TASK, TASKS_WRITE)
async def show_task(ctx: PageContext) -> PageResult:
    """The form to edit a task."""
    return await _page(ctx)


@pages.post(_TASK, TASKS_WRITE)
async def change_task(ctx: PageContext) -> PageResult:
    """Change title, due date and assignee of a task."""
    form = ctx.form
    try:
        task = await _update(ctx, validated(UpdateTask, _given(form)), form.version())
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, form=form.refused(error), status=error.status)
    return Redirect(_back(ctx, task), [Toast("Task saved.")])


@pages.post(f"{_TASK}/completions", TASKS_WRITE)
async def complete_task(ctx: PageContext) -> PageResult:
    """Mark a task as done; its toast offers to reopen it."""
    task = await _update(ctx, UpdateTask(done=True), (await _read(ctx, ctx.id())).version)
    return await _answer(ctx, task, Toast("Task done.", undo=_undo(ctx, task, "reopenings")))


@pages.post(f"{_TASK}/reopenings", TASKS_WRITE)
async def reopen_task(ctx: PageContext) -> PageResult:
    """Open a task again."""
    task = await _update(ctx, UpdateTask(done=False), (await _read(ctx, ctx.id())).version)
    return await _answer(ctx, task, Toast("Task reopened."))


@pages.post(f"{_TASK}/deletion", TASKS_WRITE)
async def delete_task(ctx: PageContext) -> PageResult:
    """Delete a task; its toast offers to restore it."""
    async with ctx.writing() as tx:
        task = await service.delete_task(tx, ctx.actor, task_id=ctx.id())
    return await _answer(ctx, task, Toast("Task deleted.", undo=_undo(ctx, task, "restorations")))


@pages.post(f"{_TASK}/restorations", TASKS_WRITE)
async def restore_task(ctx: PageContext) -> PageResult:
    """Restore a deleted task on its lead."""
    async with ctx.writing() as tx:
        task = await service.restore_task(tx, ctx.actor, task_id=ctx.id())
    return await _answer(ctx, task, Toast("Task restored."))


async def _read(ctx: PageContext, task_id: UUID) -> TaskView:
    async with ctx.reading() as tx:
        return await queries.get_task(tx, ctx.actor, task_id=task_id)


async def _update(ctx: PageContext, command: UpdateTask, version: int) -> TaskView:
    async with ctx.writing() as tx:
        return await service.update_task(
            tx, ctx.actor, task_id=ctx.id(), command=command, expected_version=version, zone=ctx.time_zone
        )


async def _answer(ctx: PageContext, task: TaskView, toast: Toast) -> PageResult:
    """The list that the form names, or else the panel of the lead."""
    if _next(ctx):
        return Redirect(_back(ctx, task), [toast])
    return await panel_response(ctx, "tasks", task.lead_id, toast=toast)


def _back(ctx: PageContext, task: TaskView) -> str:
    return local_path(_next(ctx) or f"/leads/{task.lead_id}", _LIST)


def _next(ctx: PageContext) -> str:
    """The list to return to, if any."""
    return ctx.form.value("next") or ctx.query.get("next", "")


def _undo(ctx: PageContext, task: TaskView, what: str) -> str:
    return url(f"/tasks/{task.id}/{what}", next=_next(ctx) or None)


def _given(form: Form) -> dict[str, Any]:
    given: dict[str, Any] = {name: form.value(name).strip() or None for name in ("dueOn", "assigneeId")}
    return {"title": form.value("title"), **given}


async def _page(ctx: PageContext, *, form: Form | None = None, status: int = 200) -> PageResponse:
    task = await _read(ctx, ctx.id())
    async with ctx.reading() as tx:
        people = await member_names(tx, ctx.actor)
    stored = {"title": task.title, "dueOn": task.due_on, "assigneeId": task.assignee_id}
    context: dict[str, Any] = {
        "task": task,
        "form": form or Form.of({name: str(value) for name, value in stored.items() if value is not None}),
        "assignees": owner_choices(people),
        "most": MAX_TITLE,
        "back": local_path(ctx.query.get("next", f"/leads/{task.lead_id}"), _LIST),
    }
    return PageResponse("tasks/task.html", context, status)
