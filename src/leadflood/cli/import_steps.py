"""Steps of `leadflood import`: upload and map a file, preview, commit, and follow the worker."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from leadflood.cli.context import CliContext
from leadflood.cli.output import TableColumn, console, note, print_facts, print_json, print_table, say, visible
from leadflood.domains.imports.models.states import RowAction

if TYPE_CHECKING:
    from leadflood.domains.imports.contracts import ImportDetail, RowError

_PIECE = 1024 * 1024
_LOOK = 0.3
_HINT_AFTER = 20
_SHOWN = 5
_REPEATED = {"combined_in_file": "Combined with row {}", "duplicate_in_file": "Duplicate of row {}"}
_BUSY = ("staging", "committing", "undoing")
_ENDED_WELL = ("previewed", "committed", "undone")


@dataclass(frozen=True)
class FileOptions:
    """Options for reading a file, mapping its columns and importing its rows."""

    maps: list[str]
    read_as: dict[str, Any]
    options: dict[str, Any]
    rejected: Path | None
    as_json: bool


async def preview_file(context: CliContext, file: Path, options: FileOptions) -> "ImportDetail":
    """Upload a file, preview its import and print what would change."""
    from leadflood.domains.imports.service import lifecycle

    found = await _prepared(context, file, options)
    if not options.as_json:
        columns = [(column.header, column.target) for column in found.columns]
        print_table([TableColumn("column"), TableColumn("field")], columns)
        for notice in found.notices:
            note(notice.message)
    async with context.transaction() as tx:
        await lifecycle.preview_import(tx, context.actor, import_id=found.id, trace={})
    found = await follow_import(context, found.id, as_json=options.as_json)
    await _show_diff(context, found, options)
    return found


async def _prepared(context: CliContext, file: Path, options: FileOptions) -> "ImportDetail":
    """Upload the file and map its columns."""
    from leadflood.cli.validation import checked
    from leadflood.domains.imports import queries
    from leadflood.domains.imports.contracts import MapColumns, ReadFormat, parse_filename
    from leadflood.domains.imports.service import mapping, uploads

    try:
        size = await asyncio.to_thread(os.path.getsize, file)  # noqa: TID251  a command has one user
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}.", param_hint="FILE") from error
    limit = context.platform.settings.max_import_bytes
    checked(MapColumns, {"targets": ["email"], **options.options})  # before the upload
    reading = checked(ReadFormat, options.read_as)
    import_id = await uploads.upload(
        context.database,
        context.platform.sandbox,
        context.actor,
        filename=parse_filename(file.name),
        stream=_pieces(file),
        declared=size,
        limit=limit,
        quota=context.platform.settings.max_uncommitted_import_bytes,
    )
    if options.read_as:
        found = await uploads.read_as(
            context.database, context.platform.sandbox, context.actor, import_id=import_id, command=reading
        )
    async with context.transaction() as tx:
        found = await queries.get_import(tx, context.actor, import_id=import_id)
        command = checked(MapColumns, {"targets": _targets(found, options.maps), **options.options})
        return await mapping.map_columns(tx, context.actor, import_id=import_id, command=command)


async def commit_import(context: CliContext, import_id: UUID, *, as_json: bool) -> None:
    """Commit an import, follow it to its end and print the result."""
    from leadflood.domains.imports.service import lifecycle

    async with context.transaction() as tx:
        await lifecycle.commit_import(tx, context.actor, import_id=import_id, trace={})
    found = await follow_import(context, import_id, as_json=as_json)
    print_import(found, as_json=as_json)
    if not as_json:
        print_row_notices(found)
        note(f"Undo with: leadflood import undo {import_id}")


async def follow_import(context: CliContext, import_id: UUID, *, as_json: bool) -> "ImportDetail":
    """Show the progress of a phase until it ends. Exits with 1 if the phase failed."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from leadflood.domains.imports import queries

    looks = 0
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(sys.stderr),
        transient=True,
        disable=as_json or not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=None)
        while True:
            async with context.transaction(read_only=True) as tx:
                found = await queries.get_import(tx, context.actor, import_id=import_id)
            done, total = _share(found)
            bar.update(task, description=found.status, completed=done, total=total)
            if found.status not in _BUSY:
                break
            looks += 1
            if looks == _HINT_AFTER and not done:
                note("No worker is running. Start one with `leadflood worker`, or run `leadflood up`.")
            await asyncio.sleep(_LOOK)
    if found.status not in _ENDED_WELL:
        note(f"Import {import_id} is {found.status}. {visible(found.error or '')}".rstrip())
        raise typer.Exit(1)
    return found


def _share(found: "ImportDetail") -> tuple[int, int]:
    progress = found.progress
    if found.status == "staging":
        return progress.bytes_done, progress.bytes_total
    return progress.rows_done, progress.rows_total or 0


