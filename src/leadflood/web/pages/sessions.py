"""Your sessions, and signing out of them."""

from typing import Any

from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.identity.service import sessions
from leadflood.web.cookies import SESSION, Toast, drop_cookie
from leadflood.web.formats import plural
from leadflood.web.page_context import PageContext
from leadflood.web.pages.user_agent import device_of
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH = "/settings/sessions"
_ROWS = 50


@pages.get(_PATH, ACCOUNT, live=("sessions_list",))
async def list_sessions(ctx: PageContext) -> PageResult:
    """Your active sessions in all workspaces, newest first."""
    page = await sessions.list_all_sessions(ctx.parts.database, ctx.actor, after=ctx.after("sessions"), limit=_ROWS)
    context: dict[str, Any] = {
        "sessions": page.items,
        "device_of": device_of,
        "next": ctx.cursor(page, "sessions"),
        "paged": "after" in ctx.query,
    }
    return PageResponse("settings/sessions.html", context)


@pages.post(f"{_PATH}/endings", ACCOUNT)
async def end_other_sessions(ctx: PageContext) -> PageResult:
    """Sign out of all other sessions."""
    ended = await sessions.end_other_sessions(ctx.parts.database, ctx.actor)
    return Redirect(_PATH, [Toast(f"Signed out {plural(ended, 'other session')}." if ended else "No other sessions.")])


@pages.post(f"{_PATH}/{{id}}/endings", ACCOUNT)
async def end_session(ctx: PageContext) -> PageResult:
    """Sign out of one session."""
    session_id = ctx.id()
    await sessions.end_any_session(ctx.parts.database, ctx.actor, session_id=session_id)
    if session_id == ctx.actor.session_id:
        ctx.cookies.append(drop_cookie(SESSION))
        return Redirect("/sign-in")
    return Redirect(_PATH, [Toast("Signed out.")])
