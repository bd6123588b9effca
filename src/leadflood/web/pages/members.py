"""Who is in the workspace, with which role, and who was asked to join."""

from collections.abc import Sequence
from typing import Any

from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.contracts import ChangeRole, MemberView
from leadflood.domains.identity.models import can_give
from leadflood.domains.identity.service import members
from leadflood.domains.invitations import queries as invitations
from leadflood.domains.leads.contracts.departures import Departure
from leadflood.domains.leads.service import departures
from leadflood.kernel.actor import Permission, Role
from leadflood.kernel.errors import AppError
from leadflood.kernel.mail_catcher import is_in_use
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.pipeline import Pages
from leadflood.web.session import SESSION, Toast, drop_cookie
from leadflood.web.view import plural
from leadflood.web.visit import Visit

pages = Pages()

PATH = "/settings/members"
ROLES = {
    Role.OWNER: ("Owner", "Everything, and the only one who makes and removes owners."),
    Role.ADMIN: ("Admin", "Everything but owners: members, API keys, the outbox, the audit log."),
    Role.MEMBER: ("Member", "Works with leads and jobs; sees who else is here."),
    Role.VIEWER: ("Viewer", "Sees leads, jobs and members, and changes nothing."),
}
"""What a role is called, and what it allows."""

_ROWS = 50
_OPEN = 100
_FAULT = 500


@pages.get(PATH, Permission.MEMBERS_READ, live=("members_list", "members_invitations"))
async def list_members(visit: Visit) -> Answer:
    """Members and pending invitations."""
    return await members_page(visit)


@pages.post(f"{PATH}/{{id}}/roles", Permission.MEMBERS_WRITE)
async def change_role(visit: Visit) -> Answer:
    """Give a member another role."""
    user_id = visit.id()
    try:
        change = visit.form.read(ChangeRole)
        async with visit.writing() as tx:
            member = await members.change_role(tx, visit.actor, user_id=user_id, change=change)
    except AppError as error:
        return await refused(visit, error)
    name = ROLES[member.role][0].lower()
    return Redirect(PATH, [Toast(f"{member.name} is {'an' if name[0] in 'ao' else 'a'} {name} now.")])


@pages.post(f"{PATH}/{{id}}/removals", Permission.MEMBERS_WRITE)
async def remove_member(visit: Visit) -> Answer:
    """Take somebody out, or leave."""
    user_id = visit.id()
    try:
        async with visit.writing() as tx:
            member = await identity.get_member(tx, visit.actor, user_id=user_id)
            left = await departures.remove_member(tx, visit.actor, user_id=user_id, trace=visit.trace)
    except AppError as error:
        return await refused(visit, error)
    if user_id == visit.actor.user_id:
        visit.cookies.append(drop_cookie(SESSION))
        return Redirect("/sign-in")
    return Redirect(PATH, [Toast(f"Removed {member.name}. {_behind(left)}".strip())])


@pages.get(f"{PATH}/{{id}}/removals", Permission.MEMBERS_WRITE)
async def show_removal(visit: Visit) -> Answer:
    """What becomes of the member's leads and views, before anybody is removed."""
    user_id = visit.id()
    async with visit.reading() as tx:
        member = await identity.get_member(tx, visit.actor, user_id=user_id)
        left = await departures.survey(tx, visit.actor, user_id=user_id)
    return Page("settings/member_removal.html", {"member": member, "behind": _behind(left)})


def _behind(left: Departure) -> str:
    """Such as: 3 shared views stay with the workspace, 120 leads become unassigned."""
    stay = "stays" if left.shared_views == 1 else "stay"
    become = "becomes" if left.leads == 1 else "become"
    parts = [
        f"{plural(left.shared_views, 'shared view')} {stay} with the workspace" if left.shared_views else "",
        f"{plural(left.leads, 'lead')} {become} unassigned" if left.leads else "",
    ]
    told = ", ".join(filter(None, parts))
    return f"{told}." if told else ""


def givable(visit: Visit) -> list[Role]:
    """The roles that the visitor may give, from most to least allowed."""
    if not visit.may(Permission.MEMBERS_WRITE):
        return []
    owner = visit.actor.role is Role.OWNER
    return [role for role in Role if can_give(visit.actor, role) and (owner or role is not Role.OWNER)]


async def refused(visit: Visit, error: AppError) -> Page:
    """The list, with what stood in the way. Raises: AppError: where the list would not help."""
    if error.status in {404, _FAULT} or error.status > _FAULT:
        raise error
    return await members_page(visit, status=error.status, toasts=[Toast(error.detail, "bad")])


async def members_page(visit: Visit, *, status: int = 200, toasts: Sequence[Toast] = ()) -> Page:
    """The page, also as what follows a refusal."""
    async with visit.reading() as tx:
        page = await identity.list_members(tx, visit.actor, after=visit.after("members"), limit=_ROWS)
        pending = await invitations.list_invitations(tx, visit.actor, limit=_OPEN)
    context: dict[str, Any] = {
        "members": page.items,
        "next": visit.cursor(page, "members"),
        "paged": "after" in visit.query,
        "invitations": pending.items,
        "roles": ROLES,
        "givable": givable(visit),
        "touchable": {each.id for each in page.items if _may_touch(visit, each)},
        "caught": visit.may(Permission.MEMBERS_WRITE) and is_in_use(visit.parts.settings),
    }
    return Page("settings/members.html", context, status, toasts=toasts)


def _may_touch(visit: Visit, member: MemberView) -> bool:
    return visit.may(Permission.MEMBERS_WRITE) and (member.role is not Role.OWNER or visit.actor.role is Role.OWNER)
