"""Inviting people, and accepting invitations."""

from typing import Any

from leadflood.domains.identity.contracts import Login
from leadflood.domains.identity.permissions import MEMBERS_WRITE
from leadflood.domains.identity.service import sessions, signin
from leadflood.domains.invitations import service
from leadflood.domains.invitations.contracts import (
    AcceptedInvitation,
    CreateInvitation,
    ExistingAccount,
    InvitationPreview,
    NewAccount,
)
from leadflood.domains.invitations.errors import AccountExists, InvitationNotFound
from leadflood.kernel.actor import Role
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import SESSION, Toast, set_cookie
from leadflood.web.forms import Form, validated
from leadflood.web.labels import ROLES
from leadflood.web.page_context import PageContext
from leadflood.web.pages.members import PATH, grantable_roles, refused
from leadflood.web.pages.retry_after import throttled_response
from leadflood.web.pipeline import Pages, Public
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_INVITATIONS = "/settings/invitations"
_LINK = "/invitations/{token}"
_BY_MAIL = Public("whoever was invited has no session yet; the link's token is the key")


@pages.get(f"{_INVITATIONS}/new", MEMBERS_WRITE)
async def show_invite(ctx: PageContext) -> PageResult:
    """The invite form: address and role."""
    return _invite(ctx, Form.of({"role": Role.MEMBER}))


@pages.post(_INVITATIONS, MEMBERS_WRITE)
async def invite(ctx: PageContext) -> PageResult:
    """Send the invitation."""
    try:
        command = ctx.form.read(CreateInvitation)
        async with ctx.writing() as tx:
            sent = await service.invite(tx, ctx.actor, ctx.parts.secret_box, command=command, trace=ctx.trace)
    except AppError as error:
        if error.is_fault:
            raise
        return _invite(ctx, ctx.form.refused(error), error.status)
    return Redirect(PATH, [Toast(f"Invitation sent to {sent.email}.")])


@pages.post(f"{_INVITATIONS}/{{id}}/sendings", MEMBERS_WRITE)
async def resend(ctx: PageContext) -> PageResult:
    """Send it again with a new link; the previous one stops working."""
    try:
        async with ctx.writing() as tx:
            sent = await service.resend(
                tx,
                ctx.actor,
                ctx.parts.secret_box,
                invitation_id=ctx.id(),
                trace=ctx.trace,
            )
    except AppError as error:
        return await refused(ctx, error)
    return Redirect(PATH, [Toast(f"Invitation resent to {sent.email}. The old link no longer works.")])


@pages.post(f"{_INVITATIONS}/{{id}}/revocations", MEMBERS_WRITE)
async def revoke(ctx: PageContext) -> PageResult:
    """Revoke the invitation."""
    try:
        async with ctx.writing() as tx:
            await service.revoke(tx, ctx.actor, invitation_id=ctx.id())
    except AppError as error:
        return await refused(ctx, error)
    return Redirect(PATH, [Toast("Invitation revoked.")])


@pages.get(_LINK, _BY_MAIL)
async def show_invitation(ctx: PageContext) -> PageResult:
    """The invitation, and the form that accepts it."""
    try:
        preview = await service.preview(ctx.parts.database, _token(ctx))
    except InvitationNotFound as error:
        return _link_expired(error)
    return _welcome(ctx, preview, Form())


@pages.post(_LINK, _BY_MAIL)
async def accept(ctx: PageContext) -> PageResult:
    """Accept the invitation and sign in."""
    token = _token(ctx)
    try:
        preview = await service.preview(ctx.parts.database, token)
    except InvitationNotFound as error:
        return _link_expired(error)
    try:
        return await _accept(ctx, preview, token)
    except InvitationNotFound as error:
        return _link_expired(error)
    except AppError as error:
        if error.is_fault:
            raise
        known = preview.has_account or isinstance(error, AccountExists)
        shown = preview.model_copy(update={"has_account": known})
        return _welcome(ctx, shown, ctx.form.refused(throttled_response(ctx, error)), error.status)


async def _accept(ctx: PageContext, preview: InvitationPreview, token: str) -> Redirect:
    if not _is_for(ctx, preview):
        return await _sign_in(ctx, await _accept_with_password(ctx, preview, token), preview)
    joined = await service.accept_as_self(ctx.parts.database, ctx.actor, token=token, client=ctx.client)
    return await _continue(ctx, joined, preview)


async def _accept_with_password(ctx: PageContext, preview: InvitationPreview, token: str) -> AcceptedInvitation:
    parts = ctx.parts
    if not preview.has_account:
        newcomer = ctx.form.read(NewAccount)
        return await service.accept_as_new(parts.database, token=token, newcomer=newcomer, client=ctx.client)
    return await service.accept_with_account(
        parts.database,
        parts.settings,
        parts.secret_box,
        token=token,
        known=ctx.form.read(ExistingAccount),
        client=ctx.client,
    )


async def _sign_in(ctx: PageContext, joined: AcceptedInvitation, preview: InvitationPreview) -> Redirect:
    """Sign in to the joined workspace with the password that was just entered."""
    parts = ctx.parts
    credentials = {"email": joined.email, "password": ctx.form.value("password"), "workspaceId": joined.workspace_id}
    entered = await signin.login_browser(
        parts.database,
        parts.settings,
        parts.secret_box,
        login=validated(Login, credentials),
        client=ctx.client,
        replaces=ctx.caller.actor if ctx.caller else None,
    )
    ctx.enter(entered)
    return Redirect("/", [Toast(f"Welcome to {preview.workspace}.")])


async def _continue(ctx: PageContext, joined: AcceptedInvitation, preview: InvitationPreview) -> Redirect:
    parts = ctx.parts
    entered = await sessions.switch_workspace(
        parts.database, parts.settings, ctx.actor, workspace_id=joined.workspace_id, client=ctx.client
    )
    ctx.cookies.append(set_cookie(SESSION, entered.token, seconds=parts.settings.web_session_seconds))
    ctx.anchor = entered.token
    return Redirect("/", [Toast(f"Welcome to {preview.workspace}.")])


def _invite(ctx: PageContext, form: Form, status: int = 200) -> PageResponse:
    roles = [(role.value, *ROLES[role]) for role in grantable_roles(ctx)]
    return PageResponse("settings/invite.html", {"form": form, "roles": roles}, status)


def _welcome(ctx: PageContext, preview: InvitationPreview, form: Form, status: int = 200) -> PageResponse:
    context: dict[str, Any] = {
        "invitation": preview,
        "form": form,
        "role": ROLES[preview.role],
        "is_self": _is_for(ctx, preview),
    }
    return PageResponse("invitations/accept.html", context, status)


def _is_for(ctx: PageContext, preview: InvitationPreview) -> bool:
    return ctx.signed_in and parse_email(preview.email).norm == parse_email(ctx.user.email).norm


def _link_expired(error: InvitationNotFound) -> PageResponse:
    return PageResponse("invitations/gone.html", {}, error.status)


def _token(ctx: PageContext) -> str:
    return str(ctx.request.path_params["token"])
