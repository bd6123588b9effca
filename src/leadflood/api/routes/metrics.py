"""Metrics of the workspace."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity.contracts import TimeZone
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.metrics import queries
from leadflood.domains.metrics.contracts import ActivityView, MetricInfos, MetricView, OverviewView
from leadflood.domains.metrics.models import TimeRange
from leadflood.domains.metrics.registry import METRICS
from leadflood.kernel.clock import utc_now

router = APIRouter(prefix="/v1", tags=["metrics"], route_class=EdgeRoute)

InZone = Annotated[TimeZone, Query(alias="timeZone", description="IANA time zone that days start in.")]


@router.get("/activity", summary="Retrieve metrics over time")
@requires(LEADS_READ)
async def get_activity(
    unit: UnitOfWorkDep, span: Annotated[TimeRange, Query()] = TimeRange.DAY, time_zone: InZone = "UTC"
) -> ActivityView:
    """Leads created, enriched and failed, and time to enrich: hourly for 24 hours, otherwise daily.

    Delayed by up to a minute under load; complete up to `countedUntil`.
    """
    return await queries.activity(unit.tx, unit.actor, span=span, time_zone=time_zone, now=utc_now())


@router.get("/overview", summary="Retrieve the dashboard summary")
@requires(LEADS_READ)
async def get_overview(unit: UnitOfWorkDep, time_zone: InZone = "UTC") -> OverviewView:
    """Number of leads, today's activity, leads being enriched, and the longest wait."""
    return await queries.overview(unit.tx, unit.actor, time_zone=time_zone, now=utc_now())


@router.get("/metrics", summary="List metrics")
@requires(LEADS_READ)
async def list_metrics(unit: UnitOfWorkDep) -> MetricInfos:
    """The metrics of leads and of all that hangs on them, as far as you may read them."""
    return queries.list_metrics(METRICS, unit.actor)


@router.get("/metrics/{name}", summary="Retrieve a metric")
@requires(LEADS_READ)
async def get_metric(
    unit: UnitOfWorkDep,
    name: Annotated[str, Path(max_length=100, pattern=r"^[a-z][a-z0-9_.]*$", examples=["leads.created"])],
    span: Annotated[TimeRange, Query()] = TimeRange.DAY,
    time_zone: InZone = "UTC",
) -> MetricView:
    """Values of one metric: hourly for 24 hours, otherwise daily. Counted every minute, up to `countedUntil`."""
    return await queries.get_metric(
        unit.tx, unit.actor, METRICS.get(name), span=span, time_zone=time_zone, now=utc_now()
    )
