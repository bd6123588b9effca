"""Members of the workspace and their roles."""

from fastapi import APIRouter
from starlette.responses import Response

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import ChangeRole, MemberView
from leadflood.domains.identity.permissions import MEMBERS_READ, MEMBERS_WRITE
from leadflood.domains.identity.service import members
from leadflood.domains.invitations import service
from leadflood.domains.invitations.contracts import CreateInvitation, InvitationView
from leadflood.domains.leads.contracts.member_removal import RemovalImpact
from leadflood.domains.leads.service import member_removal

router = APIRouter(prefix="/v1/members", tags=["members"], route_class=EdgeRoute)


@router.get("", summary="List members")
@requires(MEMBERS_READ)
async def list_members(unit: UnitOfWorkDep, paging: InPages) -> Listing[MemberView]:
    """The members of the workspace, ordered by when their accounts were created."""
    page = await queries.list_members(unit.tx, unit.actor, after=paging.after, limit=paging.limit)
    return paging.answer(page)


@router.post("", status_code=202, summary="Add a member by invitation")
@requires(MEMBERS_WRITE)
async def add_member(unit: UnitOfWorkDep, command: CreateInvitation, response: Response) -> InvitationView:
    """Sends an invitation, like `POST /v1/invitations`. The person joins by accepting it.

    The response is the same whether or not the email has an account.
    """
    invitation = await service.invite(unit.tx, unit.actor, unit.parts.secret_box, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/invitations/{invitation.id}"
    return invitation


@router.get("/{id}", summary="Retrieve a member")
@requires(MEMBERS_READ)
async def get_member(unit: UnitOfWorkDep, user_id: ResourceId) -> MemberView:
    """The member with this user ID."""
    return await queries.get_member(unit.tx, unit.actor, user_id=user_id)


@router.patch("/{id}", summary="Change a member's role")
@requires(MEMBERS_WRITE)
async def change_member_role(unit: UnitOfWorkDep, user_id: ResourceId, command: ChangeRole) -> MemberView:
    """Takes effect immediately, including for the member's API keys."""
    return await members.change_role(unit.tx, unit.actor, user_id=user_id, change=command)


@router.delete("/{id}", summary="Remove a member, or leave")
@requires(MEMBERS_WRITE)
async def remove_member(unit: UnitOfWorkDep, user_id: ResourceId) -> RemovalImpact:
    """Ends the member's sessions in this workspace and revokes the member's API keys.

    Shared views are kept as views of the workspace. Leads owned by the member become unassigned, with a timeline entry;
    above 5,000 leads, in the background.
    """
    return await member_removal.remove_member(unit.tx, unit.actor, user_id=user_id, trace=unit.trace)
