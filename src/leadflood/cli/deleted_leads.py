"""`leadflood lead list --deleted` and `leadflood lead restore`."""

from typing import TYPE_CHECKING
from uuid import UUID

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, moment, print_facts, print_json

if TYPE_CHECKING:
    from leadflood.domains.leads.contracts.deleted import DeletedLeadView

_IDS = typer.Argument(
    metavar="ID...", help="IDs of deleted leads, from `leadflood lead list --deleted`.", parser=parse_id
)
_COLUMNS = [
    TableColumn("id", whole=True),
    *map(TableColumn, ("email", "deleted", "by", "change", "restorable until", "merged into")),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("restore")(restore)


def restore(leads: list[UUID] = _IDS, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Restore deleted leads.

    Skips leads whose email is taken by another lead, and merged leads: undo the merge to restore those.

    Example: `leadflood lead restore 0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.leads.contracts.bulk import BulkChange
        from leadflood.domains.leads.service import bulk

        command = checked(BulkChange, {"action": "restore", "leadIds": [str(lead) for lead in leads]})
        async with open_context(workspace) as context:
            days = context.platform.settings.lead_retention_days
            async with context.transaction() as tx:
                made = (await bulk.change_leads(tx, context.actor, command=command, trace={})).dated(days)
        if as_json:
            print_json(made)
        else:
            skipped = made.total - made.restored
            print_facts([("change", made.id), ("restored", made.restored), ("skipped", skipped)])
        if not made.restored:
            raise typer.Exit(1)

    run(work())


async def list_deleted(q: str | None, limit: int | None, workspace: str | None, *, as_json: bool) -> None:
    """Print deleted leads, most recently deleted first."""
    from leadflood.cli.validation import checked
    from leadflood.domains.leads.contracts.deleted import DeletedQuery
    from leadflood.domains.leads.queries import deleted

    filters = checked(DeletedQuery, {"q": q}).deleted_filter()
    async with open_context(workspace) as context:
        days = context.platform.settings.lead_retention_days
        fetch = context.reading(deleted.list_deleted_leads, filters=filters, retention_days=days)
        await print_pages(fetch, _COLUMNS, _row, limit=limit, as_json=as_json)


def _row(lead: "DeletedLeadView") -> tuple[object, ...]:
    return (
        lead.id,
        lead.email,
        moment(lead.deleted_at),
        lead.deleted_by.kind if lead.deleted_by else None,
        lead.changeset_id,
        moment(lead.restorable_until),
        lead.merged_into.survivor_email if lead.merged_into else None,
    )
