"""`leadflood list …`: static lists of leads."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, note, print_json
from leadflood.cli.selected_leads import lead_ids

if TYPE_CHECKING:
    from leadflood.domains.lists.contracts import ListView

_STDIN = "-"

_NAME = typer.Argument(metavar="NAME", help="Name of the list. Case doesn't matter.")

app = typer.Typer(help="List, create, change, fill and delete static lists of leads.", no_args_is_help=True)


@app.command("list")
def list_(
    limit: int = LIMIT, everything: bool = EVERYTHING, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """List the lists by name, with their number of leads. For the leads of one: `leadflood lead list --filter JSON`.

    Example: `leadflood list list`
    """

    async def work() -> None:
        from leadflood.domains.lists import queries

        async with open_context(workspace) as context:
            fetch = context.reading(queries.list_lists)
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("create")
def create(
    name: str = _NAME,
    description: str | None = typer.Option(None, help="Description."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Create a list.

    Example: `leadflood list create "Guests 2026"`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.lists import service
        from leadflood.domains.lists.contracts import CreateList

        command = checked(CreateList, {"name": name, "description": description})
        async with open_context(workspace) as context, context.transaction() as tx:
            made = await service.create_list(tx, context.actor, command=command)
        note(f"Created the list {made.name}.")

    run(work())


@app.command("change")
def change(
    name: str = _NAME,
    new_name: str | None = typer.Option(None, "--name", help="New name."),
    description: str | None = typer.Option(None, help="New description."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Rename or describe a list.

    Example: `leadflood list change Guests --name "Guests 2026"`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.lists import service
        from leadflood.domains.lists.contracts import UpdateList

        pairs = (("name", new_name), ("description", description))
        given: dict[str, Any] = {key: value for key, value in pairs if value is not None}
        command = checked(UpdateList, given)
        async with open_context(workspace) as context:
            found = await _find(context, name)
            async with context.transaction() as tx:
                await service.update_list(
                    tx, context.actor, list_id=found.id, command=command, expected_version=found.version
                )
        note("Changed.")

    run(work())


@app.command("delete")
def delete(name: str = _NAME, workspace: str | None = WORKSPACE) -> None:
    """Delete a list, not its leads. Restore it with `leadflood list restore ID`.

    Example: `leadflood list delete Old`
    """

    async def work() -> None:
        from leadflood.domains.lists import service

        async with open_context(workspace) as context:
            found = await _find(context, name)
            async with context.transaction() as tx:
                await service.delete_list(tx, context.actor, list_id=found.id)
        note(f"Deleted {found.name}. Restore it with: leadflood list restore {found.id}")

    run(work())


@app.command("restore")
def restore(
    list_id: UUID = typer.Argument(metavar="ID", help="ID of the deleted list.", parser=parse_id),
    workspace: str | None = WORKSPACE,
) -> None:
    """Restore a deleted list with its leads.

    Example: `leadflood list restore 0197a3b0-9e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.lists import service

        async with open_context(workspace) as context, context.transaction() as tx:
            found = await service.restore_list(tx, context.actor, list_id=list_id)
        note(f"Restored {found.name}.")

    run(work())


@app.command("add")
def add(
    name: str = _NAME,
    emails: list[str] = typer.Argument(None, metavar="EMAIL…", help="Emails of leads. Use - to read them."),
    file: Path | None = typer.Option(None, "--file", exists=True, dir_okay=False, help="File with an email per line."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Add leads to a list by email. Emails without a lead are reported, and the command exits with 1.

    Example: `leadflood list add Guests ada@acme.com grace@acme.com`
    """
    run(_add(workspace, name, _given(emails or [], file), as_json=as_json))


@app.command("remove")
def remove(
    name: str = _NAME,
    leads: list[str] = typer.Argument(metavar="EMAIL|ID…", help="Leads to remove."),
    workspace: str | None = WORKSPACE,
) -> None:
    """Remove leads from a list.

    Example: `leadflood list remove Guests ada@acme.com`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.lists import service
        from leadflood.domains.lists.contracts import OneList

        async with open_context(workspace) as context:
            found = await _find(context, name)
            command = checked(OneList, {"listId": str(found.id)})
            ids = await lead_ids(context, leads, option="EMAIL|ID")
            async with context.transaction() as tx:
                for lead_id in ids:
                    await service.remove_lead(tx, context.actor, lead_id=lead_id, command=command)
        note(f"Removed {len(ids)} from {found.name}.")

    run(work())


def _given(emails: list[str], file: Path | None) -> list[str]:
    from leadflood.domains.lists.models import addresses_in

    texts = [file.read_text("utf-8", errors="replace")] if file else []
    if _STDIN in emails:
        texts.append(sys.stdin.read())
    given = [text for text in emails if text != _STDIN]
    return list(dict.fromkeys([*given, *(address for text in texts for address in addresses_in(text))]))


async def _add(workspace: str | None, name: str, emails: list[str], *, as_json: bool) -> None:
    from leadflood.cli.validation import checked
    from leadflood.domains.lists import service
    from leadflood.domains.lists.contracts import AddMembers
    from leadflood.domains.lists.models import MAX_ADDRESSES

    parts = [emails[start : start + MAX_ADDRESSES] for start in range(0, max(len(emails), 1), MAX_ADDRESSES)]
    commands = [checked(AddMembers, {"emails": part}) for part in parts]
    added, already, unknown = 0, 0, list[str]()
    async with open_context(workspace) as context:
        found = await _find(context, name)
        for command in commands:
            async with context.transaction() as tx:
                done = await service.add_addresses(tx, context.actor, list_id=found.id, command=command)
            added, already = added + done.added, already + done.already_members
            unknown += done.unknown_emails
    if as_json:
        print_json({"added": added, "alreadyMembers": already, "unknownEmails": unknown})
    else:
        note(f"Added {added} to {found.name}; {already} were on it already.")
        for email in unknown:
            note(f"No lead {email}.")
    if unknown:
        raise typer.Exit(1)


async def _find(context: CliContext, name: str) -> "ListView":
    """The list with this name. Raises: UnknownList."""
    from leadflood.domains.lists import queries
    from leadflood.domains.lists.errors import UnknownList

    async with context.transaction(read_only=True) as tx:
        found = await queries.named(tx, context.actor, name)
        if found is None:
            raise UnknownList(name)
        return await queries.get_list(tx, context.actor, list_id=found.id)


_COLUMNS = [TableColumn("id", whole=True), *map(TableColumn, ("name", "leads", "description"))]


def _row(found: "ListView") -> tuple[object, ...]:
    return (found.id, found.name, found.leads.value, found.description or "")
