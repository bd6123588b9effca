"""Personal settings: profile, email and password, appearance."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from leadflood.domains.email_changes import queries
from leadflood.domains.identity.contracts import ChangePassword, UpdateMe
from leadflood.domains.identity.models import AUTOMATIC
from leadflood.domains.identity.service import passwords, profile
from leadflood.kernel.errors import AppError
from leadflood.web import formats
from leadflood.web.cookies import Toast, browser_time_zone, local_path
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pages.retry_after import throttled_response
from leadflood.web.pipeline import SIGNED_IN, Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()


@pages.get("/settings", SIGNED_IN)
async def show_profile(ctx: PageContext) -> PageResult:
    """Name, time zone, region, email and password."""
    return await _page(ctx)


@pages.post("/settings", SIGNED_IN)
async def change_profile(ctx: PageContext) -> PageResult:
    """Save name, time zone and region. Blank time zone and region follow the browser."""
    form = ctx.form
    blank = [name for name in ("timeZone", "locale") if name in form.fields and not form.value(name)]
    try:
        change = Form({**form.fields, **{name: [AUTOMATIC] for name in blank}}).read(UpdateMe, blank="")
        await profile.update_me(ctx.parts.database, ctx.actor, change=change)
    except AppError as error:
        return await refused(ctx, "profile", error)
    return Redirect("/settings", [Toast("Profile saved.")])


@pages.post("/settings/password", SIGNED_IN)
async def change_password(ctx: PageContext) -> PageResult:
    """Change the password. All other sessions end."""
    parts = ctx.parts
    try:
        change = ctx.form.read(ChangePassword)
        await passwords.change_password(parts.database, parts.settings, parts.secret_box, ctx.actor, change=change)
    except AppError as error:
        return await refused(ctx, "password", error)
    return Redirect("/settings", [Toast("Password changed. You are signed out everywhere else.")])


@pages.get("/settings/appearance", SIGNED_IN)
async def show_appearance(ctx: PageContext) -> PageResult:
    """Theme: light, dark, or system."""
    return _appearance(Form.of({"appearance": ctx.theme}))


@pages.post("/settings/appearance", SIGNED_IN)
async def change_appearance(ctx: PageContext) -> PageResult:
    """Save the theme, and return to the previous page."""
    form = ctx.form
    try:
        change = Form({"appearance": form.values("appearance") or [""]}).read(UpdateMe, blank="")
        await profile.update_me(ctx.parts.database, ctx.actor, change=change)
    except AppError as error:
        if error.is_fault:
            raise
        return _appearance(form.refused(error), error.status)
    return Redirect(local_path(form.value("next"), "/settings/appearance"), [Toast("Appearance saved.")])


async def refused(ctx: PageContext, name: str, error: AppError) -> PageResponse:
    """The page with an error at the form `name`. Raises: AppError: an unexpected error."""
    if error.is_fault:
        raise error
    return await _page(ctx, error.status, **{name: ctx.form.refused(throttled_response(ctx, error))})


async def _page(ctx: PageContext, status: int = 200, **forms: Form) -> PageResponse:
    chosen = {"timeZone": ctx.user.time_zone, "locale": ctx.user.locale}
    chosen = {name: value for name, value in chosen.items() if value != AUTOMATIC}
    stored = {"profile": Form.of({"name": ctx.user.name, **chosen})}
    async with ctx.parts.database.system(read_only=True) as tx:
        pending = await queries.view(tx, ctx.user.id)
    context: dict[str, Any] = {
        "pending": pending,
        "forms": {"email": Form(), "password": Form(), **stored, **forms},
        "zones": _zones(),
        "browser_zone": browser_time_zone(ctx.request.cookies) or "UTC",
        "regions": _regions(ctx),
    }
    return PageResponse("settings/profile.html", context, status)


def _appearance(form: Form, status: int = 200) -> PageResponse:
    return PageResponse("settings/appearance.html", {"form": form}, status)


def _regions(ctx: PageContext) -> list[tuple[str, str]]:
    """The available regions, including the stored one."""
    browser = formats.region_of(None, ctx.request.headers.get("accept-language", "")).tag
    named = {browser: formats.region_name(browser), ctx.user.locale: formats.region_name(ctx.user.locale)}
    known = formats.regions() | {tag: name for tag, name in named.items() if tag != AUTOMATIC}
    return [("", f"Automatic ({formats.region_name(browser)})"), *known.items()]


@cache
def _zones() -> list[str]:
    """Time zones of inhabited places, without old aliases."""
    areas = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ["UTC", *sorted(name for name in available_timezones() if name.startswith(areas))]
