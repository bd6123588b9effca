"""Changing the email to sign in with: request, resend, cancel, confirm."""

from leadflood.domains.email_changes import service
from leadflood.domains.email_changes.errors import EmailChangeNotFound
from leadflood.domains.identity.contracts import ChangeEmail
from leadflood.domains.identity.errors import EmailTaken
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pages.settings import refused
from leadflood.web.pipeline import SIGNED_IN, Pages, Public
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_LINK = "/email-changes/{token}"
_BY_MAIL = Public("the mail may be read in a browser without a session; the link's token is the key")


@pages.post("/settings/email", SIGNED_IN)
async def request_change(ctx: PageContext) -> PageResult:
    """Send a link to the new address."""
    parts = ctx.parts
    try:
        change = ctx.form.read(ChangeEmail)
        await service.request_change(
            parts.database,
            parts.settings,
            parts.secret_box,
            ctx.actor,
            change=change,
            trace=ctx.trace,
        )
    except AppError as error:
        return await refused(ctx, "email", error)
    return Redirect("/settings", [Toast(f"We’re emailing a link to {change.email.display}. Open it to confirm.")])


@pages.post("/settings/email/sendings", SIGNED_IN)
async def resend(ctx: PageContext) -> PageResult:
    """Send a new link; the previous one stops working."""
    parts = ctx.parts
    try:
        change = await service.resend(parts.database, parts.secret_box, ctx.actor, trace=ctx.trace)
    except AppError as error:
        return await refused(ctx, "email", error)
    return Redirect("/settings", [Toast(f"We’re emailing a new link to {change.email.display}.")])


@pages.post("/settings/email/cancellations", SIGNED_IN)
async def cancel(ctx: PageContext) -> PageResult:
    """Cancel the change."""
    try:
        await service.cancel(ctx.parts.database, ctx.actor)
    except AppError as error:
        return await refused(ctx, "email", error)
    return Redirect("/settings", [Toast("Change canceled.")])


@pages.get(_LINK, _BY_MAIL)
async def show_confirmation(ctx: PageContext) -> PageResult:
    """The change to confirm. Nothing changes yet: programs that check emails open links, too."""
    return await _confirmation(ctx, Form())


@pages.post(_LINK, _BY_MAIL)
async def confirm(ctx: PageContext) -> PageResult:
    """Confirm the new email."""
    try:
        change = await service.confirm(ctx.parts.database, token=_token(ctx), client=ctx.client)
    except EmailChangeNotFound as error:
        return _link_expired(error)
    except EmailTaken as error:
        return await _confirmation(ctx, ctx.form.refused(error), error.status)
    there = "/settings" if ctx.signed_in else "/sign-in"
    return Redirect(there, [Toast(f"Email changed to {change.email.display}.")])


async def _confirmation(ctx: PageContext, form: Form, status: int = 200) -> PageResponse:
    try:
        change = await service.preview(ctx.parts.database, _token(ctx))
    except EmailChangeNotFound as error:
        return _link_expired(error)
    return PageResponse("email_changes/confirm.html", {"change": change, "form": form}, status)


def _link_expired(error: EmailChangeNotFound) -> PageResponse:
    return PageResponse("email_changes/gone.html", {}, error.status)


def _token(ctx: PageContext) -> str:
    return str(ctx.request.path_params["token"])
