"""Signing in and out, and changing the workspace."""

from leadflood.domains.identity.contracts import Login
from leadflood.domains.identity.errors import DeviceLinkOver
from leadflood.domains.identity.service import devices, sessions, signin
from leadflood.kernel.errors import AppError
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import Form
from leadflood.web.pages.throttled import told
from leadflood.web.pipeline import SIGNED_IN, Pages, Public
from leadflood.web.session import SESSION, Toast, drop_cookie, local_path, set_cookie
from leadflood.web.visit import Visit

pages = Pages()


@pages.get("/sign-in", Public("it is how one gets in"))
async def show_sign_in(visit: Visit) -> Answer:
    """The form; whoever is signed in already goes on."""
    if visit.signed_in:
        return Redirect(local_path(visit.query.get("next")))
    return _form(Form.of({"next": local_path(visit.query.get("next"), "")}))


@pages.post("/sign-in", Public("it is how one gets in"))
async def sign_in(visit: Visit) -> Answer:
    """Start a session in this browser. One that it had before ends."""
    parts = visit.parts
    try:
        entered = await signin.login_browser(
            parts.database,
            parts.settings,
            parts.sealer,
            login=visit.form.read(Login),
            client=visit.client,
            replaces=visit.caller.actor if visit.caller else None,
        )
    except AppError as error:
        return _form(visit.form.refused(told(visit, error)), error.status)
    visit.enter(entered)
    return Redirect(local_path(visit.form.value("next")))


@pages.get("/sign-in/device/{code}", Public("the code, which only `leadflood user unlock` prints, is the key"))
async def know_device(visit: Visit) -> Answer:
    """Know this browser, so that it can sign in whatever strangers tried meanwhile."""
    user_id = devices.opened(visit.parts.sealer, str(visit.request.path_params["code"]), visit.now)
    if user_id is None:
        raise DeviceLinkOver
    visit.know(user_id)
    return Redirect("/sign-in", [Toast("You can sign in with this browser now.")])


@pages.post("/sign-out", SIGNED_IN)
async def sign_out(visit: Visit) -> Answer:
    """End this browser's session."""
    async with visit.writing() as tx:
        await sessions.logout(tx, visit.actor)
    visit.cookies.append(drop_cookie(SESSION))
    return Redirect("/sign-in")


@pages.post("/workspace", SIGNED_IN)
async def switch_workspace(visit: Visit) -> Answer:
    """Go on in another workspace of the same person, in a session of its own."""
    parts = visit.parts
    workspace_id = visit.form.id("workspaceId")
    entered = await sessions.switch_workspace(
        parts.database,
        parts.settings,
        visit.actor,
        workspace_id=workspace_id,
        client=visit.client,
    )
    visit.cookies.append(set_cookie(SESSION, entered.token, seconds=parts.settings.web_session_seconds))
    visit.anchor = entered.token
    return Redirect("/", [Toast(f"This is {entered.workspace.name} now.")])


def _form(form: Form, status: int = 200) -> Page:
    return Page("sign_in/sign_in.html", {"form": form, "title": "Sign in"}, status)
