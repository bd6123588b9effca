"""`leadflood enrichment …`: enrichments of many leads or companies. A worker carries them on."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, FILTER, LIMIT, WORKSPACE, filter_json, print_pages
from leadflood.cli.output import TableColumn, note, print_facts, print_json, print_table
from leadflood.cli.selected_leads import lead_ids

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from leadflood.domains.enrichment.contracts.batches import (
        EnrichmentBatchView,
        EnrichmentEstimate,
        StartEnrichment,
    )
    from leadflood.kernel.actor import Actor
    from leadflood.kernel.db.transaction import Transaction

_LOOK = 0.5
"""Seconds between checks of an enrichment that is waited for."""
_BATCH = typer.Argument(metavar="ID", help="ID of the enrichment.", parser=parse_id)

app = typer.Typer(help="Enrich many leads or companies, and pause, resume and cancel that.", no_args_is_help=True)


@app.command("start")
def start(  # noqa: PLR0913, PLR0917  each option is a parameter
    lead: list[str] = typer.Option([], metavar="EMAIL|ID", help="Selected leads. Repeatable, up to 1,000."),
    tree: str | None = FILTER,
    import_id: str | None = typer.Option(None, "--import", metavar="ID", help="The leads of an import."),
    domain: list[str] = typer.Option([], metavar="DOMAIN", help="A company by domain. Repeatable."),
    file: Path | None = typer.Option(None, exists=True, dir_okay=False, help="File with one domain per line."),
    name: str | None = typer.Option(None, help="Name of the enrichment."),
    include_fresh: bool = typer.Option(False, "--include-fresh", help="Enrich those again that are up to date."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Estimate only."),
    wait: bool = typer.Option(False, "--wait", help="Wait until it has ended."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Enrich selected leads, those of a filter or an import, or companies by domain. `--filter '{}'` means all leads.

    Example: `leadflood enrichment start --filter '{"all": [{"field": "status", "operator": "is", "value": "failed"}]}'`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.enrichment.contracts.batches import StartEnrichment

        async with open_context(workspace) as context:
            given: dict[str, Any] = {"includeFresh": include_fresh, "dryRun": dry_run}
            if name:
                given["name"] = name
            if lead:
                given["leadIds"] = [str(item) for item in await lead_ids(context, lead)]
            if tree is not None:
                given["matching"] = filter_json(tree)
            if import_id is not None:
                given["importId"] = import_id
            domains = [*domain, *(_lines(file) if file else ())]
            if domains:
                given["domains"] = domains
            command = checked(StartEnrichment, given)
            if dry_run:
                _print_estimate(await _estimated(context, command), as_json=as_json)
                return
            started = await _started(context, command)
            _print(await _ended(context, started) if wait else started, as_json=as_json)

    run(work())


@app.command("list")
def list_(
    limit: int = LIMIT, everything: bool = EVERYTHING, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON
) -> None:
    """List enrichments of many, newest first.

    Example: `leadflood enrichment list`
    """

    async def work() -> None:
        from leadflood.domains.enrichment.queries import batches

        async with open_context(workspace) as context:
            fetch = context.reading(batches.list_batches)
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("show")
def show(batch_id: UUID = _BATCH, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Show an enrichment: its counts, and why some are not complete.

    Example: `leadflood enrichment show 0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        async with open_context(workspace) as context:
            _print(await _current(context, batch_id), as_json=as_json)

    run(work())


@app.command("pause")
def pause(batch_id: UUID = _BATCH, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Pause an enrichment: what has not begun waits.

    Example: `leadflood enrichment pause 0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10`
    """
    from leadflood.domains.enrichment.service import batches

    _change(workspace, lambda tx, actor: batches.pause(tx, actor, batch_id=batch_id), as_json=as_json)


