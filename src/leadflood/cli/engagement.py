"""`leadflood engagement …`: what leads did."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, note, print_json
from leadflood.cli.selected_leads import lead_ids
from leadflood.cli.text_files import opened_text

if TYPE_CHECKING:
    from leadflood.domains.engagement.contracts import EngagementResult, EngagementView

app = typer.Typer(help="Record, list, delete and import engagements of leads.", no_args_is_help=True)

_LEAD = typer.Argument(metavar="ID|EMAIL", help="Lead ID or email.")
_COLUMNS = [TableColumn("id", whole=True), *map(TableColumn, ("kind", "points", "now", "at", "source"))]
_CHUNK = 1_000
_NAMED = 20
"""Problems that are named one by one."""
_STATES = ("created", "unchanged", "failed")


@app.command("list")
def list_(
    lead: str = _LEAD,
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List the engagements of a lead, the latest first, with the points that are left of each.

    Example: `leadflood engagement list ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.engagement.queries import list_engagements

        async with open_context(workspace) as context:
            (lead_id,) = await lead_ids(context, [lead], option="ID|EMAIL")
            fetch = context.reading(list_engagements, lead_id=lead_id)
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("add")
def add(
    lead: str = _LEAD,
    kind: str = typer.Argument(metavar="KIND", help="Short code of what the lead did, such as demo_requested."),
    points: int | None = typer.Option(None, "--points", help="-100 to 100. Default: those of the kind."),
    at: str | None = typer.Option(None, "--at", help="Date, or time with its zone. Default: now."),
    note_: str | None = typer.Option(None, "--note", help="A few words about it."),
    key: str | None = typer.Option(None, "--key", help="ID in another system. Recorded once."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Record what a lead did. The same kind at the same time, or the same key, is recorded once.

    Example: `leadflood engagement add ada@acme.com demo_requested --at 2026-03-01`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.engagement import service
        from leadflood.domains.engagement.contracts import RecordEngagement
        from leadflood.domains.engagement.models import EngagementSource

        given: dict[str, Any] = {"kind": kind, "points": points, "at": at, "note": note_, "externalKey": key}
        command = checked(RecordEngagement, {name: value for name, value in given.items() if value is not None})
        async with open_context(workspace) as context:
            (lead_id,) = await lead_ids(context, [lead], option="ID|EMAIL")
            async with context.transaction() as tx:
                made = await service.record_engagement(
                    tx, context.actor, lead_id=lead_id, command=command, source=EngagementSource.CLI
                )
        if as_json:
            print_json(made)
        else:
            note(f"Recorded {made.kind}, {made.points} points ({made.id}).")

    run(work())


@app.command("delete")
def delete(
    engagement_id: UUID = typer.Argument(metavar="ID", help="ID of the engagement.", parser=parse_id),
    workspace: str | None = WORKSPACE,
) -> None:
    """Delete an engagement.

    Example: `leadflood engagement delete 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e11`
    """

    async def work() -> None:
        from leadflood.domains.engagement import service

        async with open_context(workspace) as context, context.transaction() as tx:
            await service.delete_engagement(tx, context.actor, engagement_id=engagement_id)
        note("Deleted.")

    run(work())


@app.command("import")
def import_(
    file: Path = typer.Argument(
        exists=True,
        dir_okay=False,
        allow_dash=True,
        help="CSV with the columns email, kind and at, and optionally points, note and key. - reads input.",
    ),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Record engagements of leads from a file, by email. The same file twice changes nothing.

    Exits with 1 if no row could be used. The first failed rows go to standard error.

    Example: `leadflood engagement import engagements.csv`
    """

    async def work() -> None:
        from leadflood.domains.engagement import service
        from leadflood.domains.engagement.models import EngagementSource

        counts: Counter[str] = Counter()
        failed: list[dict[str, object]] = []
        async with open_context(workspace) as context:
            with opened_text(file) as lines:
                rows = service.entries_of(lines)
                while chunk := list(islice(rows, _CHUNK)):
                    async with context.transaction() as tx:
                        made = await service.import_engagements(
                            tx, context.actor, entries=[entry for _, entry in chunk], source=EngagementSource.IMPORT
                        )
                    counts.update(item.status for item in made.results)
                    failed += _failures([line for line, _ in chunk], made.results)[: _NAMED - len(failed)]
        if as_json:
            print_json({**{state: counts[state] for state in _STATES}, "failures": failed})
        else:
            for each in failed:
                note(f"Line {each['line']}, {each['email'] or 'no email'}: {each['reason']}")
            note(", ".join(f"{counts[state]:,} {state}" for state in _STATES) + ".")
        if counts["failed"] and not counts["created"] + counts["unchanged"]:
            raise typer.Exit(1)

    run(work())


def _failures(lines: Sequence[int], results: Sequence["EngagementResult"]) -> list[dict[str, object]]:
    """The failed rows, with the numbers of their lines."""
    return [
        {"line": line, "email": item.email, "reason": item.reason}
        for line, item in zip(lines, results, strict=True)
        if item.status == "failed"
    ]


def _row(engagement: "EngagementView") -> tuple[object, ...]:
    each = engagement
    return (each.id, each.kind, each.points, each.decayed_points, each.at, each.source)
