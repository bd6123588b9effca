"""`leadflood import …`: preview, commit and undo imports. A worker runs the long steps."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.import_steps import (
    FileOptions,
    commit_import,
    confirmed,
    follow_import,
    pair,
    preview_file,
    print_counts,
    print_import,
    print_row_notices,
    refuse_mostly_rejected,
)
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, moment, note

if TYPE_CHECKING:
    from leadflood.domains.imports.contracts import ImportView

Mode = Literal["create_only", "update_only", "create_and_update"]
Policy = Literal["fill_empty", "overwrite", "keep"]
Duplicates = Literal["combine", "first", "last", "report"]
Invalid = Literal["reject", "drop"]

_ID = typer.Argument(metavar="ID", help="Import ID.", parser=parse_id)
_FILE = typer.Argument(help="CSV or XLSX file.")
_MAPS = typer.Option(
    [],
    "--map",
    metavar="HEADER=TARGET",
    help="Map a column to email, company, custom:KEY, otherEmail:KEY, ignore, … Repeatable.",
)
_MODE = typer.Option("create_and_update", "--mode", help="Which leads to create or update.")
_POLICY = typer.Option("fill_empty", "--policy", help="How to update existing leads.")
_FIELDS = typer.Option([], "--field", metavar="FIELD=POLICY", help="Override the policy for one field. Repeatable.")
_DUPLICATES = typer.Option(
    "combine",
    "--duplicates",
    help="Rows with one email: combine them, keep the first or last, or report (reject) all but the first.",
)
_INVALID = typer.Option("drop", "--invalid", help="Drop invalid values and import the rest, or reject such rows.")
_SOURCE = typer.Option(None, "--source", help="Default source of leads it creates. Defaults to import.")
_COUNTRY = typer.Option(None, "--country", help="Default country for phone numbers without a country code.")
_ENCODING = typer.Option(None, "--encoding", help="Override the detected encoding, e.g. windows-1252.")
_DELIMITER = typer.Option(None, "--delimiter", help="Override the detected delimiter: , ; | or tab.")
_HEADER = typer.Option(None, "--header/--no-header", help="Override whether a row has the names of the columns.")
_HEADER_ROW = typer.Option(None, "--header-row", min=1, help="Row with the names of the columns.")
_SHEET = typer.Option(None, "--sheet", help="Worksheet to import. Defaults to the first visible one with leads.")
_TAGS = typer.Option([], "--tag", help="Tag all leads of the file. Repeatable.")
_LISTS = typer.Option([], "--list", help="Add all leads of the file to a list, by name. Repeatable.")
_ENRICH = typer.Option(True, "--enrich/--no-enrich", help="Enrich new leads.")
_REJECTED = typer.Option(None, "--rejected", dir_okay=False, help="Write the rejected rows to this CSV file.")
_YES = typer.Option(False, "--yes", "-y", help="Import without asking for confirmation.")

app = typer.Typer(help="Import leads from files: preview, commit, undo.", no_args_is_help=True)


@app.command("run")
def run_(  # noqa: PLR0913, PLR0917  each option is a parameter
    file: Path = _FILE,
    maps: list[str] = _MAPS,
    mode: Mode = _MODE,
    policy: Policy = _POLICY,
    fields: list[str] = _FIELDS,
    duplicates: Duplicates = _DUPLICATES,
    invalid: Invalid = _INVALID,
    source: str | None = _SOURCE,
    country: str | None = _COUNTRY,
    encoding: str | None = _ENCODING,
    delimiter: str | None = _DELIMITER,
    header: bool | None = _HEADER,
    header_row: int | None = _HEADER_ROW,
    sheet: str | None = _SHEET,
    tags: list[str] = _TAGS,
    lists: list[str] = _LISTS,
    enrich: bool = _ENRICH,
    rejected: Path | None = _REJECTED,
    yes: bool = _YES,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Import leads from a file: preview, confirm, commit.

    Example: `leadflood import run leads.csv --policy overwrite --field company=keep`
    """
    read_as = _read_as(
        {"encoding": encoding, "delimiter": delimiter, "header": header, "headerRow": header_row, "sheet": sheet}
    )
    given = {
        "mode": mode,
        "existing": policy,
        "duplicates": duplicates,
        "invalid": invalid,
        "enrich": enrich,
        "tags": tags,
        "lists": lists,
    }
    options = _import_options(given, source, country, fields)
    run(_run(workspace, file, FileOptions(maps, read_as, options, rejected, as_json), yes=yes))


