"""Members of the workspace with their roles, and pending invitations."""

from collections.abc import Sequence
from typing import Any

from leadflood.dev_mail.messages import is_in_use
from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.contracts import ChangeRole, MemberView
from leadflood.domains.identity.models import can_grant
from leadflood.domains.identity.permissions import MEMBERS_READ, MEMBERS_WRITE
from leadflood.domains.identity.service import members
from leadflood.domains.invitations import queries as invitations
from leadflood.domains.leads.contracts.member_removal import RemovalImpact
from leadflood.domains.leads.service import member_removal
from leadflood.kernel.actor import Role
from leadflood.kernel.errors import AppError, NotFound
from leadflood.web.cookies import SESSION, Toast, drop_cookie
from leadflood.web.formats import plural
from leadflood.web.labels import ROLES
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

PATH = "/settings/members"
_ROWS = 50
_OPEN = 100


@pages.get(PATH, MEMBERS_READ, live=("members_list", "members_invitations"))
async def list_members(ctx: PageContext) -> PageResult:
    """Members and pending invitations."""
    return await members_page(ctx)


@pages.post(f"{PATH}/{{id}}/roles", MEMBERS_WRITE)
async def change_role(ctx: PageContext) -> PageResult:
    """Change a member's role."""
    user_id = ctx.id()
    try:
        change = ctx.form.read(ChangeRole)
        async with ctx.writing() as tx:
            member = await members.change_role(tx, ctx.actor, user_id=user_id, change=change)
    except AppError as error:
        return await refused(ctx, error)
    return Redirect(PATH, [Toast(f"Role changed to {ROLES[member.role][0]}.")])


@pages.post(f"{PATH}/{{id}}/removals", MEMBERS_WRITE)
async def remove_member(ctx: PageContext) -> PageResult:
    """Remove a member, or leave the workspace."""
    user_id = ctx.id()
    try:
        async with ctx.writing() as tx:
            member = await identity.get_member(tx, ctx.actor, user_id=user_id)
            left = await member_removal.remove_member(tx, ctx.actor, user_id=user_id, trace=ctx.trace)
    except AppError as error:
        return await refused(ctx, error)
    if user_id == ctx.actor.user_id:
        ctx.cookies.append(drop_cookie(SESSION))
        return Redirect("/sign-in")
    return Redirect(PATH, [Toast(f"Removed {member.name}. {_impact_text(left)}".strip())])


@pages.get(f"{PATH}/{{id}}/removals", MEMBERS_WRITE)
async def show_removal(ctx: PageContext) -> PageResult:
    """The effects of a removal on the member's leads and views, shown before confirmation."""
    user_id = ctx.id()
    async with ctx.reading() as tx:
        member = await identity.get_member(tx, ctx.actor, user_id=user_id)
        left = await member_removal.removal_impact(tx, ctx.actor, user_id=user_id)
    return PageResponse("settings/member_removal.html", {"member": member, "behind": _impact_text(left)})


def _impact_text(left: RemovalImpact) -> str:
    """Effects in words, such as: 3 shared views stay with the workspace, 120 leads become unassigned."""
    stay = "stays" if left.shared_views == 1 else "stay"
    become = "becomes" if left.leads == 1 else "become"
    parts = [
        f"{plural(left.shared_views, 'shared view')} {stay} with the workspace" if left.shared_views else "",
        f"{plural(left.leads, 'lead')} {become} unassigned" if left.leads else "",
    ]
    sentence = ", ".join(filter(None, parts))
    return f"{sentence}." if sentence else ""


def grantable_roles(ctx: PageContext) -> list[Role]:
    """The roles that the user can grant, from most to least permissions."""
    if not ctx.may(MEMBERS_WRITE):
        return []
    owner = ctx.actor.role is Role.OWNER
    return [role for role in Role if can_grant(ctx.actor, role) and (owner or role is not Role.OWNER)]


async def refused(ctx: PageContext, error: AppError) -> PageResponse:
    """The list with an error. Raises: AppError: the list would not help."""
    if isinstance(error, NotFound) or error.is_fault:
        raise error
    return await members_page(ctx, status=error.status, toasts=[Toast(error.detail, "bad")])


async def members_page(ctx: PageContext, *, status: int = 200, toasts: Sequence[Toast] = ()) -> PageResponse:
    """The page, with an optional error."""
    async with ctx.reading() as tx:
        page = await identity.list_members(tx, ctx.actor, after=ctx.after("members"), limit=_ROWS)
        pending = await invitations.list_invitations(tx, ctx.actor, limit=_OPEN)
    context: dict[str, Any] = {
        "members": page.items,
        "next": ctx.cursor(page, "members"),
        "paged": "after" in ctx.query,
        "invitations": pending.items,
        "roles": ROLES,
        "givable": grantable_roles(ctx),
        "touchable": {item.id for item in page.items if _may_touch(ctx, item)},
        "caught": ctx.may(MEMBERS_WRITE) and is_in_use(ctx.parts.settings),
    }
    return PageResponse("settings/members.html", context, status, toasts=toasts)


def _may_touch(ctx: PageContext, member: MemberView) -> bool:
    return ctx.may(MEMBERS_WRITE) and (member.role is not Role.OWNER or ctx.actor.role is Role.OWNER)
