"""Where one is signed in, and how to end that."""

from typing import Any

from leadflood.domains.identity.service import sessions
from leadflood.kernel.actor import Permission
from leadflood.web.cookies import SESSION, Toast, drop_cookie
from leadflood.web.page_context import PageContext
from leadflood.web.pages.user_agent import device_of
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect
from leadflood.web.templating import plural

pages = Pages()

_PATH = "/settings/sessions"
_ROWS = 50


@pages.get(_PATH, Permission.ACCOUNT, live=("sessions_list",))
async def list_sessions(ctx: PageContext) -> PageResult:
    """One's own live sessions in all workspaces, newest first."""
    page = await sessions.list_all_sessions(ctx.parts.database, ctx.actor, after=ctx.after("sessions"), limit=_ROWS)
    context: dict[str, Any] = {
        "sessions": page.items,
        "device_of": device_of,
        "next": ctx.cursor(page, "sessions"),
        "paged": "after" in ctx.query,
    }
    return PageResponse("settings/sessions.html", context)


@pages.post(f"{_PATH}/endings", Permission.ACCOUNT)
async def end_other_sessions(ctx: PageContext) -> PageResult:
    """Sign out everywhere but here."""
    ended = await sessions.end_other_sessions(ctx.parts.database, ctx.actor)
    return Redirect(_PATH, [Toast(f"{plural(ended, 'session')} ended." if ended else "There was no other session.")])


@pages.post(f"{_PATH}/{{id}}/endings", Permission.ACCOUNT)
async def end_session(ctx: PageContext) -> PageResult:
    """Sign out somewhere."""
    session_id = ctx.id()
    await sessions.end_any_session(ctx.parts.database, ctx.actor, session_id=session_id)
    if session_id == ctx.actor.session_id:
        ctx.cookies.append(drop_cookie(SESSION))
        return Redirect("/sign-in")
    return Redirect(_PATH, [Toast("Session ended. Whoever used it is signed out.")])
