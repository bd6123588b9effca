"""`leadflood import …`: a file of leads, the diff first; straight on the database, while a worker does the work."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import typer

from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import Column, console, note, print_facts, print_json, print_table, say, visible
from leadflood.cli.workspace import Desk, open_desk, run

if TYPE_CHECKING:
    from leadflood.domains.imports.contracts import ImportDetail

_PIECE = 1024 * 1024
_LOOK = 0.3
_HINT_AFTER = 20
_SHOWN = 5
_BUSY = ("staging", "committing", "undoing")
_ENDED_WELL = ("previewed", "committed", "undone")

Mode = Literal["create_only", "update_only", "create_and_update"]
Policy = Literal["fill_empty", "overwrite", "keep"]


@dataclass(frozen=True)
class Wishes:
    """What the command line says of a file."""

    maps: list[str]
    read_as: dict[str, Any]
    options: dict[str, Any]
    rejected: Path | None
    dry_run: bool
    yes: bool
    as_json: bool


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(  # noqa: PLR0913, PLR0917  each option is a parameter
    file: Path | None = typer.Argument(None, help="CSV or XLSX."),
    maps: list[str] = typer.Option(
        [], "--map", metavar="HEADER=TARGET", help="What a column is: email, company, custom:KEY, ignore; repeatable."
    ),
    mode: Mode = typer.Option("create_and_update", help="Which leads may be touched."),
    policy: Policy = typer.Option("fill_empty", "--policy", help="What values do to fields of existing leads."),
    fields: list[str] = typer.Option([], "--field", metavar="FIELD=POLICY", help="Another policy for one field."),
    duplicates: Literal["first", "last"] = typer.Option("first", help="Which row counts where an address repeats."),
    invalid: Literal["reject", "drop"] = typer.Option("reject", help="Reject a row, or drop the value at fault."),
    source: str | None = typer.Option(None, help="Source of new leads. Without it: import."),
    country: str | None = typer.Option(None, help="Country of phone numbers in national form."),
    encoding: str | None = typer.Option(None, help="Where the guess is wrong, such as windows-1252."),
    delimiter: str | None = typer.Option(None, help="Where the guess is wrong: , ; | or tab."),
    header: bool | None = typer.Option(None, "--header/--no-header", help="Whether the first row names the columns."),
    sheet: str | None = typer.Option(None, help="The sheet of a workbook."),
    enrich: bool = typer.Option(True, "--enrich/--no-enrich", help="Whether new leads are enriched."),
    rejected: Path | None = typer.Option(None, dir_okay=False, help="Write the rejected rows to this file."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Show the diff and stop."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Commit without asking."),
    commit: UUID | None = typer.Option(None, metavar="ID", help="Commit an import that was previewed, or go on."),
    undo: UUID | None = typer.Option(None, metavar="ID", help="Take an import back."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Import a file: show what it would do, ask, and do it. `--undo ID` takes it back.

    Example: `leadflood import leads.csv --policy overwrite --field company=keep`
    """
    if sum(each is not None for each in (file, commit, undo)) != 1:
        raise typer.BadParameter("Give a file, or --commit ID, or --undo ID.")
    options: dict[str, Any] = {
        "mode": mode,
        "existing": policy,
        "duplicates": duplicates,
        "invalid": invalid,
        "enrich": enrich,
    }
    options |= {"source": source, "country": country, "fields": dict(_pair(each, "--field") for each in fields)}
    read_as = _read_as({"encoding": encoding, "delimiter": delimiter, "header": header, "sheet": sheet})
    wishes = Wishes(maps, read_as, options, rejected, dry_run, yes, as_json)
    run(_work(workspace, wishes, file=file, commit=commit, undo=undo))


def _read_as(given: dict[str, Any]) -> dict[str, Any]:
    if given["delimiter"] == "tab":
        given["delimiter"] = "\t"
    return {name: value for name, value in given.items() if value is not None}


