"""Your sessions."""

from fastapi import APIRouter

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import SessionView
from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.identity.service import sessions

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], route_class=EdgeRoute)


@router.get("", summary="List your sessions, newest first")
@requires(ACCOUNT)
async def list_sessions(unit: UnitOfWorkDep, paging: InPages) -> Listing[SessionView]:
    """Your active sessions in this workspace."""
    page = await queries.list_sessions(unit.tx, unit.actor, after=paging.after, limit=paging.limit)
    return paging.answer(page)


@router.delete("/{id}", status_code=204, summary="End a session")
@requires(ACCOUNT)
async def end_session(unit: UnitOfWorkDep, session_id: ResourceId) -> None:
    """Its tokens are revoked immediately."""
    await sessions.end_session(unit.tx, unit.actor, session_id=session_id)
