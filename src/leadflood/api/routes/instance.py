"""The hold on outgoing effects, for instance operators: user sessions only, not API keys."""

from fastapi import APIRouter

from leadflood.api.deps import UnitOfWork, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity.service import holds
from leadflood.domains.jobs import queries
from leadflood.domains.jobs.contracts import CloseHold, HoldView
from leadflood.kernel.actor import Permission

router = APIRouter(prefix="/v1/instance/hold", tags=["system"], route_class=EdgeRoute)


@router.get("", summary="Retrieve the outgoing email hold")
@requires(Permission.INSTANCE, transaction=False)
async def get_hold(unit: UnitOfWorkDep) -> HoldView:
    """Shows whether outgoing email is on hold, since when and why, and how many jobs are waiting."""
    return await _shown(unit)


@router.post("/closings", status_code=200, summary="Put outgoing email on hold")
@requires(Permission.INSTANCE, transaction=False)
async def close_hold(command: CloseHold, unit: UnitOfWorkDep) -> HoldView:
    """Holds outgoing email until it is released. Jobs that send email wait.

    There is no `Idempotency-Key`: the request is idempotent.
    """
    await holds.close_hold(unit.parts.database, unit.parts.hold, unit.actor, reason=command.reason)
    return await _shown(unit)


@router.post("/openings", status_code=200, summary="Release outgoing email")
@requires(Permission.INSTANCE, transaction=False)
async def open_hold(unit: UnitOfWorkDep) -> HoldView:
    """Releases outgoing email and records this server, database and instance as the original.

    Waiting jobs send within seconds. To drop them instead, first run `leadflood hold cancel-jobs`. There is no
    `Idempotency-Key`: the request is idempotent.
    """
    await holds.open_hold(unit.parts.database, unit.parts.hold, unit.actor)
    return await _shown(unit)


async def _shown(unit: UnitOfWork) -> HoldView:
    async with unit.parts.database.system(read_only=True) as tx:
        return await queries.hold_view(tx, unit.parts.hold, unit.parts.registry.outgoing)
