"""Backtests of profiles: how well a version would have sorted leads whose outcome is known."""

from fastapi import APIRouter, Response

from leadflood.api.deps import ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.icps.contracts.backtests import BacktestList, BacktestView, StartBacktest
from leadflood.domains.icps.contracts.drift import DriftView
from leadflood.domains.icps.permissions import ICPS_READ, ICPS_WRITE
from leadflood.domains.icps.queries import backtests as queries
from leadflood.domains.icps.queries import drift
from leadflood.domains.icps.service import backtests

router = APIRouter(tags=["icps"], route_class=EdgeRoute)


@router.post("/v1/icps/{id}/backtests", status_code=202, summary="Test a version of a profile")
@requires(ICPS_WRITE)
async def start_backtest(
    icp_id: ResourceId, command: StartBacktest, response: Response, unit: UnitOfWorkDep
) -> BacktestView:
    """Test a version against the live one on all leads with an outcome. A job does it; then it has its result."""
    made = await backtests.start(unit.tx, unit.actor, icp_id=icp_id, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/backtests/{made.id}"
    return made


@router.get("/v1/icps/{id}/backtests", summary="List the backtests of a profile")
@requires(ICPS_READ)
async def list_icp_backtests(icp_id: ResourceId, unit: UnitOfWorkDep) -> BacktestList:
    """The latest 20 backtests, newest first, without their results."""
    found = await queries.list_backtests(unit.tx, unit.actor, icp_id=icp_id, limit=backtests.KEPT)
    return BacktestList(items=found)


@router.get("/v1/icps/{id}/drift", summary="Retrieve the drift of a profile")
@requires(ICPS_READ)
async def get_icp_drift(icp_id: ResourceId, unit: UnitOfWorkDep) -> DriftView:
    """Compares the scores by the live version with those when it was published, as of the last daily check.

    `outcomes` is its monthly backtest on outcomes since then.
    """
    return await drift.get_drift(unit.tx, unit.actor, icp_id=icp_id)


@router.get("/v1/backtests/{id}", summary="Retrieve a backtest")
@requires(ICPS_READ)
async def get_icp_backtest(backtest_id: ResourceId, unit: UnitOfWorkDep) -> BacktestView:
    """Returns the backtest, with its result once it is done."""
    return await queries.get_backtest(unit.tx, unit.actor, backtest_id=backtest_id)
