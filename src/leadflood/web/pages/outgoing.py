"""Outgoing effects: the hold on email of this installation. For instance operators."""

from leadflood.domains.identity.service import holds
from leadflood.kernel.actor import Permission
from leadflood.web.cookies import Toast
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH = "/settings/outgoing"


@pages.get(_PATH, Permission.INSTANCE)
async def show_outgoing(ctx: PageContext) -> PageResult:
    """State of the hold on outgoing effects, since when and why."""
    async with ctx.reading() as tx:
        state = await ctx.parts.hold.state(tx)
    return PageResponse("settings/outgoing.html", {"hold": state})


@pages.post(f"{_PATH}/openings", Permission.INSTANCE)
async def open_outgoing(ctx: PageContext) -> PageResult:
    """Release the hold."""
    await holds.open_hold(ctx.parts.database, ctx.parts.hold, ctx.actor)
    return Redirect(_PATH, [Toast("Hold turned off. Sending waiting emails…")])


@pages.post(f"{_PATH}/closings", Permission.INSTANCE)
async def close_outgoing(ctx: PageContext) -> PageResult:
    """Set the hold."""
    await holds.close_hold(
        ctx.parts.database, ctx.parts.hold, ctx.actor, reason=f"Closed by {ctx.user.email} in the browser."
    )
    return Redirect(_PATH, [Toast("Hold turned on. No emails are sent.")])
