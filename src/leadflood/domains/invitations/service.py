"""Verbs on invitations.

Inviting, sending again and accepting change who can become a member, so they are serialized with all other changes of
members by the lock of `members.lock`.
"""

from collections.abc import Mapping
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.errors import AlreadyMember, InvalidToken, UserExists
from leadflood.domains.identity.models import Client
from leadflood.domains.identity.permissions import MEMBERS_WRITE
from leadflood.domains.identity.service import audit, members, signin
from leadflood.domains.identity.service.passwords import hash_password_in_thread, refuse_own_email
from leadflood.domains.invitations import queries, store
from leadflood.domains.invitations.contracts import (
    AcceptedInvitation,
    CreateInvitation,
    ExistingAccount,
    InvitationPreview,
    InvitationView,
    NewAccount,
)
from leadflood.domains.invitations.errors import (
    AccountExists,
    InvitationNotFound,
    InvitationThrottled,
    TooManyInvitationMails,
    TooManyInvitations,
)
from leadflood.domains.invitations.events import AUDIT_SUBJECT, SEND_INVITATION, InvitationAuditAction, SendInvitation
from leadflood.domains.invitations.models import LINK, MAX_MAILS_A_DAY, MAX_OPEN, InvitationEmail, PendingInvitation
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox, token_hash
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.events import NO_TRACE
from leadflood.kernel.ids import new_id


async def invite(
    tx: Transaction,
    actor: Actor,
    secret_box: SecretBox,
    *,
    command: CreateInvitation,
    trace: Mapping[str, str] = NO_TRACE,
) -> InvitationView:
    """Invite a person by email, which a job sends. A pending invitation for the email is revoked.

    Every mail counts towards the limit of the day, those of revoked invitations too.

    The answer is the same whether or not the address has an account here.

    Raises: AlreadyMember, InvitationThrottled, TooManyInvitationMails, TooManyInvitations, OwnerRoleRequired,
        PermissionEscalation, Unauthenticated.
    """
    actor.require(MEMBERS_WRITE)
    own_role = await members.lock(tx, actor)
    members.require_may_grant(actor, own_role, command.role)
    await _require_room(tx, actor, command.email)
    await store.replace(tx, actor.workspace_id, command.email)
    invitation_id = new_id()
    await store.insert(
        tx,
        actor.workspace_id,
        invitation_id=invitation_id,
        email=command.email,
        role=command.role,
        invited_by=actor.user_id,
        token_hash=token_hash(LINK.token(secret_box, invitation_id, 1)),
        job_id=await _enqueue(tx, actor, invitation_id, 1, trace),
    )
    data: dict[str, JsonValue] = {"email": command.email.display, "role": command.role}
    await _record(tx, actor, InvitationAuditAction.SENT, invitation_id, data)
    return await queries.get_invitation(tx, actor, invitation_id=invitation_id)


async def resend(
    tx: Transaction,
    actor: Actor,
    secret_box: SecretBox,
    *,
    invitation_id: UUID,
    trace: Mapping[str, str] = NO_TRACE,
) -> InvitationView:
    """Send a pending or expired invitation again, with a new link, the full period, and the actor as inviter.

    Raises: InvitationNotFound, and as `invite`.
    """
    actor.require(MEMBERS_WRITE)
    own_role = await members.lock(tx, actor)
    invitation = await _pending(tx, actor, invitation_id)
    members.require_may_grant(actor, own_role, invitation.role)
    await _require_room(tx, actor, invitation.email)
    sending = invitation.sends + 1
    renewed = await store.renew(
        tx,
        invitation,
        invited_by=actor.user_id,
        token_hash=token_hash(LINK.token(secret_box, invitation_id, sending)),
        job_id=await _enqueue(tx, actor, invitation_id, sending, trace),
    )
    if not renewed:
        raise InvitationNotFound
    data: dict[str, JsonValue] = {"email": invitation.email.display, "sending": sending}
    await _record(tx, actor, InvitationAuditAction.RESENT, invitation_id, data)
    return await queries.get_invitation(tx, actor, invitation_id=invitation_id)


async def revoke(tx: Transaction, actor: Actor, *, invitation_id: UUID) -> None:
    """Revoke a pending invitation: its link stops working.

    Raises: InvitationNotFound, OwnerRoleRequired, Unauthenticated.
    """
    actor.require(MEMBERS_WRITE)
    own_role = await members.lock(tx, actor)
    invitation = await _pending(tx, actor, invitation_id)
    members.require_may_change(actor, own_role, invitation.role)
    if not await store.revoke(tx, invitation):
        raise InvitationNotFound
    data: dict[str, JsonValue] = {"email": invitation.email.display, "role": invitation.role}
    await _record(tx, actor, InvitationAuditAction.REVOKED, invitation_id, data)


async def preview(database: Database, token: str) -> InvitationPreview:
    """The invitation behind a link, including whether the address has an account. Raises: InvitationNotFound."""
    invitation_email = await _look_up(database, token)
    return InvitationPreview(
        email=invitation_email.invitation.email.display,
        role=invitation_email.invitation.role,
        workspace=invitation_email.workspace,
        inviter=invitation_email.inviter,
        has_account=invitation_email.has_account,
        expires_at=invitation_email.expires_at,
    )