async def _work(
    workspace: str | None, wishes: Wishes, *, file: Path | None, commit: UUID | None, undo: UUID | None
) -> None:
    async with open_desk(workspace) as desk:
        if file is not None:
            await _import(desk, file, wishes)
        elif commit is not None:
            await _commit(desk, commit, wishes)
        elif undo is not None:
            await _undo(desk, undo, wishes)


async def _import(desk: Desk, file: Path, wishes: Wishes) -> None:
    from leadflood.domains.imports.service import control

    found = await _prepared(desk, file, wishes)
    if not wishes.as_json:
        columns = [(column.header, column.target) for column in found.columns]
        print_table([Column("column"), Column("becomes")], columns)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await control.preview_import(tx, desk.actor, import_id=found.id, trace={})
    found = await _followed(desk, found.id, wishes)
    await _show_diff(desk, found, wishes)
    if wishes.dry_run:
        note(f"Nothing was written. Commit it with: leadflood import --commit {found.id}")
        return
    if not wishes.yes and not _agreed():
        note(f"Nothing was written. Commit it with: leadflood import --commit {found.id}")
        raise typer.Exit(1)
    await _commit(desk, found.id, wishes)


async def _prepared(desk: Desk, file: Path, wishes: Wishes) -> "ImportDetail":
    """The file uploaded, read and mapped as wished."""
    from leadflood.cli.input import checked
    from leadflood.domains.imports import queries
    from leadflood.domains.imports.contracts import MapColumns, ReadAs, parse_filename
    from leadflood.domains.imports.service import mapping, uploads

    try:
        size = await asyncio.to_thread(os.path.getsize, file)  # noqa: TID251  a command has one user
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}.", param_hint="FILE") from error
    limit = desk.platform.settings.max_import_bytes
    command = checked(MapColumns, {"targets": ["email"], **wishes.options})  # before the file is sent
    reading = checked(ReadAs, wishes.read_as)
    import_id = await uploads.upload(
        desk.database,
        desk.platform.sandbox,
        desk.actor,
        filename=parse_filename(file.name),
        stream=_pieces(file),
        declared=size,
        limit=limit,
        quota=desk.platform.settings.max_uncommitted_import_bytes,
    )
    if wishes.read_as:
        found = await uploads.read_as(
            desk.database, desk.platform.sandbox, desk.actor, import_id=import_id, command=reading
        )
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        found = await queries.get_import(tx, desk.actor, import_id=import_id)
        command = checked(MapColumns, {"targets": _targets(found, wishes.maps), **wishes.options})
        return await mapping.map_columns(tx, desk.actor, import_id=import_id, command=command)


async def _commit(desk: Desk, import_id: UUID, wishes: Wishes) -> None:
    from leadflood.domains.imports.service import control

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await control.commit_import(tx, desk.actor, import_id=import_id, trace={})
    found = await _followed(desk, import_id, wishes)
    _show_end(found, wishes)
    if not wishes.as_json:
        note(f"Take it back with: leadflood import --undo {import_id}")


async def _undo(desk: Desk, import_id: UUID, wishes: Wishes) -> None:
    from leadflood.domains.imports.service import control

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await control.undo_import(tx, desk.actor, import_id=import_id, trace={})
    _show_end(await _followed(desk, import_id, wishes), wishes)


async def _followed(desk: Desk, import_id: UUID, wishes: Wishes) -> "ImportDetail":
    """Show how a phase goes until it is over. Exit code 1 where it did not end well."""
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
        disable=wishes.as_json or not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=None)
        while True:
            async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
                found = await queries.get_import(tx, desk.actor, import_id=import_id)
            done, total = _share(found)
            bar.update(task, description=found.status, completed=done, total=total)
            if found.status not in _BUSY:
                break
            looks += 1
            if looks == _HINT_AFTER and not done:
                note("No worker takes it up. Start one with `leadflood worker`, or all with `leadflood up`.")
            await asyncio.sleep(_LOOK)
    if found.status not in _ENDED_WELL:
        note(f"The import {import_id} is {found.status}. {visible(found.error or '')}".rstrip())
        raise typer.Exit(1)
    return found