@app.command("resume")
def resume(batch_id: UUID = _BATCH, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Resume an enrichment that is paused or failed.

    Example: `leadflood enrichment resume 0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10`
    """
    from leadflood.domains.enrichment.service import batches

    _change(workspace, lambda tx, actor: batches.resume(tx, actor, batch_id=batch_id, trace={}), as_json=as_json)


@app.command("cancel")
def cancel(batch_id: UUID = _BATCH, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Cancel an enrichment: what has not begun is not enriched.

    Example: `leadflood enrichment cancel 0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10`
    """
    from leadflood.domains.enrichment.service import batches

    _change(workspace, lambda tx, actor: batches.cancel(tx, actor, batch_id=batch_id), as_json=as_json)


def _change(
    workspace: str | None,
    change: "Callable[[Transaction, Actor], Awaitable[EnrichmentBatchView]]",
    *,
    as_json: bool,
) -> None:
    """Change an enrichment in a transaction, and print it."""

    async def work() -> None:
        async with open_context(workspace) as context:
            async with context.transaction() as tx:
                found = await change(tx, context.actor)
            _print(found, as_json=as_json)

    run(work())


def _lines(file: Path) -> list[str]:
    return [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]


async def _estimated(context: CliContext, command: "StartEnrichment") -> "EnrichmentEstimate":
    from leadflood.domains.enrichment.registry import worker_sources
    from leadflood.domains.enrichment.service import batches
    from leadflood.domains.enrichment.service.workspace_sources import asked_sources

    free, secret_box = worker_sources(context.platform.settings), context.platform.secret_box
    async with context.transaction(read_only=True) as tx:
        sources = await asked_sources(tx, context.actor, free=free, secret_box=secret_box)
        return await batches.estimate(tx, context.actor, command=command, sources=sources)


async def _started(context: CliContext, command: "StartEnrichment") -> "EnrichmentBatchView":
    from leadflood.domains.enrichment.service import batches

    async with context.transaction() as tx:
        return await batches.start(tx, context.actor, command=command, trace={})


async def _current(context: CliContext, batch_id: UUID) -> "EnrichmentBatchView":
    from leadflood.domains.enrichment.queries import batches

    async with context.transaction(read_only=True) as tx:
        return await batches.get_batch(tx, context.actor, batch_id=batch_id)


async def _ended(context: CliContext, started: "EnrichmentBatchView") -> "EnrichmentBatchView":
    """The enrichment when it has ended, or is paused. Exits with 1 if it failed."""
    from leadflood.domains.enrichment.models.batches import BatchStatus

    found, shown = started, -1
    while found.status is BatchStatus.RUNNING:
        if found.processed != shown:
            shown = found.processed
            note(f"{shown:,} of {found.total:,}")
        await asyncio.sleep(_LOOK)
        found = await _current(context, started.id)
    if found.status is BatchStatus.FAILED:
        note(f"Enrichment {found.id} failed. {found.error}")
        raise typer.Exit(1)
    return found


def _print(found: "EnrichmentBatchView", *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_facts(
        [
            ("enrichment", found.id),
            ("name", found.name),
            ("status", found.status),
            (found.subject.value, found.total),
            ("planned", found.planned),
            ("running", found.running),
            ("waiting for sources", found.waiting),
            ("completed", found.completed),
            ("partial", found.partial),
            ("failed", found.failed),
            ("skipped", found.skipped),
            ("error", found.error),
        ]
    )
    if found.reasons:
        print_table(
            [TableColumn("result"), TableColumn("count"), TableColumn("reason")],
            [(item.outcome, item.count, item.reason) for item in found.reasons],
        )


def _print_estimate(found: "EnrichmentEstimate", *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    about = "" if found.exact else "about "
    print_facts(
        [
            (found.subject.value, found.total),
            ("up to date", f"{about}{found.fresh}"),
            ("companies to read", f"{about}{found.companies}"),
            ("seconds", f"{found.seconds_from} to {found.seconds_to}"),
            *_costs(found),
        ]
    )
    print_table(
        [TableColumn("source"), TableColumn("requests at most")], [(call.source, call.at_most) for call in found.calls]
    )


def _costs(found: "EnrichmentEstimate") -> list[tuple[str, str]]:
    """Lines about what sources with a price cost."""
    if not found.most_micros:
        return []
    least, greatest, most = (
        f"{micros / 1_000_000:.2f}" for micros in (found.likely_from_micros, found.likely_to_micros, found.most_micros)
    )
    likely = f"{least} to {greatest} {found.currency}" if found.cost_history else "no earlier calls to judge by"
    return [("cost at most", f"{most} {found.currency}"), ("likely cost", likely)]


_COLUMNS = (
    TableColumn("id", whole=True),
    TableColumn("status"),
    TableColumn("name"),
    TableColumn("total"),
    TableColumn("processed"),
    TableColumn("failed"),
    TableColumn("started"),
)


def _row(found: "EnrichmentBatchView") -> tuple[object, ...]:
    return found.id, found.status, found.name, found.total, found.processed, found.failed, found.created_at
