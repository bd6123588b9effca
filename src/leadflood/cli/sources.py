"""`leadflood source …`: the sources that workers ask, and how they do."""

from typing import TYPE_CHECKING

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, print_facts, print_json, print_table

if TYPE_CHECKING:
    from leadflood.domains.enrichment.contracts.sources import SourceView

app = typer.Typer(help="List and show the sources that workers ask.", no_args_is_help=True)


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
