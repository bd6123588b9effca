"""`leadflood export …`: leads to a file or standard output; directly from the database, without a worker."""

import sys
from collections.abc import AsyncIterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.listing import FILTER, WORKSPACE, filter_json
from leadflood.cli.output import console, note
from leadflood.cli.selected_leads import lead_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadflood.domains.exports.service.streaming import ExportStream

Format = Literal["csv", "xlsx", "ndjson", "parquet"]
_SUFFIXES = {".csv": "csv", ".xlsx": "xlsx", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}
_STDOUT = "-"


@dataclass(frozen=True)
class ExportCommandOptions:
    """Options of the export command."""

    file: Path
    kind: str
    columns: str
    headers: str
    bom: bool
    filter: dict[str, Any]
    tree: str | None
    leads: list[str]

    @property
    def to_stdout(self) -> bool:
        """Whether the output is a pipe."""
        return str(self.file) == _STDOUT


app = typer.Typer(help="Export leads to a file or standard output.", no_args_is_help=True)


@app.command("run")
def run_(  # noqa: PLR0913, PLR0917  each option is a parameter
    file: Path = typer.Argument(dir_okay=False, help="File to write. Use - for standard output."),
    kind: Format | None = typer.Option(None, "--format", help="File format. Defaults to the file extension, or csv."),
    columns: str = typer.Option("*", help="Comma-separated columns: *, email, custom.KEY, enriched.*, tags, lists, …"),
    headers: Literal["labels", "names"] = typer.Option(
        "labels", help="CSV and XLSX: headers for people (First name), or API names (firstName)."
    ),
    lead: list[str] = typer.Option([], metavar="EMAIL|ID", help="Selected leads only. Repeatable, up to 1,000."),
    bom: bool = typer.Option(False, "--bom", help="CSV: write a UTF-8 BOM (for Excel)."),
    q: str | None = typer.Option(None, "--q", help="Search in name, email and company."),
    status: list[str] = typer.Option([], help="Filter by status: new, processing, enriched or failed. Repeatable."),
    source: list[str] = typer.Option([], help="Filter by source. Repeatable."),
    country: list[str] = typer.Option([], help="Filter by country. Repeatable."),
    owner: str | None = typer.Option(None, metavar="ID", help="Filter by owner (user ID)."),
    unowned: bool = typer.Option(False, "--unowned", help="Unassigned leads only."),
    phone: bool | None = typer.Option(None, "--phone/--no-phone", help="Leads with or without a phone number."),
    created_from: str | None = typer.Option(
        None, metavar="TIME", help="Created at or after, e.g. 2026-03-01T00:00:00Z."
    ),
    created_until: str | None = typer.Option(None, metavar="TIME", help="Created before."),
    updated_from: str | None = typer.Option(None, metavar="TIME", help="Updated at or after."),
    updated_until: str | None = typer.Option(None, metavar="TIME", help="Updated before."),
    tree: str | None = FILTER,
    workspace: str | None = WORKSPACE,
) -> None:
    """Export leads to a file, newest first: all of them, or those that match the filters.

    Writes to NAME.part until complete.

    Examples: `leadflood export run leads.xlsx --status enriched --columns email,company,custom.plan,tags`,
    `leadflood export run picked.csv --lead ada@acme.com --lead grace@acme.com`
    """
    given = {
        "q": q,
        "status": status,
        "source": source,
        "country": country,
        "ownerId": owner,
        "unowned": unowned,
        "hasPhone": phone,
        "createdFrom": created_from,
        "createdUntil": created_until,
        "updatedFrom": updated_from,
        "updatedUntil": updated_until,
    }
    wanted = kind or _SUFFIXES.get(file.suffix.lower(), "csv")
    run(_work(workspace, ExportCommandOptions(file, wanted, columns, headers, bom, given, tree, lead)))


async def _work(workspace: str | None, wishes: ExportCommandOptions) -> None:
    from leadflood.cli.validation import checked
    from leadflood.domains.exports.contracts import CreateExport
    from leadflood.domains.exports.service.streaming import open_stream

    async with open_context(workspace) as context:
        given: dict[str, Any] = {
            "format": wishes.kind,
            "columns": wishes.columns.split(","),
            "headers": wishes.headers,
            "bom": wishes.bom,
            "filter": wishes.filter | filter_json(wishes.tree),
        }
        if wishes.leads:
            given["leadIds"] = await lead_ids(context, wishes.leads)
        command = checked(CreateExport, given)
        stream = await open_stream(
            context.database,
            context.actor,
            selection=command.selection,
            layout=command.layout,
            max_count=None,
        )
        with _target(wishes) as out:
            async for piece in _shown(stream):
                out.write(piece)
    if not wishes.to_stdout:
        note(f"Exported {stream.done:,} {'lead' if stream.done == 1 else 'leads'} to {wishes.file}.")


@contextmanager
def _target(wishes: ExportCommandOptions) -> "Iterator[BinaryIO]":
    """Output target. A file gets its name when it is complete; a partial file is removed after a failure."""
    if wishes.to_stdout:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = wishes.file.with_name(f"{wishes.file.name}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(wishes.file)
    finally:
        part.unlink(missing_ok=True)


async def _shown(stream: "ExportStream") -> AsyncIterator[bytes]:
    """The pieces, with a progress bar."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("leads"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(sys.stderr),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=stream.total)
        async for piece in stream.pieces():
            bar.update(task, completed=stream.done)
            yield piece