async def _show_diff(context: CliContext, found: "ImportDetail", options: FileOptions) -> None:
    from leadflood.domains.imports import queries
    from leadflood.domains.imports.service.rejected import rejected_file

    if options.as_json:
        print_json(found)
    else:
        say()
        print_table([TableColumn("action"), TableColumn("rows")], list(found.counts.items()))
        print_counts(found)
        print_row_notices(found)
        async with context.transaction(read_only=True) as tx:
            for action in (RowAction.UPDATE, RowAction.REJECT, RowAction.SKIP, RowAction.CREATE):
                only_errors = action is RowAction.CREATE
                page = await queries.list_rows(
                    tx, context.actor, import_id=found.id, action=action, with_errors=only_errors, limit=_SHOWN
                )
                _show_rows(page.items)
    if options.rejected is not None:
        with options.rejected.open("wb") as out:
            file = await rejected_file(context.database, context.actor, import_id=found.id)
            async for piece in file.pieces:
                out.write(piece)
        note(f"Wrote {found.counts[RowAction.REJECT]} rejected rows to {options.rejected}.")


def print_row_notices(found: "ImportDetail") -> None:
    """Print what the preview noticed about the rows."""
    from leadflood.domains.imports.models.notices import ABOUT_ROWS

    for notice in found.notices:
        if notice.code in ABOUT_ROWS:
            note(visible(notice.message))


def print_counts(found: "ImportDetail") -> None:
    """Print changed fields and errors, with how many rows have them."""
    if found.fields:
        columns = [TableColumn("field"), TableColumn("changed"), TableColumn("skipped")]
        print_table(columns, [(name, field.changed, field.skipped) for name, field in found.fields.items()])
    if found.errors:
        print_table([TableColumn("error"), TableColumn("rows")], list(found.errors.items()))


def _show_rows(rows: Sequence[Any]) -> None:
    lines = [
        (row.row, row.email, f"{name}: {_was(was)} → {now}") for row in rows for name, (was, now) in row.changes.items()
    ]
    lines += [
        (row.row, row.email, _REPEATED[row.reason].format(row.duplicate_of)) for row in rows if row.reason in _REPEATED
    ]
    lines += [(row.row, row.email, _problem(error)) for row in rows for error in row.errors]
    if lines:
        print_table([TableColumn("row"), TableColumn("email"), TableColumn("change or error")], lines)


def _problem(error: "RowError") -> str:
    from leadflood.domains.leads.labels import label_of

    field = label_of(error.field) if error.field else "Row"
    return f'{field} "{error.value}": {error.message}' if error.value else f"{field}: {error.message}"


def refuse_mostly_rejected(found: "ImportDetail") -> None:
    """Exit with 1 if more than half of the rows of a preview are rejected: something is wrong with file or mapping."""
    rejected = found.counts[RowAction.REJECT]
    rows = sum(found.counts.values())
    if rejected * 2 > rows:
        note(f"{rejected:,} of {rows:,} rows are rejected. Check the mapping, or see why with --rejected FILE.")
        raise typer.Exit(1)


def print_import(found: "ImportDetail", *, as_json: bool) -> None:
    """Print the state of an import and its row counts."""
    if as_json:
        print_json(found)
        return
    facts: list[tuple[str, object]] = [("import", found.id), ("file", found.filename), ("status", found.status)]
    facts += [(action, count) for action, count in found.counts.items() if count]
    if found.reverted is not None and found.status == "undone":
        facts += [("leads restored", found.reverted), ("fields kept", found.kept_fields)]
    print_facts([*facts, ("error", found.error)])


def _targets(found: "ImportDetail", maps: Sequence[str]) -> list[str]:
    """The detected targets, replaced by those of `--map`. Columns are named by header or number."""
    targets = [column.target for column in found.columns]
    names = {column.header.lower(): place for place, column in reversed([*enumerate(found.columns)])}
    names |= {str(place + 1): place for place in range(len(targets)) if str(place + 1) not in names}
    for item in maps:
        name, target = pair(item, "--map")
        if name.lower() not in names:
            known = ", ".join(visible(column.header) for column in found.columns)
            raise typer.BadParameter(f"No column named {name!r}. Columns: {known}.", param_hint="--map")
        for place, other in enumerate(targets):
            if other == target and target != "ignore":
                targets[place] = "ignore"
        targets[names[name.lower()]] = target
    return targets


def confirmed() -> bool:
    """Whether the user confirms the import."""
    if not sys.stdin.isatty():
        note("Use --yes to import without confirmation.")
        return False
    return typer.confirm("Import these leads?", err=True)


def _was(value: object) -> object:
    return "(empty)" if value is None else value


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while data := opened.read(_PIECE):
            yield data


def pair(text: str, option: str) -> tuple[str, str]:
    """A `name=value` option. Args: option: its name, for the error."""
    name, separator, value = text.rpartition("=")
    if not separator:
        raise typer.BadParameter(f"Invalid value {text!r}. Use name=value.", param_hint=option)
    return name, value
