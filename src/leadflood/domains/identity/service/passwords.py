"""Passwords: hashing in threads, the limit on guessing, and changing a password."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Self
from uuid import UUID

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import ChangePassword
from leadflood.domains.identity.errors import InvalidToken, LoginThrottled, WrongPassword
from leadflood.domains.identity.events import IdentityAuditAction
from leadflood.domains.identity.models import (
    ADDRESS_FACTOR,
    Account,
    Client,
    EndReason,
    acceptable_password,
    is_public_password,
    normalise_password,
    throttled_address,
)
from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.identity.service import api_keys, audit
from leadflood.domains.identity.store import sessions as session_store
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox, hash_password, new_password, verify_password
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.text import InvalidValue
from leadflood.kernel.threads import PASSWORD_HASHING


class Attempt:
    """An attempt with a password, counted as failed in advance, so that parallel attempts cannot exceed the limit.

    Limits hold in windows of 15 minutes that end by themselves. An attempt that is refused is not counted; one that is
    never heard of again counts as failed; one that succeeds gives back what it took, and nothing else, so that the
    owner's sign-ins buy a stranger no further guesses.
    """

    def __init__(self, allowed: Mapping[bytes, int]) -> None:
        """`allowed`: the subjects under which the attempt counts, with their limits."""
        self._allowed = allowed

    @classmethod
    def by_stranger(cls, settings: Settings, secret_box: SecretBox, *, email_norm: str, client: Client) -> Self:
        """By a device that is not known for the account: all of them share the account's limit."""
        account = secret_box.fingerprint(b"account", email_norm.encode())
        return cls({account: settings.max_login_attempts, **_of_address(settings, secret_box, client)})

    @classmethod
    def by_known_address(cls, settings: Settings, secret_box: SecretBox, *, user_id: UUID, client: Client) -> Self:
        """By a program, which has no cookie, from an address with earlier sign-ins to the account."""
        address = throttled_address(client.ip).encode()
        known = secret_box.fingerprint(b"known address", user_id.bytes, address)
        return cls({known: settings.max_login_attempts, **_of_address(settings, secret_box, client)})

    @classmethod
    def by_known_device(cls, settings: Settings, subject: bytes) -> Self:
        """By a browser that has signed in to the account before: no other client can use up its attempts."""
        return cls({subject: settings.max_login_attempts})

    @classmethod
    def by_owner(cls, settings: Settings, secret_box: SecretBox, *, user_id: UUID) -> Self:
        """By a signed-in user who confirms an action with the password."""
        return cls({secret_box.fingerprint(b"confirmation", user_id.bytes): settings.max_login_attempts})

    async def begin(self, tx: Transaction) -> None:
        """Raises: LoginThrottled: the transaction must roll back. Unavailable: no password can be checked now."""
        PASSWORD_HASHING.require_capacity()  # a refusal for lack of capacity is not a failed attempt
        wait = await session_store.reserve(tx, self._allowed)
        if wait is not None:
            raise LoginThrottled(wait)

    async def succeeded(self, tx: Transaction) -> None:
        """Return the attempt."""
        await session_store.release(tx, list(self._allowed))


def _of_address(settings: Settings, secret_box: SecretBox, client: Client) -> dict[bytes, int]:
    address = secret_box.fingerprint(b"address", throttled_address(client.ip).encode())
    return {address: settings.max_login_attempts * ADDRESS_FACTOR}


async def unlock(tx: Transaction, secret_box: SecretBox, *, email_norm: str) -> None:
    """Reset the failures of all unknown devices at an account."""
    await session_store.clear_failures(tx, secret_box.fingerprint(b"account", email_norm.encode()))


async def password_matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is right; False, after the same work, if there is no hash.

    Raises: Unavailable: too many passwords are being checked.
    """
    return await PASSWORD_HASHING.run(_matches, password, password_hash)


async def hash_password_in_thread(password: str) -> str:
    """The hash of a password, which is normalized here; contracts validate it.

    Raises: Unavailable: too many passwords are being checked.
    """
    return await PASSWORD_HASHING.run(hash_password, normalise_password(password))


async def confirmed(
    database: Database,
    settings: Settings,
    secret_box: SecretBox,
    actor: Actor,
    *,
    password: str,
    check: Callable[[Account], None] = lambda _: None,
) -> tuple[Account, Attempt]:
    """The caller's account, after checking the current password. Limited like a login, with a separate limit.

    The attempt counts as failed until the caller says that it `succeeded`.

    Args: check: raises for what is refused whatever the password is, before the attempt is counted.

    Raises: WrongPassword, LoginThrottled, Unauthenticated.
    """
    if actor.user_id is None:
        raise InvalidToken
    async with database.system() as tx:
        account = await queries.account(tx, actor.user_id)
        check(account)
        attempt = Attempt.by_owner(settings, secret_box, user_id=account.id)
        await attempt.begin(tx)
    if not await password_matches(password, account.password_hash):
        raise WrongPassword
    return account, attempt


async def change_password(
    database: Database, settings: Settings, secret_box: SecretBox, actor: Actor, *, change: ChangePassword
) -> None:
    """Change the caller's password and end all other sessions of the caller, in every workspace.

    API keys stay: programs use them, they carry no password, and each can be revoked by itself. Those of a user whose
    password was the demo user's public one end.

    Raises: WrongPassword, LoginThrottled (the current password is guarded like a login), Unauthenticated,
        InvalidInput: when the new password is the e-mail address.
    """
    actor.require(ACCOUNT)
    account, attempt = await confirmed(
        database,
        settings,
        secret_box,
        actor,
        password=change.current_password,
        check=lambda account: refuse_own_email(change.new_password, account.email, "/newPassword"),
    )
    password_hash = await hash_password_in_thread(change.new_password)
    async with database.system() as tx:
        if not await store.set_password(tx, account.id, password_hash, expected=account.password_hash):
            raise WrongPassword
        await attempt.succeeded(tx)
        if is_public_password(change.current_password):
            await api_keys.revoke_keys_of(tx, actor, account.id)
        await end_and_record(
            tx,
            actor,
            user_id=account.id,
            action=IdentityAuditAction.PASSWORD_CHANGED,
            reason=EndReason.PASSWORD_CHANGED,
        )


async def end_and_record(
    tx: Transaction,
    actor: Actor,
    *,
    user_id: UUID,
    action: IdentityAuditAction,
    reason: EndReason,
) -> int:
    """End the user's sessions except the actor's own, and audit `action` in each of the user's workspaces.

    Requires a system transaction. Returns the number of ended sessions.
    """
    ended = await session_store.end_sessions(tx, user_id, reason, kept=actor.session_id)
    await audit.record_for_user(tx, actor, action=action, user_id=user_id, data={"endedSessions": ended})
    return ended


def refuse_own_email(password: str, email: str, pointer: str) -> None:
    """Raises: InvalidInput: naming the field at `pointer`, if the password is the email address."""
    try:
        acceptable_password(password, email)
    except InvalidValue as exc:
        fault = FieldError(pointer, exc.code, str(exc))
        raise InvalidInput("Choose a stronger password.", errors=[fault]) from exc


def _matches(password: str, password_hash: str | None) -> bool:
    dummy = _dummy_hash()
    return verify_password(normalise_password(password), password_hash or dummy) and password_hash is not None


@cache
def _dummy_hash() -> str:
    return hash_password(new_password())
