"""`leadflood lead export-personal-data` and `leadflood lead erase`."""

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, note, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from leadflood.domains.leads.contracts.personal_data import ErasureView, PersonalDataView
    from leadflood.domains.leads.service.personal_data import Who

_WHO = typer.Argument(metavar="ID|EMAIL", help="Lead ID or email; deleted leads included.")
_OUTPUT = typer.Option(None, "--output", "-o", help="File to write. Defaults to standard output.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export-personal-data")(export_personal_data)
    app.command("erase")(erase)


def export_personal_data(who: str = _WHO, workspace: str | None = WORKSPACE, output: Path | None = _OUTPUT) -> None:
    """Export all personal data of a lead as JSON.

    Example: `leadflood lead export-personal-data ada.lovelace@acme.com --output ada.json`
    """

    async def work() -> "PersonalDataView":
        from leadflood.domains.leads.service import personal_data

        async with open_context(workspace) as context, context.transaction() as tx:
            return await personal_data.export_personal_data(
                tx, context.actor, context.platform.participants, who=_person(who)
            )

    exported = run(work())
    if output is None:
        print_json(exported)
    else:
        output.write_text(exported.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")
        note(f"Wrote {exported.rows} records to {output}.")


def erase(
    who: str = _WHO,
    workspace: str | None = WORKSPACE,
    dry_run: bool = typer.Option(False, "--dry-run", help="List what would be erased, without changing anything."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Erase without asking for confirmation."),
    as_json: bool = AS_JSON,
) -> None:
    """Erase all personal data of a lead in the workspace, permanently.

    Lists everything it will erase, and asks for confirmation.

    Example: `leadflood lead erase ada.lovelace@acme.com --dry-run`
    """

    async def work() -> None:
        from leadflood.domains.leads.service import personal_data

        async with open_context(workspace) as context:

            async def attempt(*, dry: bool) -> "ErasureView":
                async with context.transaction() as tx:
                    return await personal_data.erase_person(
                        tx, context.actor, context.platform.participants, who=_person(who), dry_run=dry
                    )

            found = await attempt(dry=True)
            if not dry_run:
                if not yes:
                    _print(found, as_json=False)
                    typer.confirm("Erase this permanently?", abort=True, err=True)
                found = await attempt(dry=False)
        _print(found, as_json=as_json)

    run(work())


def _person(who: str) -> "Who":
    """Raises: InvalidInput."""
    from leadflood.cli.validation import checked
    from leadflood.domains.leads.contracts.personal_data import PersonByAddress

    try:
        return UUID(who)
    except ValueError:
        return checked(PersonByAddress, {"email": who}).email


def _print(found: "ErasureView", *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    state = "would be erased" if found.dry_run else "erased"
    print_facts([("state", state), ("leads", len(found.lead_ids)), ("erased at", found.erased_at)])
    if found.places:
        say()
        print_table([TableColumn("place"), TableColumn("rows")], [(place.name, place.rows) for place in found.places])
    else:
        note("Nothing is stored about this person.")
