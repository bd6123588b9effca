"""`leadflood outcome …`: outcomes of leads."""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, note, print_json
from leadflood.cli.selected_leads import lead_ids
from leadflood.cli.text_files import opened_text

if TYPE_CHECKING:
    from leadflood.domains.icps.contracts.outcomes import OutcomeResult, OutcomeView

app = typer.Typer(help="Record, list, delete and import outcomes of leads: won, lost, good, bad.", no_args_is_help=True)

_LEAD = typer.Argument(metavar="ID|EMAIL", help="Lead ID or email.")
_COLUMNS = [TableColumn("id", whole=True), *map(TableColumn, ("outcome", "at", "source"))]
_CHUNK = 1_000
_NAMED = 20
"""Problems that are named one by one."""


@app.command("list")
def list_(
    lead: str = _LEAD,
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List the outcomes of a lead, the latest first.

    Example: `leadflood outcome list ada@acme.com`
    """

    async def work() -> None:
        from leadflood.domains.icps.queries.outcomes import list_outcomes

        async with open_context(workspace) as context:
            (lead_id,) = await lead_ids(context, [lead], option="ID|EMAIL")
            fetch = context.reading(list_outcomes, lead_id=lead_id)
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("add")
def add(
    lead: str = _LEAD,
    outcome: str = typer.Argument(metavar="OUTCOME", help="won, lost, good or bad."),
    at: str | None = typer.Option(None, "--at", help="Date, or time with its zone. Default: now."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Record an outcome of a lead. The same outcome of the same time is recorded once.

    Example: `leadflood outcome add ada@acme.com won --at 2026-03-01`
    """

    async def work() -> None:
        from leadflood.cli.validation import checked
        from leadflood.domains.icps.contracts.outcomes import RecordOutcome
        from leadflood.domains.icps.models.outcomes import OutcomeSource
        from leadflood.domains.icps.service import outcomes

        command = checked(RecordOutcome, {"outcome": outcome, "at": at} if at else {"outcome": outcome})
        async with open_context(workspace) as context:
            (lead_id,) = await lead_ids(context, [lead], option="ID|EMAIL")
            async with context.transaction() as tx:
                made = await outcomes.record_outcome(
                    tx, context.actor, lead_id=lead_id, command=command, source=OutcomeSource.CLI
                )
        if as_json:
            print_json(made)
        else:
            note(f"Recorded {made.outcome} ({made.id}).")

    run(work())


@app.command("delete")
def delete(
    outcome_id: UUID = typer.Argument(metavar="ID", help="ID of the outcome.", parser=parse_id),
    workspace: str | None = WORKSPACE,
) -> None:
    """Delete an outcome.

    Example: `leadflood outcome delete 0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e11`
    """

    async def work() -> None:
        from leadflood.domains.icps.service import outcomes

        async with open_context(workspace) as context, context.transaction() as tx:
            await outcomes.delete_outcome(tx, context.actor, outcome_id=outcome_id)
        note("Deleted.")

    run(work())


@app.command("import")
def import_(
    file: Path = typer.Argument(
        exists=True,
        dir_okay=False,
        allow_dash=True,
        help="CSV with the columns email, outcome and date. - reads input.",
    ),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Record outcomes of leads from a file, by email. The same file twice changes nothing.

    Exits with 1 if no row could be used. The first problems go to standard error.

    Example: `leadflood outcome import outcomes.csv`
    """

    async def work() -> None:
        from leadflood.domains.icps.models.outcomes import OutcomeSource
        from leadflood.domains.icps.service import outcomes

        counts: Counter[str] = Counter()
        async with open_context(workspace) as context:
            with opened_text(file) as lines:
                entries = outcomes.entries_of(lines)
                while chunk := list(islice(entries, _CHUNK)):
                    async with context.transaction() as tx:
                        made = await outcomes.import_outcomes(
                            tx, context.actor, entries=chunk, source=OutcomeSource.IMPORT
                        )
                    _name(made.results, counts)
        states = ("recorded", "unchanged", "unmatched", "invalid")
        if as_json:
            print_json({state: counts[state] for state in states})
        else:
            note(", ".join(f"{counts[state]:,} {state}" for state in states) + ".")
        if counts["unmatched"] + counts["invalid"] and not counts["recorded"] + counts["unchanged"]:
            raise typer.Exit(1)

    run(work())


def _name(results: "list[OutcomeResult]", counts: Counter[str]) -> None:
    """Count results, and name the first problems."""
    for item in results:
        counts[item.status] += 1
        if item.status in ("unmatched", "invalid") and counts["unmatched"] + counts["invalid"] <= _NAMED:
            note(f"{item.email or '(empty)'}: {item.error or 'no lead has this email'}")


def _row(outcome: "OutcomeView") -> tuple[object, ...]:
    return (outcome.id, outcome.outcome, outcome.at, outcome.source)
