"""Verbs on changes of one's e-mail address.

The password is given with the request and the new mailbox proven by the link, in whatever browser. Whether another
account has the address shows only to the reader of that mailbox.
"""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.email_changes import queries, store
from leadflood.domains.email_changes.errors import EmailChangeNotFound, EmailChangeThrottled, SameEmail
from leadflood.domains.email_changes.events import SEND_EMAIL_CHANGE, EmailChangeAuditAction, SendEmailChange
from leadflood.domains.email_changes.models import LINK, PendingChange, Recipient
from leadflood.domains.identity.contracts import ChangeEmail
from leadflood.domains.identity.errors import InvalidToken, WrongPassword
from leadflood.domains.identity.models import Account, Client
from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.identity.service import audit, members, profile
from leadflood.domains.identity.service.passwords import confirmed
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


async def request_change(
    database: Database,
    settings: Settings,
    secret_box: SecretBox,
    actor: Actor,
    *,
    change: ChangeEmail,
    trace: Mapping[str, str] = NO_TRACE,
) -> None:
    """Send a link to the new address and a notice to the current one. A pending change is replaced.

    Raises: WrongPassword, LoginThrottled (the current password is guarded like a login), SameEmail,
        EmailChangeThrottled, Unauthenticated, Forbidden.
    """
    actor.require(ACCOUNT)

    def check(account: Account) -> None:
        if account.email_norm == change.email.norm:
            raise SameEmail

    account, attempt = await confirmed(
        database, settings, secret_box, actor, password=change.current_password, check=check
    )
    async with database.system() as tx:
        if not await members.lock_account(tx, user_id=account.id, password_hash=account.password_hash):
            raise WrongPassword
        await attempt.succeeded(tx)
        await _require_pause(tx, account.id)
        change_id = new_id()
        await store.replace(
            tx,
            account.id,
            change_id=change_id,
            email=change.email,
            former=EmailAddress(account.email, account.email_norm),
            token_hash=token_hash(LINK.token(secret_box, change_id, 1)),
        )
        await _send(tx, actor, change_id, 1, (Recipient.NEW, Recipient.FORMER), trace)
        await audit.record_for_user(
            tx,
            actor,
            action=EmailChangeAuditAction.REQUESTED,
            user_id=account.id,
            data={"to": change.email.display},
        )


async def resend(
    database: Database, secret_box: SecretBox, actor: Actor, *, trace: Mapping[str, str] = NO_TRACE
) -> PendingChange:
    """Send a new link, valid for the full period. Raises: EmailChangeNotFound, EmailChangeThrottled."""
    actor.require(ACCOUNT)
    async with database.system() as tx:
        change = await _own(tx, actor)
        await _require_pause(tx, change.user_id)
        sending = change.sending + 1
        if not await store.renew(tx, change, token_hash(LINK.token(secret_box, change.id, sending))):
            raise EmailChangeNotFound
        await _send(tx, actor, change.id, sending, (Recipient.NEW,), trace)
        await _record(tx, actor, EmailChangeAuditAction.RESENT, change)
    return change


async def cancel(database: Database, actor: Actor) -> None:
    """Cancel the pending change: its link stops working. Raises: EmailChangeNotFound."""
    actor.require(ACCOUNT)
    async with database.system() as tx:
        change = await _own(tx, actor)
        if not await store.close(tx, change):
            raise EmailChangeNotFound
        await _record(tx, actor, EmailChangeAuditAction.CANCELLED, change)


async def preview(database: Database, token: str) -> PendingChange:
    """The change that the link confirms. Raises: EmailChangeNotFound."""
    async with database.system(read_only=True) as tx:
        return await _by_token(tx, token)


async def confirm(database: Database, *, token: str, client: Client) -> PendingChange:
    """Change the account's email, once. Sessions and API keys are kept.

    Raises: EmailChangeNotFound, EmailTaken: another account has the address; the change stays pending.
    """
    async with database.system() as tx:
        change = await _by_token(tx, token)
        if not await store.confirm(tx, change, token_hash(token)):
            raise EmailChangeNotFound
        if not await profile.set_email(tx, user_id=change.user_id, email=change.email, client=client):
            raise EmailChangeNotFound
    return change


async def _by_token(tx: Transaction, token: str) -> PendingChange:
    change = await queries.pending_by_token(tx, token_hash(token)) if LINK.is_token(token) else None
    if change is None:
        raise EmailChangeNotFound
    return change


async def _own(tx: Transaction, actor: Actor) -> PendingChange:
    if actor.user_id is None or actor.session_id is None:
        raise InvalidToken
    change = await queries.pending(tx, actor.user_id)
    if change is None:
        raise EmailChangeNotFound
    return change


async def _require_pause(tx: Transaction, user_id: UUID) -> None:
    wait = await store.seconds_to_wait(tx, user_id)
    if wait > 0:
        raise EmailChangeThrottled(wait)


async def _send(
    tx: Transaction,
    actor: Actor,
    change_id: UUID,
    sending: int,
    recipients: tuple[Recipient, ...],
    trace: Mapping[str, str],
) -> None:
    payloads = [SendEmailChange(change_id=change_id, sending=sending, to=to) for to in recipients]
    queued = [NewJob(SEND_EMAIL_CHANGE, payload, trace=trace) for payload in payloads]
    job_ids = await jobs.enqueue(tx, actor, jobs=queued)
    await store.set_job(tx, change_id, actor.workspace_id, job_ids[0])


async def _record(tx: Transaction, actor: Actor, action: EmailChangeAuditAction, change: PendingChange) -> None:
    await audit.record_for_user(tx, actor, action=action, user_id=change.user_id, data={"to": change.email.display})
