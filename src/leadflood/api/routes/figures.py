"""Figures over time, and the workspace at a glance."""

from typing import Annotated

from fastapi import APIRouter, Query

from leadflood.api.deps import InUnit
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.figures import queries
from leadflood.domains.figures.contracts import ActivityView, OverviewView
from leadflood.domains.figures.models import Span
from leadflood.domains.identity.contracts import TimeZone
from leadflood.kernel.actor import Permission
from leadflood.kernel.clock import utc_now

router = APIRouter(prefix="/v1", tags=["figures"], route_class=EdgeRoute)

InZone = Annotated[TimeZone, Query(alias="timeZone", description="Whose days: a name of the IANA database.")]


@router.get("/activity", summary="Read figures over time")
@requires(Permission.LEADS_READ)
async def get_activity(
    unit: InUnit, span: Annotated[Span, Query()] = Span.DAY, time_zone: InZone = "UTC"
) -> ActivityView:
    """What came in, was enriched and failed, and how long enrichment took: by the hour for 24 hours, else by the day.

    Up to a minute old where much happens; `countedUntil` tells.
    """
    return await queries.activity(unit.tx, unit.actor, span=span, time_zone=time_zone, now=utc_now())


@router.get("/overview", summary="Read the workspace at a glance")
@requires(Permission.LEADS_READ)
async def get_overview(unit: InUnit, time_zone: InZone = "UTC") -> OverviewView:
    """How many leads there are, what happened today, what is in flight, and since when the first one waits."""
    return await queries.overview(unit.tx, unit.actor, time_zone=time_zone, now=utc_now())
