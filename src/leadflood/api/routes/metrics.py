"""Metrics of the workspace."""

from typing import Annotated

from fastapi import APIRouter, Query

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity.contracts import TimeZone
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.metrics import queries
from leadflood.domains.metrics.contracts import ActivityView, OverviewView
from leadflood.domains.metrics.models import TimeRange
from leadflood.kernel.clock import utc_now

router = APIRouter(prefix="/v1", tags=["metrics"], route_class=EdgeRoute)

InZone = Annotated[TimeZone, Query(alias="timeZone", description="IANA time zone that days start in.")]


@router.get("/activity", summary="Get metrics over time")
@requires(LEADS_READ)
async def get_activity(
    unit: UnitOfWorkDep, span: Annotated[TimeRange, Query()] = TimeRange.DAY, time_zone: InZone = "UTC"
) -> ActivityView:
    """Leads created, enriched and failed, and time to enrich: hourly for 24 hours, otherwise daily.

    Delayed by up to a minute under load; complete up to `countedUntil`.
    """
    return await queries.activity(unit.tx, unit.actor, span=span, time_zone=time_zone, now=utc_now())


@router.get("/overview", summary="Get the dashboard summary")
@requires(LEADS_READ)
async def get_overview(unit: UnitOfWorkDep, time_zone: InZone = "UTC") -> OverviewView:
    """Number of leads, today's activity, leads being enriched, and the longest wait."""
    return await queries.overview(unit.tx, unit.actor, time_zone=time_zone, now=utc_now())
