"""`leadflood duplicate …`: possible duplicates, and the merge of all certain ones. A worker runs scans and merges."""

import asyncio
import sys
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import typer

from leadflood.cli.context import CliContext, open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, note, print_facts, print_json

if TYPE_CHECKING:
    from leadflood.domains.duplicates.contracts import DuplicateView, MergeRunView

_LOOK = 0.2
"""Seconds between checks of a merge that is waited for."""
_HINT_AFTER = 20
_RUN = typer.Argument(metavar="ID", help="ID of the merge of all certain pairs.", parser=parse_id)
_WAIT = typer.Option(True, "--wait/--no-wait", help="Wait until it is finished.")

app = typer.Typer(help="Find duplicates, merge all certain ones and undo that.", no_args_is_help=True)


@app.command("list")
def list_(
    status: Literal["open", "dismissed", "merged"] = typer.Option("open", "--status", help="Status of the pairs."),
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List pairs of possible duplicates, highest score first.

    Example: `leadflood duplicate list --limit 20`
    """

    async def work() -> None:
        from functools import partial

        from leadflood.domains.duplicates import queries
        from leadflood.domains.duplicates.models import CandidateStatus

        async with open_context(workspace) as context:
            fetch = context.reading(partial(queries.list_duplicates, status=CandidateStatus(status)))
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("scan")
def scan(workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Start a scan for duplicates. It also starts automatically within an hour after leads change.

    Example: `leadflood duplicate scan`
    """

    async def work() -> None:
        from leadflood.domains.duplicates.service import scanning

        async with open_context(workspace) as context, context.transaction() as tx:
            started = await scanning.request_scan(tx, context.actor, trace={})
        if as_json:
            print_json(started)
        else:
            note(f"Scanning. Watch it with: leadflood job show {started.job_id}")

    run(work())


@app.command("merge-certain")
def merge_certain(
    yes: bool = typer.Option(False, "--yes", "-y", help="Merge without asking for confirmation."),
    wait: bool = _WAIT,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Merge all open pairs of score 100; the older lead of each survives. Undo it with `leadflood duplicate undo ID`.

    Example: `leadflood duplicate merge-certain --yes`
    """

    async def work() -> None:
        from leadflood.domains.duplicates import queries
        from leadflood.domains.duplicates.service import merge_runs

        async with open_context(workspace) as context:
            async with context.transaction(read_only=True) as tx:
                counts = await queries.count_pairs(tx, context.actor)
            if counts.certain.value and not yes and not _confirmed(counts.certain.value):
                raise typer.Exit(1)
            async with context.transaction() as tx:
                started = await merge_runs.merge_certain(
                    tx, context.actor, expected_count=counts.certain.value, trace={}
                )
            _print(await _ended(context, started, wait=wait), as_json=as_json)

    run(work())


@app.command("show")
def show(run_id: UUID = _RUN, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Show a merge of all certain pairs.

    Example: `leadflood duplicate show 0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        async with open_context(workspace) as context:
            _print(await _current(context, run_id), as_json=as_json)

    run(work())


@app.command("undo")
def undo(run_id: UUID = _RUN, wait: bool = _WAIT, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Undo a merge of all certain pairs, the latest merge first. Later edits are kept.

    Example: `leadflood duplicate undo 0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10`
    """

    async def work() -> None:
        from leadflood.domains.duplicates.service import merge_runs

        async with open_context(workspace) as context:
            async with context.transaction() as tx:
                started = await merge_runs.undo_run(tx, context.actor, run_id=run_id, trace={})
            _print(await _ended(context, started, wait=wait), as_json=as_json)

    run(work())


def _confirmed(pairs: int) -> bool:
    if not sys.stdin.isatty():
        note("Use --yes to merge without confirmation.")
        return False
    return typer.confirm(f"Merge {pairs:,} certain pairs?", err=True)


async def _current(context: CliContext, run_id: UUID) -> "MergeRunView":
    from leadflood.domains.duplicates import queries

    async with context.transaction(read_only=True) as tx:
        return await queries.get_merge_run(tx, context.actor, run_id=run_id)


async def _ended(context: CliContext, started: "MergeRunView", *, wait: bool) -> "MergeRunView":
    """The run when it is finished. Exits with 1 if it failed."""
    from leadflood.domains.duplicates.models import MergeRunStatus

    found, looks = started, 0
    while wait and found.status in (MergeRunStatus.MERGING, MergeRunStatus.UNDOING):
        looks += 1
        if looks == _HINT_AFTER and not (found.merged or found.undone):
            note("No worker is running. Start one with `leadflood worker`, or run `leadflood up`.")
        await asyncio.sleep(_LOOK)
        found = await _current(context, started.id)
    if found.error:
        note(f"Merge {found.id} failed. {found.error}")
        raise typer.Exit(1)
    return found


def _print(found: "MergeRunView", *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    facts: list[tuple[str, object]] = [("merge", found.id), ("status", found.status), ("pairs", found.total)]
    facts += [("merged", found.merged), ("skipped", found.skipped)]
    if found.undone or found.kept:
        facts += [("undone", found.undone), ("kept", found.kept)]
    print_facts([*facts, ("error", found.error)])


_COLUMNS = (TableColumn("score"), TableColumn("lead"), TableColumn("other lead"), TableColumn("why"), TableColumn("id"))


def _row(pair: "DuplicateView") -> tuple[object, ...]:
    one, other = (lead.email for lead in pair.leads)
    return pair.score, one, other, ", ".join(reason.kind.replace("_", " ") for reason in pair.reasons), pair.id
