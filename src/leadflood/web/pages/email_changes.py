"""Changing the address to sign in with: asking for it, sending the link again, cancelling, confirming."""

from leadflood.domains.email_changes import service
from leadflood.domains.email_changes.errors import EmailChangeNotFound
from leadflood.domains.identity.contracts import ChangeEmail
from leadflood.domains.identity.errors import EmailTaken
from leadflood.kernel.errors import AppError
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import Form
from leadflood.web.pages.settings import refused
from leadflood.web.pipeline import SIGNED_IN, Pages, Public
from leadflood.web.session import Toast
from leadflood.web.visit import Visit

pages = Pages()

_LINK = "/email-changes/{token}"
_BY_MAIL = Public("the mail may be read in a browser without a session; the link's token is the key")


@pages.post("/settings/email", SIGNED_IN)
async def request_change(visit: Visit) -> Answer:
    """Send a link to the new address."""
    parts = visit.parts
    try:
        change = visit.form.read(ChangeEmail)
        await service.request_change(
            parts.database,
            parts.settings,
            parts.sealer,
            visit.actor,
            change=change,
            trace=visit.trace,
        )
    except AppError as error:
        return await refused(visit, "email", error)
    return Redirect("/settings", [Toast(f"We are sending a link to {change.email.display}. Open it to confirm.")])


@pages.post("/settings/email/sendings", SIGNED_IN)
async def send_again(visit: Visit) -> Answer:
    """Send the link again, as a new one."""
    parts = visit.parts
    try:
        change = await service.resend(parts.database, parts.sealer, visit.actor, trace=visit.trace)
    except AppError as error:
        return await refused(visit, "email", error)
    return Redirect("/settings", [Toast(f"We are sending a new link to {change.email.display}.")])


@pages.post("/settings/email/cancellations", SIGNED_IN)
async def cancel(visit: Visit) -> Answer:
    """Keep the address."""
    try:
        await service.cancel(visit.parts.database, visit.actor)
    except AppError as error:
        return await refused(visit, "email", error)
    return Redirect("/settings", [Toast("Change cancelled. You keep your address.")])


@pages.get(_LINK, _BY_MAIL)
async def show_confirmation(visit: Visit) -> Answer:
    """What is to be confirmed. Nothing changes yet: programs that check mails open links, too."""
    return await _confirmation(visit, Form())


@pages.post(_LINK, _BY_MAIL)
async def confirm(visit: Visit) -> Answer:
    """Use the new address from now on."""
    try:
        change = await service.confirm(visit.parts.database, token=_token(visit), client=visit.client)
    except EmailChangeNotFound as error:
        return _gone(error)
    except EmailTaken as error:
        return await _confirmation(visit, visit.form.refused(error), error.status)
    there = "/settings" if visit.signed_in else "/sign-in"
    return Redirect(there, [Toast(f"Address confirmed. Sign in with {change.email.display} from now on.")])


async def _confirmation(visit: Visit, form: Form, status: int = 200) -> Page:
    try:
        change = await service.preview(visit.parts.database, _token(visit))
    except EmailChangeNotFound as error:
        return _gone(error)
    return Page("email_changes/confirm.html", {"change": change, "form": form}, status)


def _gone(error: EmailChangeNotFound) -> Page:
    return Page("email_changes/gone.html", {}, error.status)


def _token(visit: Visit) -> str:
    return str(visit.request.path_params["token"])
