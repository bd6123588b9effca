"""One's own settings: profile, the address and the password to sign in with, appearance."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from leadflood.domains.email_changes import queries
from leadflood.domains.identity.contracts import ChangePassword, UpdateMe
from leadflood.domains.identity.service import passwords, profile
from leadflood.kernel.errors import AppError
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import Form
from leadflood.web.pages.throttled import told
from leadflood.web.pipeline import SIGNED_IN, Pages
from leadflood.web.session import Toast, local_path
from leadflood.web.visit import Visit

pages = Pages()

_FAULT = 500


@pages.get("/settings", SIGNED_IN)
async def show_profile(visit: Visit) -> Answer:
    """Name, time zone, e-mail address and password."""
    return await _page(visit)


@pages.post("/settings", SIGNED_IN)
async def change_profile(visit: Visit) -> Answer:
    """Save name and time zone."""
    try:
        change = visit.form.read(UpdateMe, blank="")
        await profile.update_me(visit.parts.database, visit.actor, change=change)
    except AppError as error:
        return await refused(visit, "profile", error)
    return Redirect("/settings", [Toast("Profile saved.")])


@pages.post("/settings/password", SIGNED_IN)
async def change_password(visit: Visit) -> Answer:
    """Another password. All other sessions end."""
    parts = visit.parts
    try:
        change = visit.form.read(ChangePassword)
        await passwords.change_password(parts.database, parts.settings, parts.sealer, visit.actor, change=change)
    except AppError as error:
        return await refused(visit, "password", error)
    return Redirect("/settings", [Toast("Password changed. You are signed out everywhere else.")])


@pages.get("/settings/appearance", SIGNED_IN)
async def show_appearance(visit: Visit) -> Answer:
    """Light, dark, or as the device."""
    return _appearance(Form.of({"appearance": visit.theme}))


@pages.post("/settings/appearance", SIGNED_IN)
async def change_appearance(visit: Visit) -> Answer:
    """Remember the choice, and go back to where it was made."""
    form = visit.form
    try:
        change = Form({"appearance": form.values("appearance") or [""]}).read(UpdateMe, blank="")
        await profile.update_me(visit.parts.database, visit.actor, change=change)
    except AppError as error:
        if error.status >= _FAULT:
            raise
        return _appearance(form.refused(error), error.status)
    return Redirect(local_path(form.value("next"), "/settings/appearance"), [Toast("Appearance saved.")])


async def refused(visit: Visit, name: str, error: AppError) -> Page:
    """The page, with what stood in the way at the form `name`. Raises: AppError: a fault of ours."""
    if error.status >= _FAULT:
        raise error
    return await _page(visit, error.status, **{name: visit.form.refused(told(visit, error))})


async def _page(visit: Visit, status: int = 200, **forms: Form) -> Page:
    stored = {"profile": Form.of({"name": visit.user.name, "timeZone": visit.user.time_zone})}
    async with visit.parts.database.system(read_only=True) as tx:
        pending = await queries.view(tx, visit.user.id)
    context: dict[str, Any] = {
        "pending": pending,
        "forms": {"email": Form(), "password": Form(), **stored, **forms},
        "zones": _zones(),
    }
    return Page("settings/profile.html", context, status)


def _appearance(form: Form, status: int = 200) -> Page:
    return Page("settings/appearance.html", {"form": form}, status)


@cache
def _zones() -> list[str]:
    """Zones that people live in: places, without the aliases of old."""
    areas = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ["UTC", *sorted(name for name in available_timezones() if name.startswith(areas))]
