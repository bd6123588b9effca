"""Outgoing effects: whether mails may leave this installation. For instance operators."""

from leadflood.domains.identity.service import holds
from leadflood.kernel.actor import Permission
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.pipeline import Pages
from leadflood.web.session import Toast
from leadflood.web.visit import Visit

pages = Pages()

_PATH = "/settings/outgoing"


@pages.get(_PATH, Permission.INSTANCE)
async def show_outgoing(visit: Visit) -> Answer:
    """Whether effects may leave; if not, since when and why."""
    async with visit.reading() as tx:
        state = await visit.parts.hold.state(tx)
    return Page("settings/outgoing.html", {"hold": state})


@pages.post(f"{_PATH}/openings", Permission.INSTANCE)
async def open_outgoing(visit: Visit) -> Answer:
    """Let effects leave."""
    await holds.open_hold(visit.parts.database, visit.parts.hold, visit.actor)
    return Redirect(_PATH, [Toast("The hold is open. Waiting mails are being sent.")])


@pages.post(f"{_PATH}/closings", Permission.INSTANCE)
async def close_outgoing(visit: Visit) -> Answer:
    """Keep effects back."""
    await holds.close_hold(
        visit.parts.database, visit.parts.hold, visit.actor, reason=f"Closed by {visit.user.email} in the browser."
    )
    return Redirect(_PATH, [Toast("The hold is closed. No mail leaves.")])
