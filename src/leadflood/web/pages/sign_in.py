"""Signing in and out, and switching workspaces."""

from leadflood.domains.identity.contracts import Login
from leadflood.domains.identity.errors import DeviceLinkExpired
from leadflood.domains.identity.service import devices, sessions, signin
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import SESSION, Toast, drop_cookie, local_path, set_cookie
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pages.retry_after import throttled_response
from leadflood.web.pipeline import SIGNED_IN, Pages, Public
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()


@pages.get("/sign-in", Public("it is how people sign in"))
async def show_sign_in(ctx: PageContext) -> PageResult:
    """The form; a user who is already signed in is redirected."""
    if ctx.signed_in:
        return Redirect(local_path(ctx.query.get("next")))
    return _form(Form.of({"next": local_path(ctx.query.get("next"), "")}))


@pages.post("/sign-in", Public("it is how people sign in"))
async def sign_in(ctx: PageContext) -> PageResult:
    """Start a session in this browser, ending a previous one."""
    parts = ctx.parts
    try:
        entered = await signin.login_browser(
            parts.database,
            parts.settings,
            parts.secret_box,
            login=ctx.form.read(Login),
            client=ctx.client,
            replaces=ctx.caller.actor if ctx.caller else None,
        )
    except AppError as error:
        return _form(ctx.form.refused(throttled_response(ctx, error)), error.status)
    ctx.enter(entered)
    return Redirect(local_path(ctx.form.value("next")))


@pages.get("/sign-in/device/{code}", Public("the code, which only `leadflood user unlock` prints, is the key"))
async def remember_device(ctx: PageContext) -> PageResult:
    """Trust this browser, so that failed sign-ins elsewhere do not lock it out."""
    user_id = devices.opened(ctx.parts.secret_box, str(ctx.request.path_params["code"]), ctx.now)
    if user_id is None:
        raise DeviceLinkExpired
    ctx.remember_device(user_id)
    return Redirect("/sign-in", [Toast("You can now sign in with this browser.")])


@pages.post("/sign-out", SIGNED_IN)
async def sign_out(ctx: PageContext) -> PageResult:
    """End this browser's session."""
    async with ctx.writing() as tx:
        await sessions.logout(tx, ctx.actor)
    ctx.cookies.append(drop_cookie(SESSION))
    return Redirect("/sign-in")


@pages.post("/workspace", SIGNED_IN)
async def switch_workspace(ctx: PageContext) -> PageResult:
    """Switch to another workspace of the user, in a new session."""
    parts = ctx.parts
    workspace_id = ctx.form.id("workspaceId")
    entered = await sessions.switch_workspace(
        parts.database,
        parts.settings,
        ctx.actor,
        workspace_id=workspace_id,
        client=ctx.client,
    )
    ctx.cookies.append(set_cookie(SESSION, entered.token, seconds=parts.settings.web_session_seconds))
    ctx.anchor = entered.token
    return Redirect("/", [Toast(f"Switched to {entered.workspace.name}.")])


def _form(form: Form, status: int = 200) -> PageResponse:
    return PageResponse("sign_in/sign_in.html", {"form": form, "title": "Sign in"}, status)
