"""`leadflood change …`: bulk changes, imports and merges, and their undo; directly on the database."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, moment, note, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadflood.domains.leads.contracts.changesets import ChangesetView, KeptLeadView
    from leadflood.kernel.pagination import Page

_ID = typer.Argument(help="Change ID.", parser=parse_id)
_KEPT = 20

app = typer.Typer(help="List, show and undo bulk changes, imports and merges.", no_args_is_help=True)


@app.command("list")
def list_(
    limit: int = LIMIT, everything: bool = EVERYTHING, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """List bulk changes, imports and merges, newest first.

    Example: `leadflood change list --limit 20`
    """

    async def work() -> None:
        from leadflood.domains.leads.queries import changesets

        async with open_context(workspace) as context:
            days = context.platform.settings.lead_retention_days

            async def dated(*tx: Any, **page: Any) -> "Page[ChangesetView]":  # noqa: ANN401  as the query
                return (await changesets.list_changesets(*tx, **page)).map(lambda item: item.dated(days))

            await print_pages(
                context.reading(dated), _COLUMNS, _row, limit=None if everything else limit, as_json=as_json
            )

    run(work())


@app.command("show")
def show(change: UUID = _ID, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Show a change, and what its undo kept.

    Example: `leadflood change show 0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.leads.queries import changesets

        async with open_context(workspace) as context:
            days = context.platform.settings.lead_retention_days
            async with context.transaction(read_only=True) as tx:
                found = await changesets.get_changeset(tx, context.actor, changeset_id=change)
                kept = await changesets.list_kept(tx, context.actor, changeset_id=change, limit=_KEPT)
        _print(found.dated(days), kept.items, as_json=as_json)

    run(work())


@app.command("undo")
def undo(change: UUID = _ID, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Undo a change. Later edits are kept. Above 5,000 leads, a worker does it.

    Example: `leadflood change undo 0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.duplicates.service import merging
        from leadflood.domains.leads.queries import changesets

        async with open_context(workspace) as context:
            days = context.platform.settings.lead_retention_days
            async with context.transaction() as tx:
                undone = await merging.undo_change(
                    tx, context.actor, context.platform.participants, changeset_id=change, trace={}
                )
                kept = await changesets.list_kept(tx, context.actor, changeset_id=change, limit=_KEPT)
        _print(undone.dated(days), kept.items, as_json=as_json)
        if undone.status == "undoing" and not as_json:
            note(f"Undoing in the background. Check progress with: leadflood change show {change}")

    run(work())


_COLUMNS = [
    TableColumn("id", whole=True),
    *map(TableColumn, ("kind", "change", "status", "created", "updated", "deleted", "restored", "at", "undo until")),
]


def _row(change: "ChangesetView") -> tuple[object, ...]:
    return (
        change.id,
        change.kind,
        change.label,
        change.status,
        change.created,
        change.updated,
        change.deleted,
        change.restored,
        moment(change.created_at),
        moment(change.undo_until),
    )


def _print(change: "ChangesetView", kept: "Sequence[KeptLeadView]", *, as_json: bool) -> None:
    if as_json:
        print_json(change)
        return
    facts: list[tuple[str, object]] = [
        ("change", change.id),
        ("kind", change.kind),
        ("label", change.label),
        ("status", change.status),
        ("by", change.actor.kind),
        ("progress", f"{change.processed} of {change.total}"),
    ]
    counts = ("created", "updated", "deleted", "restored", "reverted", "kept_leads")
    facts += [(name.replace("_", " "), getattr(change, name)) for name in counts if getattr(change, name)]
    facts += [
        ("job", change.job_id),
        ("created at", change.created_at),
        ("undo until", change.undo_until),
        ("undone at", change.undone_at),
    ]
    print_facts(facts)
    if kept:
        say()
        columns = [TableColumn("kept lead"), TableColumn("reason"), TableColumn("fields")]
        print_table(columns, [(item.email, item.reason, ", ".join(item.fields)) for item in kept])
