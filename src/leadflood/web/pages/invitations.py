"""Inviting somebody, and coming in with the link of an invitation."""

from typing import Any

from leadflood.domains.identity.contracts import Login
from leadflood.domains.identity.service import sessions, signin
from leadflood.domains.invitations import service
from leadflood.domains.invitations.contracts import (
    AcceptedInvitation,
    CreateInvitation,
    InvitationPreview,
    KnownPassword,
    Newcomer,
)
from leadflood.domains.invitations.errors import AccountExists, InvitationNotFound
from leadflood.kernel.actor import Permission, Role
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.errors import AppError
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import Form, validated
from leadflood.web.pages.members import PATH, ROLES, givable, refused
from leadflood.web.pages.throttled import told
from leadflood.web.pipeline import Pages, Public
from leadflood.web.session import SESSION, Toast, set_cookie
from leadflood.web.visit import Visit

pages = Pages()

_INVITATIONS = "/settings/invitations"
_LINK = "/invitations/{token}"
_BY_MAIL = Public("whoever was invited has no session yet; the link's token is the key")
_FAULT = 500


@pages.get(f"{_INVITATIONS}/new", Permission.MEMBERS_WRITE)
async def show_invite(visit: Visit) -> Answer:
    """Whom to invite, and as what."""
    return _invite(visit, Form.of({"role": Role.MEMBER}))


@pages.post(_INVITATIONS, Permission.MEMBERS_WRITE)
async def invite(visit: Visit) -> Answer:
    """Send the mail."""
    try:
        command = visit.form.read(CreateInvitation)
        async with visit.writing() as tx:
            made = await service.invite(tx, visit.actor, visit.parts.sealer, command=command, trace=visit.trace)
    except AppError as error:
        if error.status >= _FAULT:
            raise
        return _invite(visit, visit.form.refused(error), error.status)
    return Redirect(PATH, [Toast(f"The invitation to {made.email} is on its way.")])


@pages.post(f"{_INVITATIONS}/{{id}}/sendings", Permission.MEMBERS_WRITE)
async def send_again(visit: Visit) -> Answer:
    """Send it again, with a new link."""
    try:
        async with visit.writing() as tx:
            made = await service.resend(
                tx,
                visit.actor,
                visit.parts.sealer,
                invitation_id=visit.id(),
                trace=visit.trace,
            )
    except AppError as error:
        return await refused(visit, error)
    return Redirect(PATH, [Toast(f"A new link for {made.email} is on its way. The one before works no more.")])


@pages.post(f"{_INVITATIONS}/{{id}}/revocations", Permission.MEMBERS_WRITE)
async def revoke(visit: Visit) -> Answer:
    """Make its link worthless."""
    try:
        async with visit.writing() as tx:
            await service.revoke(tx, visit.actor, invitation_id=visit.id())
    except AppError as error:
        return await refused(visit, error)
    return Redirect(PATH, [Toast("Invitation revoked. Its link does not work any more.")])


@pages.get(_LINK, _BY_MAIL)
async def show_invitation(visit: Visit) -> Answer:
    """What the invitation is about, and the form that accepts it."""
    try:
        preview = await service.preview(visit.parts.database, _token(visit))
    except InvitationNotFound as error:
        return _gone(error)
    return _welcome(visit, preview, Form())


@pages.post(_LINK, _BY_MAIL)
async def accept(visit: Visit) -> Answer:
    """Join, and be signed in there."""
    token = _token(visit)
    try:
        preview = await service.preview(visit.parts.database, token)
    except InvitationNotFound as error:
        return _gone(error)
    try:
        return await _accept(visit, preview, token)
    except InvitationNotFound as error:
        return _gone(error)
    except AppError as error:
        if error.status >= _FAULT:
            raise
        known = preview.has_account or isinstance(error, AccountExists)
        shown = preview.model_copy(update={"has_account": known})
        return _welcome(visit, shown, visit.form.refused(told(visit, error)), error.status)


async def _accept(visit: Visit, preview: InvitationPreview, token: str) -> Redirect:
    if not _is_for(visit, preview):
        return await _sign_in(visit, await _accept_with_password(visit, preview, token), preview)
    joined = await service.accept_as_self(visit.parts.database, visit.actor, token=token, client=visit.client)
    return await _go_on(visit, joined, preview)


async def _accept_with_password(visit: Visit, preview: InvitationPreview, token: str) -> AcceptedInvitation:
    parts = visit.parts
    if not preview.has_account:
        newcomer = visit.form.read(Newcomer)
        return await service.accept_as_new(parts.database, token=token, newcomer=newcomer, client=visit.client)
    return await service.accept_with_account(
        parts.database,
        parts.settings,
        parts.sealer,
        token=token,
        known=visit.form.read(KnownPassword),
        client=visit.client,
    )


async def _sign_in(visit: Visit, joined: AcceptedInvitation, preview: InvitationPreview) -> Redirect:
    """With the password that has just been given, in the workspace that was joined."""
    parts = visit.parts
    credentials = {"email": joined.email, "password": visit.form.value("password"), "workspaceId": joined.workspace_id}
    entered = await signin.login_browser(
        parts.database,
        parts.settings,
        parts.sealer,
        login=validated(Login, credentials),
        client=visit.client,
        replaces=visit.caller.actor if visit.caller else None,
    )
    visit.enter(entered)
    return Redirect("/", [Toast(f"Welcome to {preview.workspace}.")])


async def _go_on(visit: Visit, joined: AcceptedInvitation, preview: InvitationPreview) -> Redirect:
    parts = visit.parts
    entered = await sessions.switch_workspace(
        parts.database, parts.settings, visit.actor, workspace_id=joined.workspace_id, client=visit.client
    )
    visit.cookies.append(set_cookie(SESSION, entered.token, seconds=parts.settings.web_session_seconds))
    visit.anchor = entered.token
    return Redirect("/", [Toast(f"Welcome to {preview.workspace}.")])


def _invite(visit: Visit, form: Form, status: int = 200) -> Page:
    roles = [(role.value, *ROLES[role]) for role in givable(visit)]
    return Page("settings/invite.html", {"form": form, "roles": roles}, status)


def _welcome(visit: Visit, preview: InvitationPreview, form: Form, status: int = 200) -> Page:
    context: dict[str, Any] = {
        "invitation": preview,
        "form": form,
        "role": ROLES[preview.role],
        "is_self": _is_for(visit, preview),
    }
    return Page("invitations/accept.html", context, status)


def _is_for(visit: Visit, preview: InvitationPreview) -> bool:
    return visit.signed_in and parse_email(preview.email).norm == parse_email(visit.user.email).norm


def _gone(error: InvitationNotFound) -> Page:
    return Page("invitations/gone.html", {}, error.status)


def _token(visit: Visit) -> str:
    return str(visit.request.path_params["token"])
