"""`leadflood task …`: tasks on leads."""

from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, note, print_json
from leadflood.cli.selected_leads import lead_ids

if TYPE_CHECKING:
    from leadflood.domains.tasks.contracts import TaskView

_State = Literal["open", "overdue", "today", "upcoming", "done"]

_TASK = typer.Argument(metavar="ID", help="ID of the task.", parser=parse_id)
_ZONE = typer.Option("UTC", "--time-zone", help="IANA time zone of the due date, and of today.")
_COLUMNS = [TableColumn("id", whole=True), *map(TableColumn, ("title", "lead", "due", "overdue", "done"))]

app = typer.Typer(help="List, add, complete and delete tasks on leads.", no_args_is_help=True)


@app.command("list")
def list_(
    state: _State = typer.Option("open", help="State. All but `done` are open."),
    assignee: str | None = typer.Option(None, metavar="EMAIL", help="Only tasks assigned to this member."),
    time_zone: str = _ZONE,
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List tasks by when they are due.

    Example: `leadflood task list --state overdue`
    """

    async def work() -> None:
        from leadflood.domains.tasks import queries
        from leadflood.domains.tasks.models import TaskState, span_of
        from leadflood.domains.tasks.queries import Wanted
        from leadflood.kernel.clock import utc_now

        wanted = TaskState(state)
        span = None if wanted is TaskState.DONE else span_of(wanted, utc_now(), _zone(time_zone))
        async with open_context(workspace) as context:
            member = None if assignee is None else await _member(context, assignee)
            fetch = context.reading(queries.list_tasks, wanted=Wanted(span, member))
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("add")
def add(
    lead: str = typer.Argument(metavar="ID|EMAIL", help="Lead ID or email."),
    title: str = typer.Argument(metavar="TITLE", help="Title of the task."),
    due: str | None = typer.Option(None, metavar="DATE", help="Due date, such as 2026-03-05."),
    assignee: str | None = typer.Option(None, metavar="EMAIL", help="Member who is to do it."),
    time_zone: str = _ZONE,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Add a task to a lead.

    Example: `leadflood task add ada@acme.com "Call about the offer" --due 2026-03-05`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.tasks import service
        from leadflood.domains.tasks.contracts import CreateTask

        given: dict[str, Any] = {"title": title, "dueOn": due, "timeZone": time_zone}
        async with open_context(workspace) as context:
            (lead_id,) = await lead_ids(context, [lead], option="ID|EMAIL")
            if assignee is not None:
                given["assigneeId"] = str(await _member(context, assignee))
            command = checked(CreateTask, given)
            zone = _zone(time_zone)
            async with context.transaction() as tx:
                made = await service.create_task(tx, context.actor, lead_id=lead_id, command=command, zone=zone)
        if as_json:
            print_json(made)
        else:
            note(f"Added task {made.id}.")

    run(work())


@app.command("done")
def done(task_id: UUID = _TASK, workspace: str | None = WORKSPACE) -> None:
    """Mark a task as done.

    Example: `leadflood task done 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10`
    """
    run(_set_done(task_id, workspace, done=True))


@app.command("reopen")
def reopen(task_id: UUID = _TASK, workspace: str | None = WORKSPACE) -> None:
    """Open a task again that was done.

    Example: `leadflood task reopen 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10`
    """
    run(_set_done(task_id, workspace, done=False))


@app.command("delete")
def delete(task_id: UUID = _TASK, workspace: str | None = WORKSPACE) -> None:
    """Delete a task. Restore it with `leadflood task restore ID`.

    Example: `leadflood task delete 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.tasks import service

        async with open_context(workspace) as context, context.transaction() as tx:
            await service.delete_task(tx, context.actor, task_id=task_id)
        note(f"Deleted. Restore it with: leadflood task restore {task_id}")

    run(work())


@app.command("restore")
def restore(task_id: UUID = _TASK, workspace: str | None = WORKSPACE) -> None:
    """Restore a deleted task.

    Example: `leadflood task restore 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.tasks import service

        async with open_context(workspace) as context, context.transaction() as tx:
            await service.restore_task(tx, context.actor, task_id=task_id)
        note("Restored.")

    run(work())


async def _set_done(task_id: UUID, workspace: str | None, *, done: bool) -> None:
    from leadflood.domains.tasks import queries, service
    from leadflood.domains.tasks.contracts import UpdateTask

    async with open_context(workspace) as context, context.transaction() as tx:
        found = await queries.get_task(tx, context.actor, task_id=task_id)
        await service.update_task(
            tx,
            context.actor,
            task_id=task_id,
            command=UpdateTask.model_validate({"done": done}),
            expected_version=found.version,
            zone=ZoneInfo("UTC"),
        )
    note("Done." if done else "Reopened.")


async def _member(context: CliContext, email: str) -> UUID:
    from leadflood.domains.identity.queries import members_by_name

    async with context.transaction(read_only=True) as tx:
        member = (await members_by_name(tx, context.actor.workspace_id)).get(email.lower())
    if member is None:
        message = f"{email} is not a member of this workspace."
        raise typer.BadParameter(message, param_hint="--assignee")
    return member


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError) as error:
        message = f"{name} is no IANA time zone. Use one such as Europe/Berlin."
        raise typer.BadParameter(message, param_hint="--time-zone") from error


def _row(task: "TaskView") -> tuple[object, ...]:
    return (task.id, task.title, task.lead_name, task.due_on, task.overdue, task.done_at)
