"""`leadflood event …`: the event feed, and the delivery of events with retries of failed ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, PAGE, WORKSPACE, Fetch, pages, print_pages
from leadflood.cli.output import TableColumn, moment, note, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from leadflood.domains.jobs.contracts import EventView, OutboxEventView

Status = Literal["pending", "processing", "sent", "failed", "dead_letter"]

app = typer.Typer(help="Read the event feed; list, show and retry deliveries.", no_args_is_help=True)


@app.command("feed")
def feed(
    after: str | None = typer.Option(None, help="Cursor of the previous call. Default: the oldest event."),
    types: list[str] | None = typer.Option(None, "--type", help="Only this type, e.g. lead.created.v1 (repeatable)."),
    limit: int = LIMIT,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Read the events of a workspace, oldest first. Prints the cursor for the next call to standard error.

    Example: `leadflood event feed --type lead.created.v1 --json`
    """
    run(_feed(after, types or None, limit, workspace, as_json=as_json))


@app.command("list")
def list_(
    status: Status | None = typer.Option(None, help="Filter by status."),
    job: UUID | None = typer.Option(None, help="Filter by job ID.", parser=parse_id),
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List events and their delivery, newest first.

    Example: `leadflood event list --status dead_letter`
    """

    async def work() -> None:
        async with open_context(workspace) as context:
            fetch = _deliveries(context, status, job)
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("show")
def show(
    event: UUID = typer.Argument(help="Event ID.", parser=parse_id),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Show an event, its delivery and its last error.

    Example: `leadflood event show 0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11`
    """

    async def work() -> None:
        from leadflood.domains.jobs import queries

        async with open_context(workspace) as context:
            async with context.transaction(read_only=True) as tx:
                found = await queries.get_event(tx, context.actor, event_id=event)
            _print(found, as_json=as_json)

    run(work())


@app.command("retry")
def retry(
    event: UUID | None = typer.Argument(None, help="Event ID.", parser=parse_id),
    everything: bool = typer.Option(False, "--all", help="Retry all dead-lettered events of the workspace."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Retry the delivery of dead-lettered events.

    Example: `leadflood event retry --all`
    """
    if (event is None) == (not everything):
        raise typer.BadParameter("Specify an event ID or --all.", param_hint="event")
    run(_retry(event, workspace, as_json=as_json))


async def _feed(
    after: str | None, types: list[str] | None, limit: int, workspace: str | None, *, as_json: bool
) -> None:
    from leadflood.domains.jobs.feed import FEED_SCOPE, read_events

    async with open_context(workspace) as context:
        cursors, actor = context.platform.cursors, context.actor
        position = cursors.read(after, actor.workspace_id, FEED_SCOPE) if after is not None else None
        left, more, header = limit, True, True
        while more and left > 0:
            async with context.database.transaction(actor.workspace_id, read_only=True) as tx:
                page = await read_events(tx, actor, types=types, after=position, limit=min(PAGE, left))
            _print_feed(page.items, header=header, as_json=as_json)
            position, more, left = page.after, page.more, left - len(page.items)
            header = header and not page.items
        if position is not None:
            note(f"Continue with --after {cursors.write(position, actor.workspace_id, FEED_SCOPE)}")


async def _retry(event: UUID | None, workspace: str | None, *, as_json: bool) -> None:
    from leadflood.domains.jobs import service

    async with open_context(workspace) as context:
        if event is not None:
            events = [event]
        else:
            dead = pages(_deliveries(context, "dead_letter", None), None)
            events = [item.id async for page in dead for item in page.items]
        for event_id in events:
            async with context.transaction() as tx:
                retried = await service.replay_event(tx, context.actor, event_id=event_id)
            if as_json:
                print_json(retried)
            else:
                say(f"{retried.id}  {retried.status}")
    if not events:
        note("No dead-lettered events.")


def _deliveries(context: CliContext, status: Status | None, job: UUID | None) -> "Fetch[OutboxEventView]":
    from leadflood.domains.jobs import queries
    from leadflood.domains.jobs.models import OutboxStatus

    return context.reading(queries.list_events, status=OutboxStatus(status) if status else None, job_id=job)


_FEED = [TableColumn("id", whole=True), *map(TableColumn, ("type", "subject", "by", "at"))]
_COLUMNS = [
    TableColumn("id", whole=True),
    *map(TableColumn, ("event", "status", "attempts", "job", "created", "next attempt", "last error")),
]


def _print_feed(events: "Sequence[EventView]", *, header: bool, as_json: bool) -> None:
    if as_json:
        print_json(*events)
    elif events:
        rows = (
            (item.id, item.type, f"{item.subject.kind} {item.subject.id}", item.actor.kind, moment(item.at))
            for item in events
        )
        print_table(_FEED, rows, header=header)


def _row(event: "OutboxEventView") -> tuple[object, ...]:
    return (
        event.id,
        event.kind,
        event.status,
        event.attempts,
        event.job_id,
        moment(event.created_at),
        moment(event.next_attempt_at),
        event.last_error,
    )


def _print(event: "OutboxEventView", *, as_json: bool) -> None:
    if as_json:
        print_json(event)
        return
    print_facts(
        [
            ("event", event.id),
            ("type", event.kind),
            ("job", event.job_id),
            ("subjects", f"{event.subject_count} {event.subject_kind}" if event.subject_kind else None),
            ("status", event.status),
            ("attempts", event.attempts),
            ("next attempt", moment(event.next_attempt_at)),
            ("last error", event.last_error),
            ("created", moment(event.created_at)),
            ("sent", moment(event.processed_at)),
        ]
    )
