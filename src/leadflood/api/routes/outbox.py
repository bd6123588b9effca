"""The outbox: events and their delivery."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routes.jobs import CauseFilter
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.jobs import queries, service
from leadflood.domains.jobs.contracts import BulkOutcome, CauseGroups, OutboxEventView, ReplayCause
from leadflood.domains.jobs.models import OutboxStatus
from leadflood.domains.jobs.permissions import OUTBOX_READ, OUTBOX_WRITE

router = APIRouter(prefix="/v1/outbox-events", tags=["outbox"], route_class=EdgeRoute)


@router.get("", summary="List outbox events, newest first")
@requires(OUTBOX_READ)
async def list_outbox_events(
    unit: UnitOfWorkDep,
    paging: InPages,
    status: Annotated[OutboxStatus | None, Query(description="Filter by status.")] = None,
    job_id: Annotated[UUID | None, Query(alias="jobId", description="Filter by job ID.")] = None,
    cause: CauseFilter = None,
) -> Listing[OutboxEventView]:
    """The outbox events of the workspace. With `cause`, only dead-lettered ones."""
    page = await queries.list_events(
        unit.tx, unit.actor, status=status, job_id=job_id, cause=cause, after=paging.after, limit=paging.limit
    )
    return paging.answer(page)


@router.get("/failures", summary="List dead-lettered events by error")
@requires(OUTBOX_READ)
async def get_outbox_failures(unit: UnitOfWorkDep) -> CauseGroups:
    """Number of undelivered events per error, most frequent first. Counted up to 10,000 per error."""
    return await queries.dead_by_cause(unit.tx, unit.actor)


@router.post("/failures/replays", status_code=202, summary="Replay all events with an error")
@requires(OUTBOX_WRITE)
async def replay_outbox_failures(unit: UnitOfWorkDep, command: ReplayCause) -> BulkOutcome:
    """Requeues all events dead-lettered with this error. Above 5,000, in the background: poll `jobId`."""
    return await service.replay_cause(unit.tx, unit.actor, command=command, trace=unit.trace)


@router.get("/{id}", summary="Retrieve an outbox event")
@requires(OUTBOX_READ)
async def get_outbox_event(unit: UnitOfWorkDep, event_id: ResourceId) -> OutboxEventView:
    """The event and its delivery state."""
    return await queries.get_event(unit.tx, unit.actor, event_id=event_id)


@router.post("/{id}/replays", status_code=202, summary="Replay a dead-lettered outbox event")
@requires(OUTBOX_WRITE)
async def replay_outbox_event(unit: UnitOfWorkDep, event_id: ResourceId) -> OutboxEventView:
    """Queues the event for delivery again. Returns 409 unless it is `dead_letter`."""
    return await service.replay_event(unit.tx, unit.actor, event_id=event_id)
