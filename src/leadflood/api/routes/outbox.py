"""The outbox: what had to be published, and what could not."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from leadflood.api.deps import InPages, InUnit, Listing, ResourceId
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.jobs import queries, service
from leadflood.domains.jobs.contracts import OutboxEventView
from leadflood.domains.jobs.models import OutboxStatus
from leadflood.kernel.actor import Permission

router = APIRouter(prefix="/v1/outbox-events", tags=["outbox"], route_class=EdgeRoute)


@router.get("", summary="List outbox events, newest first")
@requires(Permission.OUTBOX_READ)
async def list_outbox_events(
    unit: InUnit,
    paging: InPages,
    status: Annotated[OutboxStatus | None, Query(description="Only events in this state.")] = None,
    job_id: Annotated[UUID | None, Query(alias="jobId", description="Only events of this job.")] = None,
) -> Listing[OutboxEventView]:
    """The outbox events of the workspace."""
    page = await queries.list_events(
        unit.tx, unit.actor, status=status, job_id=job_id, after=paging.after, limit=paging.limit
    )
    return paging.answer(page)


@router.get("/{id}", summary="Read an outbox event")
@requires(Permission.OUTBOX_READ)
async def get_outbox_event(unit: InUnit, event_id: ResourceId) -> OutboxEventView:
    """One event."""
    return await queries.get_event(unit.tx, unit.actor, event_id=event_id)


@router.post("/{id}/replays", status_code=202, summary="Replay a dead-lettered outbox event")
@requires(Permission.OUTBOX_WRITE)
async def replay_outbox_event(unit: InUnit, event_id: ResourceId) -> OutboxEventView:
    """Gives the event to the relay again. 409 unless it is `dead_letter`."""
    event = await service.replay_event(unit.tx, unit.actor, event_id=event_id)
    await unit.audit("outbox_event.replayed", "outbox_event", event_id)
    return event
