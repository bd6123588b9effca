"""`leadflood outbox …`: events to publish to the queue, and replays of failed ones."""

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, Fetch, pages, print_pages
from leadflood.cli.output import TableColumn, moment, note, print_json, say

if TYPE_CHECKING:
    from leadflood.domains.jobs.contracts import OutboxEventView

Status = Literal["pending", "processing", "sent", "failed", "dead_letter"]

app = typer.Typer(help="List outbox events and replay dead-lettered ones.", no_args_is_help=True)


@app.command("list")
def list_(
    status: Status | None = typer.Option(None, help="Filter by status."),
    job: UUID | None = typer.Option(None, help="Filter by job ID."),
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List outbox events, newest first.

    Example: `leadflood outbox list --status dead_letter`
    """

    async def work() -> None:
        async with open_context(workspace) as context:
            fetch = _events(context, status, job)
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("replay")
def replay(
    event: UUID | None = typer.Argument(None, help="Event ID."),
    everything: bool = typer.Option(False, "--all", help="Replay all dead-lettered events of the workspace."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Replay dead-lettered events.

    Example: `leadflood outbox replay --all`
    """
    if (event is None) == (not everything):
        raise typer.BadParameter("Specify an event ID or --all.", param_hint="event")
    run(_replay(event, workspace, as_json=as_json))


async def _replay(event: UUID | None, workspace: str | None, *, as_json: bool) -> None:
    from leadflood.domains.jobs import service

    async with open_context(workspace) as context:
        if event is not None:
            events = [event]
        else:
            dead = pages(_events(context, "dead_letter", None), None)
            events = [item.id async for page in dead for item in page.items]
        for event_id in events:
            async with context.database.transaction(context.actor.workspace_id) as tx:
                replayed = await service.replay_event(tx, context.actor, event_id=event_id)
            if as_json:
                print_json(replayed)
            else:
                say(f"{replayed.id}  {replayed.status}")
    if not events:
        note("No dead-lettered events.")


def _events(context: CliContext, status: Status | None, job: UUID | None) -> "Fetch[OutboxEventView]":
    from leadflood.domains.jobs import queries
    from leadflood.domains.jobs.models import OutboxStatus

    wanted = OutboxStatus(status) if status else None
    return context.reading(queries.list_events, status=wanted, job_id=job)


_COLUMNS = [
    TableColumn("id", whole=True),
    *map(TableColumn, ("status", "attempts", "job", "created", "next attempt", "last error")),
]


def _row(event: "OutboxEventView") -> tuple[object, ...]:
    return (
        event.id,
        event.status,
        event.attempts,
        event.job_id,
        moment(event.created_at),
        moment(event.next_attempt_at),
        event.last_error,
    )
