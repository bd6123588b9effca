"""Replays of several outbox events in one request; a separate resource like `job_retries.py`."""

from fastapi import APIRouter

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.jobs import service
from leadflood.domains.jobs.contracts import BulkOutcome, ReplayEvents
from leadflood.domains.jobs.permissions import OUTBOX_WRITE

router = APIRouter(prefix="/v1/outbox-replays", tags=["outbox"], route_class=EdgeRoute)


@router.post("", status_code=202, summary="Replay dead-lettered outbox events")
@requires(OUTBOX_WRITE)
async def replay_outbox_events(unit: UnitOfWorkDep, command: ReplayEvents) -> BulkOutcome:
    """Queues the `dead_letter` ones of the given events for delivery again, and lists the others with the reason."""
    return await service.replay_events(unit.tx, unit.actor, command=command)
