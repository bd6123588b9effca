"""`leadflood note …`: notes on leads."""

import sys
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, note, print_json
from leadflood.cli.selected_leads import lead_ids

if TYPE_CHECKING:
    from leadflood.domains.notes.contracts import NoteView

_LEAD = typer.Argument(metavar="ID|EMAIL", help="Lead ID or email.")
_NOTE = typer.Argument(metavar="ID", help="ID of the note.", parser=parse_id)
_TEXT = typer.Argument(metavar="TEXT", help="Text of the note; `-` reads it from standard input.")
_COLUMNS = [TableColumn("id", whole=True), *map(TableColumn, ("created", "author", "text"))]

app = typer.Typer(help="List, write, edit, delete and restore notes on leads.", no_args_is_help=True)


@app.command("list")
def list_(
    lead: str = _LEAD,
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List the notes of a lead, newest first.

    Example: `leadflood note list ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.notes import queries

        async with open_context(workspace) as context:
            (lead_id,) = await lead_ids(context, [lead], option="ID|EMAIL")
            fetch = context.reading(queries.list_notes, lead_id=lead_id)
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("add")
def add(lead: str = _LEAD, text: str = _TEXT, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Write a note on a lead.

    Example: `leadflood note add ada@acme.com "Met in Berlin"`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.notes import service
        from leadflood.domains.notes.contracts import WriteNote

        command = checked(WriteNote, {"text": _read(text)})
        async with open_context(workspace) as context:
            (lead_id,) = await lead_ids(context, [lead], option="ID|EMAIL")
            async with context.transaction() as tx:
                made = await service.add_note(tx, context.actor, lead_id=lead_id, command=command)
        if as_json:
            print_json(made)
        else:
            note(f"Added note {made.id}.")

    run(work())


@app.command("edit")
def edit(note_id: UUID = _NOTE, text: str = _TEXT, workspace: str | None = WORKSPACE) -> None:
    """Replace the text of a note that was written on the command line.

    Example: `leadflood note edit 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10 "Met in Munich"`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.notes import queries, service
        from leadflood.domains.notes.contracts import WriteNote

        command = checked(WriteNote, {"text": _read(text)})
        async with open_context(workspace) as context, context.transaction() as tx:
            found = await queries.get_note(tx, context.actor, note_id=note_id)
            await service.update_note(
                tx, context.actor, note_id=note_id, command=command, expected_version=found.version
            )
        note("Saved.")

    run(work())


@app.command("delete")
def delete(note_id: UUID = _NOTE, workspace: str | None = WORKSPACE) -> None:
    """Delete a note. Restore it with `leadflood note restore ID`.

    Example: `leadflood note delete 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.notes import service

        async with open_context(workspace) as context, context.transaction() as tx:
            await service.delete_note(tx, context.actor, note_id=note_id)
        note(f"Deleted. Restore it with: leadflood note restore {note_id}")

    run(work())


@app.command("restore")
def restore(note_id: UUID = _NOTE, workspace: str | None = WORKSPACE) -> None:
    """Restore a deleted note.

    Example: `leadflood note restore 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.notes import service

        async with open_context(workspace) as context, context.transaction() as tx:
            await service.restore_note(tx, context.actor, note_id=note_id)
        note("Restored.")

    run(work())


def _read(text: str) -> str:
    return sys.stdin.read() if text == "-" else text


def _row(found: "NoteView") -> tuple[object, ...]:
    return (found.id, found.created_at, found.author.id or found.author.kind, found.text)
