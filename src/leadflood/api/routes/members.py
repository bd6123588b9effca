"""Who belongs to the workspace, in which role."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from leadflood.api.deps import InPages, InUnit, Listing, ResourceId
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import AddMember, ChangeRole, MemberView
from leadflood.domains.identity.service import members
from leadflood.kernel.actor import Permission

router = APIRouter(prefix="/v1/members", tags=["members"], route_class=EdgeRoute)


async def _initial_hash(command: AddMember) -> str | None:
    # A dependency, because those run before the transaction opens: hashing takes tens of milliseconds.
    return await members.initial_hash(command)


@router.get("", summary="List members")
@requires(Permission.MEMBERS_READ)
async def list_members(unit: InUnit, paging: InPages) -> Listing[MemberView]:
    """The members of the workspace, by the age of their user account."""
    page = await queries.list_members(unit.tx, unit.actor, after=paging.after, limit=paging.limit)
    return paging.answer(page)


@router.post("", status_code=201, summary="Add a member")
@requires(Permission.MEMBERS_WRITE)
async def add_member(
    unit: InUnit,
    command: AddMember,
    initial_hash: Annotated[str | None, Depends(_initial_hash)],
    response: Response,
) -> MemberView:
    """Adds the user with this e-mail address, or creates one with `name` and `initialPassword`."""
    member = await members.add_member(unit.tx, unit.actor, member=command, initial_hash=initial_hash)
    response.headers["Location"] = f"/v1/members/{member.id}"
    return member


@router.get("/{id}", summary="Read a member")
@requires(Permission.MEMBERS_READ)
async def get_member(unit: InUnit, user_id: ResourceId) -> MemberView:
    """One member, by the id of the user."""
    return await queries.get_member(unit.tx, unit.actor, user_id=user_id)


@router.patch("/{id}", summary="Change a member's role")
@requires(Permission.MEMBERS_WRITE)
async def change_member_role(unit: InUnit, user_id: ResourceId, command: ChangeRole) -> MemberView:
    """Counts from the member's next request on, for the member's API keys as well."""
    return await members.change_role(unit.tx, unit.actor, user_id=user_id, change=command)


@router.delete("/{id}", status_code=204, summary="Remove a member, or leave")
@requires(Permission.MEMBERS_WRITE)
async def remove_member(unit: InUnit, user_id: ResourceId) -> None:
    """The member's sessions in this workspace, and API keys that the member made, stop working at once."""
    await members.remove_member(unit.tx, unit.actor, user_id=user_id)
