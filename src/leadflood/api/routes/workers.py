"""The worker processes."""

from fastapi import APIRouter

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.jobs import queries
from leadflood.domains.jobs.contracts import WorkerList
from leadflood.kernel.actor import Permission

router = APIRouter(prefix="/v1/workers", tags=["jobs"], route_class=EdgeRoute)


@router.get("", summary="List workers")
@requires(Permission.INSTANCE)
async def get_workers(unit: UnitOfWorkDep) -> WorkerList:
    """The worker processes of this installation, including those offline for up to a day. Instance operators only."""
    return WorkerList(items=await queries.list_workers(unit.tx))
