"""`leadflood source …`: the sources that workers ask, how they do, and the retraction of what one wrote."""

import sys
from typing import TYPE_CHECKING

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, note, print_facts, print_json, print_table
from leadflood.cli.selected_companies import find_company
from leadflood.cli.selected_leads import lead_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadflood.domains.enrichment.contracts.retractions import RetractionEstimate, RetractionView
    from leadflood.domains.enrichment.contracts.sources import SourceView

app = typer.Typer(help="List and show the sources that workers ask, and retract what one wrote.", no_args_is_help=True)


@app.command("list")
def list_(workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """List the sources with their state, and what they answered in the last 24 hours.

    Example: `leadflood source list`
    """

    async def work() -> None:
        from leadflood.domains.enrichment.queries import sources
        from leadflood.domains.enrichment.registry import worker_sources

        async with open_context(workspace) as context:
            asked = worker_sources(context.platform.settings)
            found = await sources.list_sources(context.database, context.actor, sources=asked)
        if as_json:
            print_json(*found)
        else:
            print_table(_COLUMNS, map(_row, found))

    run(work())


@app.command("show")
def show(
    name: str = typer.Argument(help="Name of the source, such as website."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Show a source: its state, its answers by outcome, and how often it had a value of each field.

    Example: `leadflood source show website`
    """

    async def work() -> None:
        async with open_context(workspace) as context:
            found = await _found(context, name)
        if as_json:
            print_json(found)
            return
        print_facts([("source", found.name), ("state", found.state), ("reason", found.reason), ("until", found.until)])
        print_facts([("questions", found.questions), *found.outcomes.items()])
        print_facts([("median", _seconds(found.seconds_p50)), ("p95", _seconds(found.seconds_p95))])
        if found.fields:
            print_table(
                [TableColumn("field"), TableColumn("answers"), TableColumn("share")],
                [(item.field, f"{item.found} of {item.answers}", f"{item.share:.0%}") for item in found.fields],
            )

    run(work())


@app.command("retract")
def retract(  # noqa: PLR0913, PLR0917  each option is a parameter
    name: str = typer.Argument(help="Name of the source, such as website."),
    since: str = typer.Option(..., metavar="TIME", help="Values written from then on, such as 2026-11-24T00:00Z."),
    until: str | None = typer.Option(None, metavar="TIME", help="Values written before. Default: now."),
    field: str | None = typer.Option(None, help="Only values of this field, such as country."),
    lead: str | None = typer.Option(None, metavar="EMAIL|ID", help="Only values about this lead."),
    company: str | None = typer.Option(None, metavar="ID|DOMAIN", help="Only values about this company."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Count only."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Retract without asking for confirmation."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Retract what a source wrote in a period. Undo it with `leadflood change undo ID`.

    Example: `leadflood source retract website --since 2026-11-24T00:00Z --field country --dry-run`
    """

    async def work() -> None:
        given = {"source": name, "since": since, "until": until, "field": field}
        async with open_context(workspace) as context:
            if lead is not None:
                given["leadId"] = str((await lead_ids(context, [lead]))[0])
            if company is not None:
                given["companyId"] = str((await find_company(context, company)).id)
            given = {key: value for key, value in given.items() if value is not None}
            found = await _counted(context, given)
            if dry_run or not found.values:
                _print_retraction(found, as_json=as_json)
                return
            if not yes and not _confirmed(found.values):
                raise typer.Exit(1)
            made = await _retracted(context, given, found)
        _print_retraction(made, as_json=as_json)
        note(f"Undo with: leadflood change undo {made.id}")

    run(work())


async def _counted(context: CliContext, given: "Mapping[str, str | None]") -> "RetractionEstimate":
    from leadflood.cli.validation import checked
    from leadflood.domains.enrichment.contracts.retractions import RetractValues
    from leadflood.domains.enrichment.service import retractions

    command = checked(RetractValues, {**given, "dryRun": True})
    async with context.database.transaction(context.actor.workspace_id, read_only=True) as tx:
        return await retractions.estimate(tx, context.actor, command=command)


async def _retracted(
    context: CliContext, given: "Mapping[str, str | None]", found: "RetractionEstimate"
) -> "RetractionView":
    """Retract what was counted, and not more."""
    from leadflood.cli.validation import checked
    from leadflood.domains.enrichment.contracts.retractions import RetractValues
    from leadflood.domains.enrichment.service import retractions

    counted = {"expectedCount": found.values, "until": found.until.isoformat()}
    command = checked(RetractValues, {**given, **counted})
    async with context.database.transaction(context.actor.workspace_id) as tx:
        return await retractions.retract(tx, context.actor, command=command, trace={})


def _confirmed(values: int) -> bool:
    if not sys.stdin.isatty():
        note("Use --yes to retract without confirmation.")
        return False
    return typer.confirm(f"Retract {values:,} values?", err=True)


def _print_retraction(found: "RetractionEstimate | RetractionView", *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        print_facts([*found.model_dump(exclude={"actor"}).items()])


async def _found(context: CliContext, name: str) -> "SourceView":
    from leadflood.domains.enrichment.queries import sources
    from leadflood.domains.enrichment.registry import worker_sources

    asked = worker_sources(context.platform.settings)
    return await sources.get_source(context.database, context.actor, name=name, sources=asked)


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f} s"


_COLUMNS = (
    TableColumn("source"),
    TableColumn("state"),
    TableColumn("questions"),
    TableColumn("found"),
    TableColumn("median"),
    TableColumn("p95"),
    TableColumn("reason"),
)


def _row(found: "SourceView") -> tuple[object, ...]:
    hits = found.outcomes.get("found", 0)
    share = f"{hits / found.questions:.0%}" if found.questions else ""
    durations = (_seconds(found.seconds_p50), _seconds(found.seconds_p95))
    return found.name, found.state, found.questions, share, *durations, found.reason
