"""The page of a profile's backtest: figures of the latest one, and the form that begins another."""

from typing import Any, Final
from uuid import UUID

from leadflood.domains.icps import queries
from leadflood.domains.icps.contracts.backtests import BacktestResult, MovementFigures, StartBacktest
from leadflood.domains.icps.edge.pages import PATH, STATES
from leadflood.domains.icps.errors import BacktestRuns
from leadflood.domains.icps.permissions import ICPS_READ, ICPS_WRITE
from leadflood.domains.icps.queries import backtests as backtest_queries
from leadflood.domains.icps.service import backtests
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.labels import name_of
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.web.cookies import Toast
from leadflood.web.forms import validated
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

FACTS: Final = {"before": "As known before each outcome", "today": "As known today (later facts may leak)"}


@pages.get(f"{PATH}/{{id}}/backtests", ICPS_READ, live=("icp_backtest",))
async def show_backtest(ctx: PageContext) -> PageResult:
    """The latest backtest of a profile."""
    async with ctx.reading() as tx:
        icp = await queries.get_icp(tx, ctx.actor, icp_id=ctx.id())
        versions = await queries.list_versions(tx, ctx.actor, icp_id=icp.id)
        found = await backtest_queries.latest_backtest(tx, ctx.actor, icp_id=icp.id)
        shown = found if found is None or found.result is not None else None
        if found is not None and found.result is None:
            shown = await backtest_queries.latest_backtest(tx, ctx.actor, icp_id=icp.id, done=True)
        result = shown.result if shown is not None else None
        names = await _names(tx, ctx.actor, result) if result is not None else {}
    context: dict[str, Any] = {
        "icp": icp,
        "versions": {str(each.number): f"Version {each.number} ({STATES[each.state][1].lower()})" for each in versions},
        "current": str((icp.draft or icp.live or versions[0]).number),
        "facts": FACTS,
        "latest": found,
        "shown": shown,
        "result": result,
        "matrix": _matrix(result) if result is not None else None,
        "names": names,
    }
    return PageResponse("icps/backtest.html", context)


@pages.post(f"{PATH}/{{id}}/backtests", ICPS_WRITE)
async def start_backtest(ctx: PageContext) -> PageResult:
    """Begin a backtest."""
    path = f"{PATH}/{ctx.id()}/backtests"
    command = validated(StartBacktest, {"number": ctx.form.number("number"), "facts": ctx.form.value("facts")})
    try:
        async with ctx.writing() as tx:
            made = await backtests.start(tx, ctx.actor, icp_id=ctx.id(), command=command, trace=ctx.trace)
    except BacktestRuns as error:
        return Redirect(path, [Toast(str(error), "warn")])
    return Redirect(path, [Toast(f"Testing version {made.number}. The figures appear here.")])


async def _names(tx: Transaction, actor: Actor, result: BacktestResult) -> dict[UUID, str]:
    """Names of the leads that are examples, without those that were deleted since."""
    wanted = [lead_id for each in result.movements for lead_id in each.examples]
    found = await leads.leads_by_id(tx, actor, lead_ids=wanted)
    return {lead_id: name_of(lead) for lead_id, lead in found.items()}


def _matrix(result: BacktestResult) -> dict[str, Any] | None:
    """Movements as a table, from the tier of the live version (rows) to that of the tested one (columns)."""
    if result.live is None:
        return None
    cells: dict[tuple[str | None, str | None], MovementFigures] = {
        (each.before, each.after): each for each in result.movements
    }
    columns = [each.tier for each in result.tested.tiers]
    return {
        "heads": [
            {"label": f"From version {result.live.number}"},
            *({"label": f"To {name or 'excluded'}"} for name in columns),
        ],
        "rows": [each.tier for each in result.live.tiers],
        "columns": columns,
        "cells": cells,
    }
