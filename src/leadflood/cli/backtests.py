"""`leadflood icp backtest`: a version of a profile on leads whose outcome is known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, note, print_json, print_table, say

if TYPE_CHECKING:
    from leadflood.domains.icps.contracts.backtests import (
        BacktestResult,
        BacktestView,
        IntervalView,
        ProofFigures,
    )
    from leadflood.domains.icps.contracts.drift import DriftView

_LEAKS = "Later facts may have leaked into every figure: leads were scored by what is known of them today."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backtest")(backtest)
    app.command("drift")(drift)


def backtest(
    profile: str = typer.Argument(metavar="PROFILE", help="Name of the profile."),
    number: int | None = typer.Option(
        None, "--number", min=1, help="Number of the version. Default: the draft, or else the live one."
    ),
    facts: Literal["before", "today"] = typer.Option(
        "before", help="Facts as they were known before each outcome, or as they are today (later facts may leak)."
    ),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Test a version against the live one on all leads with an outcome. No worker is needed.

    Example: `leadflood icp backtest "B2B software buyers"`
    """

    async def work() -> None:
        from leadflood.cli.icps import find_profile
        from leadflood.cli.validation import checked
        from leadflood.domains.icps.contracts.backtests import StartBacktest
        from leadflood.domains.icps.service import backtests

        given = {"facts": facts} if number is None else {"facts": facts, "number": number}
        command = checked(StartBacktest, given)
        async with open_context(workspace) as context:
            icp_id = await find_profile(context, profile)
            done = await backtests.run(context.transaction, context.actor, icp_id=icp_id, command=command)
        if as_json:
            print_json(done)
        elif done.result is not None:
            _print(done, done.result)

    run(work())


def drift(
    profile: str = typer.Argument(metavar="PROFILE", help="Name of the profile."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Compare the scores by the live version with those when it was published, as of the last daily check.

    Example: `leadflood icp drift "B2B software buyers"`
    """

    async def work() -> None:
        from leadflood.cli.icps import find_profile
        from leadflood.domains.icps.queries.drift import get_drift

        async with open_context(workspace) as context:
            icp_id = await find_profile(context, profile)
            async with context.transaction(read_only=True) as tx:
                found = await get_drift(tx, context.actor, icp_id=icp_id)
        if as_json:
            print_json(found)
        else:
            _print_drift(found)

    run(work())


def _print_drift(found: "DriftView") -> None:
    say(f"Version {found.number}: {found.text}")
    rows = [
        (
            "excluded" if band.from_ is None else f"{band.from_} to {band.to}",
            f"{band.leads_at_publishing:,} ({band.share_at_publishing:.0%})",
            f"{band.leads:,} ({band.share:.0%})",
        )
        for band in reversed(found.bands)
    ]
    if rows:
        print_table([*map(TableColumn, ("score", "at publishing", "now"))], rows)
    if found.outcomes is not None and found.outcomes.result is not None:
        result = found.outcomes.result
        say(f"Outcomes since publishing: {result.leads:,} leads, {result.wins:,} wins.")
        if result.too_few:
            note("Too few to judge: there have to be 20 wins, and others. Counts only.")
        _print_proof(result.tested)


def _print(view: "BacktestView", result: "BacktestResult") -> None:
    share = f" ({_percent(result.base_rate)})" if result.base_rate is not None else ""
    say(f"Version {view.number}: {result.leads:,} leads with an outcome, {result.wins:,} wins{share}.")
    if result.skipped:
        note(f"{result.skipped:,} leads did not exist before their outcome. Try --facts today.")
    if result.may_leak:
        note(_LEAKS)
    if result.too_few:
        note("Too few to judge: there have to be 20 wins, and others. Counts only.")
    for proof in (result.tested, result.live):
        if proof is not None:
            _print_proof(proof)
    if result.movements:
        rows = [
            (each.before or "excluded", each.after or "excluded", each.leads, each.wins) for each in result.movements
        ]
        print_table([*map(TableColumn, ("from", "to", "leads", "wins"))], rows)


def _print_proof(proof: "ProofFigures") -> None:
    say(f"Version {proof.number}")
    rows: Sequence[tuple[object, ...]] = [
        (
            each.tier or "excluded",
            f"{each.leads:,}",
            f"{each.wins:,}",
            "" if each.precision is None else _percent(each.precision),
            "" if each.recall is None else f"{each.recall:.0%}",
        )
        for each in proof.tiers
    ]
    print_table([*map(TableColumn, ("tier", "leads", "wins", "precision", "recall"))], rows)
    if proof.ranking is not None:
        auc = proof.ranking.auc
        lifts = ", ".join(f"{each.lift:.2f} in the best {each.share:.0%}" for each in proof.ranking.lifts)
        say(f"AUC {auc.value:.3f} ({auc.lo:.3f} to {auc.hi:.3f}); lift {lifts}.")
    if proof.calibration is not None and proof.calibration.brier is not None:
        say(f"Brier score {proof.calibration.brier:.4f}, of the overall rate {proof.calibration.plain_brier:.4f}.")
    rows = [
        (
            each.label,
            f"{each.wins_true:,} of {each.wins:,}",
            f"{each.leads_true / each.leads:.0%}" if each.leads else "",
            f"{each.unknown:,}",
            "never true" if each.never_true else each.separates or "",
        )
        for each in proof.criteria
    ]
    print_table([*map(TableColumn, ("criterion", "wins", "of all", "unknown", "separates"))], rows)


def _percent(found: "IntervalView") -> str:
    return f"{found.value:.0%}, {found.lo:.0%} to {found.hi:.0%}"