def _share(found: "ImportDetail") -> tuple[int, int]:
    progress = found.progress
    if found.status == "staging":
        return progress.bytes_done, progress.bytes_total
    return progress.rows_done, progress.rows_total or 0


async def _show_diff(desk: Desk, found: "ImportDetail", wishes: Wishes) -> None:
    from leadflood.domains.imports import queries
    from leadflood.domains.imports.models.states import RowAction
    from leadflood.domains.imports.service.rejected import rejected_file

    if wishes.as_json:
        print_json(found)
    else:
        say()
        print_table([Column("rows"), Column("do")], [(count, action) for action, count in found.counts.items()])
        _show_counts(found)
        async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
            for action in (RowAction.UPDATE, RowAction.REJECT):
                page = await queries.list_rows(tx, desk.actor, import_id=found.id, action=action, limit=_SHOWN)
                _show_rows(page.items)
    if wishes.rejected is not None:
        with wishes.rejected.open("wb") as out:
            async for piece in await rejected_file(desk.database, desk.actor, import_id=found.id):
                out.write(piece)
        note(f"{found.counts[RowAction.REJECT]} rejected rows are in {wishes.rejected}.")


def _show_counts(found: "ImportDetail") -> None:
    if found.fields:
        columns = [Column("field"), Column("changes"), Column("keeps another value")]
        print_table(columns, [(name, each.changed, each.kept) for name, each in found.fields.items()])
    if found.faults:
        print_table([Column("faults"), Column("of")], [(count, fault) for fault, count in found.faults.items()])


def _show_rows(rows: Sequence[Any]) -> None:
    told = [
        (row.row, row.email, f"{name}: {_was(was)} → {now}") for row in rows for name, (was, now) in row.changes.items()
    ]
    told += [(row.row, row.email, f"{fault.field} {fault.message}") for row in rows for fault in row.faults]
    if told:
        print_table([Column("row"), Column("email"), Column("what")], told)


def _show_end(found: "ImportDetail", wishes: Wishes) -> None:
    if wishes.as_json:
        print_json(found)
        return
    facts: list[tuple[str, object]] = [("import", found.id), ("status", found.status)]
    facts += [(action, count) for action, count in found.counts.items() if count]
    if found.undone is not None and found.status == "undone":
        facts += [("leads put back", found.undone), ("fields kept", found.kept)]
    print_facts(facts)


def _targets(found: "ImportDetail", maps: Sequence[str]) -> list[str]:
    """The guess, with what the command line says instead; a column may be named by its number, too."""
    targets = [column.target for column in found.columns]
    names = {column.header.lower(): place for place, column in enumerate(found.columns)}
    names |= {str(place + 1): place for place in range(len(targets)) if str(place + 1) not in names}
    for each in maps:
        name, target = _pair(each, "--map")
        if name.lower() not in names:
            known = ", ".join(visible(column.header) for column in found.columns)
            raise typer.BadParameter(f"There is no column {name!r}. There are: {known}.", param_hint="--map")
        for place, other in enumerate(targets):
            if other == target and target != "ignore":
                targets[place] = "ignore"
        targets[names[name.lower()]] = target
    return targets


def _pair(text: str, option: str) -> tuple[str, str]:
    name, separator, value = text.rpartition("=")
    if not separator:
        raise typer.BadParameter(f"Write {text!r} as name=value.", param_hint=option)
    return name, value


def _agreed() -> bool:
    if not sys.stdin.isatty():
        note("Add --yes to commit without being asked.")
        return False
    return typer.confirm("Write this?", err=True)


def _was(value: object) -> object:
    return "nothing" if value is None else value


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while data := opened.read(_PIECE):
            yield data
