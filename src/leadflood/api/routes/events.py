"""The feed of domain events."""

from typing import Annotated

from fastapi import APIRouter, Query

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.jobs import feed
from leadflood.domains.jobs.contracts import EventPage, Kind
from leadflood.domains.jobs.permissions import EVENTS_READ
from leadflood.kernel.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=EdgeRoute)

_MAX_CURSOR = 1000
_MAX_TYPES = 50


@router.get("", summary="Read events", responses={410: {}})
@requires(EVENTS_READ)
async def read_events(
    unit: UnitOfWorkDep,
    after: Annotated[
        str | None,
        Query(max_length=_MAX_CURSOR, description="`nextCursor` of the previous page. Default: the oldest event."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Maximum number of events.")] = DEFAULT_PAGE_SIZE,
    types: Annotated[
        list[Kind] | None, Query(alias="type", max_length=_MAX_TYPES, description="Only events of these types.")
    ] = None,
) -> EventPage:
    """Read what happened in the workspace, oldest first, without missing an event.

    Read until `hasMore` is false, then poll with the last `nextCursor`. Events are kept for 7 days
    (`LEADFLOOD_EVENT_RETENTION_DAYS`); an older cursor returns 410 `cursor_expired`.
    """
    cursors, workspace_id = unit.parts.cursors, unit.actor.workspace_id
    place = cursors.read(after, workspace_id, feed.FEED_SCOPE) if after is not None else None
    part = await feed.read_events(unit.tx, unit.actor, types=types, after=place, limit=limit)
    cursor = cursors.write(part.after, workspace_id, feed.FEED_SCOPE)
    return EventPage(items=list(part.items), next_cursor=cursor, has_more=part.more)
