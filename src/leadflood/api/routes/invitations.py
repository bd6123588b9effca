"""Invitations to the workspace."""

from fastapi import APIRouter
from starlette.responses import Response

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity.permissions import MEMBERS_READ, MEMBERS_WRITE
from leadflood.domains.invitations import queries, service
from leadflood.domains.invitations.contracts import CreateInvitation, InvitationView

router = APIRouter(prefix="/v1/invitations", tags=["invitations"], route_class=EdgeRoute)


@router.get("", summary="List pending invitations, newest first")
@requires(MEMBERS_READ)
async def list_invitations(unit: UnitOfWorkDep, paging: InPages) -> Listing[InvitationView]:
    """Invitations not yet accepted or revoked, including expired ones, with their delivery state."""
    page = await queries.list_invitations(unit.tx, unit.actor, after=paging.after, limit=paging.limit)
    return paging.answer(page)


@router.post("", status_code=201, summary="Create an invitation")
@requires(MEMBERS_WRITE)
async def create_invitation(unit: UnitOfWorkDep, command: CreateInvitation, response: Response) -> InvitationView:
    """Sends an email with a link that expires in 7 days. Doesn't reveal whether the email has an account."""
    invitation = await service.invite(unit.tx, unit.actor, unit.parts.secret_box, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/invitations/{invitation.id}"
    return invitation


@router.get("/{id}", summary="Retrieve an invitation")
@requires(MEMBERS_READ)
async def get_invitation(unit: UnitOfWorkDep, invitation_id: ResourceId) -> InvitationView:
    """The invitation and its delivery state."""
    return await queries.get_invitation(unit.tx, unit.actor, invitation_id=invitation_id)


@router.delete("/{id}", status_code=204, summary="Revoke an invitation")
@requires(MEMBERS_WRITE)
async def revoke_invitation(unit: UnitOfWorkDep, invitation_id: ResourceId) -> None:
    """Its link stops working immediately."""
    await service.revoke(unit.tx, unit.actor, invitation_id=invitation_id)


@router.post("/{id}/sendings", status_code=202, summary="Resend an invitation")
@requires(MEMBERS_WRITE)
async def resend_invitation(unit: UnitOfWorkDep, invitation_id: ResourceId) -> InvitationView:
    """Sends a new link that expires in 7 days; the previous link stops working. At most once per minute."""
    return await service.resend(
        unit.tx,
        unit.actor,
        unit.parts.secret_box,
        invitation_id=invitation_id,
        trace=unit.trace,
    )
