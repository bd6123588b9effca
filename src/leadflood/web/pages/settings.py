"""One's own settings: profile, the address and the password to sign in with, appearance."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from leadflood.domains.identity.contracts import ChangeEmail, ChangePassword, UpdateMe
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
    return _page(visit)


@pages.post("/settings", SIGNED_IN)
async def change_profile(visit: Visit) -> Answer:
    """Save name and time zone."""
    try:
        change = visit.form.read(UpdateMe, blank="")
        await profile.update_me(visit.parts.database, visit.actor, change=change)
    except AppError as error:
        return _refused(visit, "profile", error)
    return Redirect("/settings", [Toast("Profile saved.")])


@pages.post("/settings/email", SIGNED_IN)
async def change_email(visit: Visit) -> Answer:
    """Another address to sign in with."""
    parts = visit.parts
    try:
        change = visit.form.read(ChangeEmail)
        await profile.change_email(
            parts.database, parts.settings, parts.sealer, visit.actor, change=change, client=visit.client
        )
    except AppError as error:
        return _refused(visit, "email", error)
    return Redirect("/settings", [Toast(f"From now on you sign in with {change.email.display}.")])


@pages.post("/settings/password", SIGNED_IN)
async def change_password(visit: Visit) -> Answer:
    """Another password. All other sessions end."""
    parts = visit.parts
    try:
        change = visit.form.read(ChangePassword)
        await passwords.change_password(
            parts.database, parts.settings, parts.sealer, visit.actor, change=change, client=visit.client
        )
    except AppError as error:
        return _refused(visit, "password", error)
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


def _refused(visit: Visit, name: str, error: AppError) -> Page:
    if error.status >= _FAULT:
        raise error
    return _page(visit, error.status, **{name: visit.form.refused(told(visit, error))})


def _page(visit: Visit, status: int = 200, **forms: Form) -> Page:
    stored = {"profile": Form.of({"name": visit.user.name, "timeZone": visit.user.time_zone})}
    context: dict[str, Any] = {"forms": {"email": Form(), "password": Form(), **stored, **forms}, "zones": _zones()}
    return Page("settings/profile.html", context, status)


def _appearance(form: Form, status: int = 200) -> Page:
    return Page("settings/appearance.html", {"form": form}, status)


@cache
def _zones() -> list[str]:
    """Zones that people live in: places, without the aliases of old."""
    areas = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ["UTC", *sorted(name for name in available_timezones() if name.startswith(areas))]