async def accept_as_new(database: Database, *, token: str, newcomer: NewAccount, client: Client) -> AcceptedInvitation:
    """Create an account with the email of the invitation, and join. The caller signs in afterwards.

    Raises: InvitationNotFound, AccountExists, InvalidInput: when the password is the address.
    """
    invitation_email = await _look_up(database, token)
    refuse_own_email(newcomer.password, invitation_email.invitation.email.display, "/password")
    password_hash = await hash_password_in_thread(newcomer.password)
    async with database.system() as tx:
        invitation = await _use_up(tx, token)
        try:
            user_id = await members.create_user(
                tx,
                Actor.system(invitation.workspace_id, request_id=client.request_id),
                email=invitation.email,
                name=newcomer.name,
                password_hash=password_hash,
            )
        except UserExists as error:
            raise AccountExists from error
        await _join(tx, invitation, user_id, client)
    return AcceptedInvitation(workspace_id=invitation.workspace_id, user_id=user_id, email=invitation.email.display)


async def accept_with_account(
    database: Database, settings: Settings, secret_box: SecretBox, *, token: str, known: ExistingAccount, client: Client
) -> AcceptedInvitation:
    """Join with the account that has the email of the invitation; its password is checked like at login.

    An existing member keeps the role; the invitation is used up in any case. The caller signs in afterwards.

    Raises: InvitationNotFound, InvalidCredentials, LoginThrottled.
    """
    invitation_email = await _look_up(database, token)
    email_norm = invitation_email.invitation.email.norm
    proven = await signin.verify_credentials(
        database, settings, secret_box, email_norm=email_norm, password=known.password, client=client
    )
    account = proven.account
    async with database.system() as tx:
        invitation = await _use_up(tx, token)
        if not await members.lock_account(tx, user_id=account.id, password_hash=account.password_hash):
            raise signin.failed(client)
        await _join(tx, invitation, account.id, client)
        await proven.attempt.succeeded(tx)
    return AcceptedInvitation(workspace_id=invitation.workspace_id, user_id=account.id, email=invitation.email.display)


async def accept_as_self(database: Database, actor: Actor, *, token: str, client: Client) -> AcceptedInvitation:
    """Join as the signed-in user, if the invitation is for that user's email. No password is required.

    Raises: InvitationNotFound: also for an invitation to another address. Unauthenticated.
    """
    if actor.user_id is None or actor.session_id is None:
        raise InvalidToken
    async with database.system() as tx:
        account = await identity.account(tx, actor.user_id)
        invitation = await _use_up(tx, token)
        if invitation.email.norm != account.email_norm:
            raise InvitationNotFound
        if not await members.lock_account(tx, user_id=account.id, password_hash=account.password_hash):
            raise InvalidToken
        await _join(tx, invitation, account.id, client)
    return AcceptedInvitation(workspace_id=invitation.workspace_id, user_id=account.id, email=invitation.email.display)


async def _require_room(tx: Transaction, actor: Actor, email: EmailAddress) -> None:
    if await identity.is_member(tx, actor, email_norm=email.norm):
        raise AlreadyMember
    wait = await store.seconds_to_wait(tx, actor.workspace_id, email)
    if wait > 0:
        raise InvitationThrottled(wait)
    sent, wait = await store.mails_of_the_day(tx, actor.workspace_id)
    if sent >= MAX_MAILS_A_DAY:
        raise TooManyInvitationMails(MAX_MAILS_A_DAY, wait)
    if await store.count_others(tx, actor.workspace_id, email) >= MAX_OPEN:
        raise TooManyInvitations(MAX_OPEN)


async def _pending(tx: Transaction, actor: Actor, invitation_id: UUID) -> PendingInvitation:
    invitation = await store.pending(tx, actor.workspace_id, invitation_id)
    if invitation is None:
        raise InvitationNotFound
    return invitation


async def _enqueue(tx: Transaction, actor: Actor, invitation_id: UUID, sending: int, trace: Mapping[str, str]) -> UUID:
    payload = SendInvitation(invitation_id=invitation_id, sending=sending)
    (job_id,) = await jobs.enqueue(tx, actor, jobs=[NewJob(SEND_INVITATION, payload, trace=trace)])
    return job_id


async def _look_up(database: Database, token: str) -> InvitationEmail:
    if not LINK.is_token(token):
        raise InvitationNotFound
    async with database.system(read_only=True) as tx:
        return await queries.invitation_email_by_token(tx, token_hash(token))


async def _use_up(tx: Transaction, token: str) -> PendingInvitation:
    """The invitation of the token, accepted in this transaction, exactly once."""
    sought = token_hash(token)
    invitation_email = await queries.invitation_email_by_token(tx, sought)
    await members.lock(tx, Actor.system(invitation_email.invitation.workspace_id))
    invitation_email = await queries.invitation_email_by_token(tx, sought)  # read again under the lock
    if not await store.accept(tx, invitation_email.invitation, sought):
        raise InvitationNotFound
    return invitation_email.invitation


async def _join(tx: Transaction, invitation: PendingInvitation, user_id: UUID, client: Client) -> None:
    actor = await members.join(
        tx, invitation.workspace_id, user_id=user_id, role=invitation.role, request_id=client.request_id
    )
    await _record(tx, actor, InvitationAuditAction.ACCEPTED, invitation.id, {"role": invitation.role})


async def _record(
    tx: Transaction,
    actor: Actor,
    action: InvitationAuditAction,
    invitation_id: UUID,
    data: Mapping[str, JsonValue],
) -> None:
    await audit.record(
        tx,
        actor,
        action=action,
        subject_type=AUDIT_SUBJECT,
        subject_id=invitation_id,
        data=data,
    )