@app.command("preview")
def preview(  # noqa: PLR0913, PLR0917  each option is a parameter
    file: Path = _FILE,
    maps: list[str] = _MAPS,
    mode: Mode = _MODE,
    policy: Policy = _POLICY,
    fields: list[str] = _FIELDS,
    duplicates: Duplicates = _DUPLICATES,
    invalid: Invalid = _INVALID,
    source: str | None = _SOURCE,
    country: str | None = _COUNTRY,
    encoding: str | None = _ENCODING,
    delimiter: str | None = _DELIMITER,
    header: bool | None = _HEADER,
    header_row: int | None = _HEADER_ROW,
    sheet: str | None = _SHEET,
    tags: list[str] = _TAGS,
    lists: list[str] = _LISTS,
    enrich: bool = _ENRICH,
    rejected: Path | None = _REJECTED,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Preview an import without changing any leads.

    Example: `leadflood import preview leads.csv --rejected rejected.csv`
    """
    read_as = _read_as(
        {"encoding": encoding, "delimiter": delimiter, "header": header, "headerRow": header_row, "sheet": sheet}
    )
    given = {
        "mode": mode,
        "existing": policy,
        "duplicates": duplicates,
        "invalid": invalid,
        "enrich": enrich,
        "tags": tags,
        "lists": lists,
    }
    options = _import_options(given, source, country, fields)
    run(_preview_only(workspace, file, FileOptions(maps, read_as, options, rejected, as_json)))


@app.command("commit")
def commit(import_id: UUID = _ID, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Commit a previewed import, or resume a paused one.

    Example: `leadflood import commit 0197a3b0-7e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        async with open_context(workspace) as context:
            await commit_import(context, import_id, as_json=as_json)

    run(work())


@app.command("undo")
def undo(import_id: UUID = _ID, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Undo an import. Later edits are kept.

    Example: `leadflood import undo 0197a3b0-7e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.imports.service import lifecycle

        async with open_context(workspace) as context:
            async with context.transaction() as tx:
                await lifecycle.undo_import(
                    tx, context.actor, context.platform.participants, import_id=import_id, trace={}
                )
            print_import(await follow_import(context, import_id, as_json=as_json), as_json=as_json)

    run(work())


@app.command("list")
def list_(
    limit: int = LIMIT, everything: bool = EVERYTHING, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """List imports, newest first.

    Example: `leadflood import list --limit 20`
    """

    async def work() -> None:
        from leadflood.domains.imports import queries

        async with open_context(workspace) as context:
            fetch = context.reading(queries.list_imports)
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("show")
def show(import_id: UUID = _ID, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Show an import, with its row counts and errors.

    Example: `leadflood import show 0197a3b0-7e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.imports import queries

        async with open_context(workspace) as context, context.transaction() as tx:
            found = await queries.get_import(tx, context.actor, import_id=import_id)
        print_import(found, as_json=as_json)
        if not as_json:
            print_counts(found)
            print_row_notices(found)

    run(work())


def _read_as(given: dict[str, Any]) -> dict[str, Any]:
    if given["delimiter"] == "tab":
        given["delimiter"] = "\t"
    return {name: value for name, value in given.items() if value is not None}


def _import_options(
    given: dict[str, Any], source: str | None, country: str | None, fields: list[str]
) -> dict[str, Any]:
    policies = dict(pair(field, "--field") for field in fields)
    return {**given, "source": source, "country": country, "fields": policies}


async def _run(workspace: str | None, file: Path, options: FileOptions, *, yes: bool) -> None:
    async with open_context(workspace) as context:
        previewed = await preview_file(context, file, options)
        if not yes and not confirmed():
            note(f"No changes made. Commit with: leadflood import commit {previewed.id}")
            raise typer.Exit(1)
        await commit_import(context, previewed.id, as_json=options.as_json)
    refuse_mostly_rejected(previewed)


async def _preview_only(workspace: str | None, file: Path, options: FileOptions) -> None:
    async with open_context(workspace) as context:
        previewed = await preview_file(context, file, options)
    note(f"No changes made. Commit with: leadflood import commit {previewed.id}")
    refuse_mostly_rejected(previewed)


_COLUMNS = [
    TableColumn("id", whole=True),
    *map(TableColumn, ("file", "status", "create", "update", "unchanged", "skip", "conflict", "reject", "created")),
]


def _row(found: "ImportView") -> tuple[object, ...]:
    return (found.id, found.filename, found.status, *found.counts.values(), moment(found.created_at))
