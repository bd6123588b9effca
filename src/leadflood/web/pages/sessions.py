"""Where one is signed in, and how to end that."""

from typing import Any

from leadflood.domains.identity.service import sessions
from leadflood.kernel.actor import Permission
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.pages.device import device_of
from leadflood.web.pipeline import Pages
from leadflood.web.session import SESSION, Toast, drop_cookie
from leadflood.web.view import plural
from leadflood.web.visit import Visit

pages = Pages()

_PATH = "/settings/sessions"
_ROWS = 50


@pages.get(_PATH, Permission.ACCOUNT, live=("sessions_list",))
async def list_sessions(visit: Visit) -> Answer:
    """One's own live sessions in all workspaces, newest first."""
    page = await sessions.list_all_sessions(
        visit.parts.database, visit.actor, after=visit.after("sessions"), limit=_ROWS
    )
    context: dict[str, Any] = {
        "sessions": page.items,
        "device_of": device_of,
        "next": visit.cursor(page, "sessions"),
        "paged": "after" in visit.query,
    }
    return Page("settings/sessions.html", context)


@pages.post(f"{_PATH}/endings", Permission.ACCOUNT)
async def end_other_sessions(visit: Visit) -> Answer:
    """Sign out everywhere but here."""
    ended = await sessions.end_other_sessions(visit.parts.database, visit.actor)
    return Redirect(_PATH, [Toast(f"{plural(ended, 'session')} ended." if ended else "There was no other session.")])


@pages.post(f"{_PATH}/{{id}}/endings", Permission.ACCOUNT)
async def end_session(visit: Visit) -> Answer:
    """Sign out somewhere."""
    session_id = visit.id()
    await sessions.end_any_session(visit.parts.database, visit.actor, session_id=session_id)
    if session_id == visit.actor.session_id:
        visit.cookies.append(drop_cookie(SESSION))
        return Redirect("/sign-in")
    return Redirect(_PATH, [Toast("Session ended. Whoever used it is signed out.")])
