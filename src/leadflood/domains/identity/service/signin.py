"""Login and refresh: new tokens for a password, or for the token of an earlier session.

Programs get an access and a refresh token, a browser one token for its cookie; both come in by the same guarded door.

Failed logins are counted (`passwords.Attempt`) and logged, for known and unknown accounts alike, but not audited: an
audit event needs a workspace, which unknown accounts lack, and writing it would make known accounts answer later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import BrowserLogin, Login, LoginView, MembershipView, TokensView
from leadflood.domains.identity.errors import InvalidCredentials, InvalidToken, LoginThrottled
from leadflood.domains.identity.events import AuditSubject, IdentityAuditAction
from leadflood.domains.identity.models import (
    ACCESS_PREFIX,
    REFRESH_PREFIX,
    Account,
    Client,
    EndReason,
    SessionKind,
    network_of,
)
from leadflood.domains.identity.queries.instance import has_public_password
from leadflood.domains.identity.queries.known_networks import is_known_address
from leadflood.domains.identity.service import audit, devices, sessions
from leadflood.domains.identity.service.passwords import Attempt, password_matches
from leadflood.domains.identity.service.public_password import refuse_public
from leadflood.domains.identity.store import sessions as session_store
from leadflood.domains.identity.store.sessions import SessionKey
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox, is_token, new_token, token_hash
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction

_log = structlog.get_logger()
_BROWSER = SessionKind.BROWSER


@dataclass(frozen=True, slots=True)
class VerifiedCredentials:
    """The verified credentials of an account that can sign in."""

    account: Account
    joined: Sequence[MembershipView]
    attempt: Attempt


async def login(
    database: Database, settings: Settings, secret_box: SecretBox, *, login: Login, client: Client
) -> LoginView:
    """Start an API session.

    A wrong password, an unknown or disabled account and a foreign workspace look and cost the same.

    Raises: InvalidCredentials, LoginThrottled, PublicPassword.
    """
    proven = await verify_credentials(
        database,
        settings,
        secret_box,
        email_norm=login.email.norm,
        password=login.password,
        client=client,
        kind=SessionKind.API,
    )
    chosen = _chosen(proven, login, client)
    async with database.system() as tx:
        await _require_access(tx, proven, chosen, client)
        key = await sessions.start(
            tx,
            user_id=proven.account.id,
            workspace=chosen,
            kind=SessionKind.API,
            seconds=settings.refresh_token_seconds,
            lifetime=settings.session_lifetime_seconds,
            client=client,
        )
        tokens = await _issue_tokens(tx, settings, key)
        await proven.attempt.succeeded(tx)
    user = queries.user_view(proven.account)
    return LoginView(**dict(tokens), user=user, workspace=chosen, workspaces=list(proven.joined))


async def login_browser(
    database: Database,
    settings: Settings,
    secret_box: SecretBox,
    *,
    login: Login,
    client: Client,
    replaces: Actor | None = None,
) -> BrowserLogin:
    """Start a browser session, always with a new token. Otherwise like `login`.

    Args: replaces: the previous session of this browser, if any; it ends.

    Raises: InvalidCredentials, LoginThrottled, PublicPassword.
    """
    proven = await verify_credentials(
        database, settings, secret_box, email_norm=login.email.norm, password=login.password, client=client
    )
    chosen = _chosen(proven, login, client)
    async with database.system() as tx:
        await _require_access(tx, proven, chosen, client)
        if replaces is not None:
            await sessions.replace_browser(tx, replaces)
        session = await sessions.start_browser(tx, settings, user_id=proven.account.id, workspace=chosen, client=client)
        await proven.attempt.succeeded(tx)
    user = queries.user_view(proven.account)
    return BrowserLogin(**dict(session), user=user, workspaces=list(proven.joined))


async def verify_credentials(
    database: Database,
    settings: Settings,
    secret_box: SecretBox,
    *,
    email_norm: str,
    password: str,
    client: Client,
    kind: SessionKind = SessionKind.BROWSER,
) -> VerifiedCredentials:
    """Check a password, for all ways to sign in. Unknown and disabled accounts cost the same.

    A browser is known by its device cookie. A program, which has none, is known at the addresses of earlier sessions.

    The password is checked in a thread while no transaction is open. The attempt counts as failed until the caller
    says that it `succeeded`.

    Raises: InvalidCredentials, LoginThrottled, PublicPassword.
    """
    refuse_public(settings, password)
    try:
        async with database.system() as tx:
            account, joined = await queries.account_by_email(tx, email_norm)
            at_home = await is_known_address(tx, user_id=account.id if account else None, network=network_of(client.ip))
            attempt = _attempt(
                settings, secret_box, email_norm, account, client, at_home=at_home and kind is not _BROWSER
            )
            await attempt.begin(tx)
    except LoginThrottled:
        _log.warning("identity.login_throttled", ip=client.ip, request_id=client.request_id)
        raise
    fitting = await password_matches(password, account.password_hash if account else None)
    if not fitting or account is None or account.disabled:
        raise failed(client)
    return VerifiedCredentials(account, joined, attempt)


def _attempt(
    settings: Settings,
    secret_box: SecretBox,
    email_norm: str,
    account: Account | None,
    client: Client,
    *,
    at_home: bool,
) -> Attempt:
    known = devices.subject(secret_box, client.device, account.id) if account else None
    if known is not None:
        return Attempt.by_known_device(settings, known)
    if account is not None and at_home:
        return Attempt.by_known_address(settings, secret_box, user_id=account.id, client=client)
    return Attempt.by_stranger(settings, secret_box, email_norm=email_norm, client=client)


async def refresh(database: Database, settings: Settings, *, refresh_token: str) -> TokensView:
    """Exchange a refresh token for new tokens, once (RFC 9700, 4.14.2: rotation).

    Using it again ends the session, as the token may be compromised: of two parallel exchanges, one answers with
    tokens and the other ends the session, those tokens included. Access tokens issued before live until they expire.

    Raises: Unauthenticated.
    """
    if not is_token(refresh_token, REFRESH_PREFIX):
        raise InvalidToken
    sought = token_hash(refresh_token)
    async with database.system() as tx:
        session = await session_store.lock_refreshed(tx, sought)
        if session is None:
            raise InvalidToken
        if settings.is_production and await has_public_password(tx, session.user_id):
            raise InvalidToken
        fresh = await session_store.use_refresh_token(tx, session.workspace_id, sought)
        if fresh:
            await session_store.extend(tx, session, settings.refresh_token_seconds)
            tokens = await _issue_tokens(tx, settings, session)
        else:
            tokens = None
            await _end_stolen(tx, session)
    if tokens is None:
        _log.warning(
            "identity.refresh_token_reused", session_id=str(session.id), workspace_id=str(session.workspace_id)
        )
        raise InvalidToken
    return tokens


async def purge(database: Database, *, limit: int) -> int:
    """Delete expired failures, tokens and sessions, at most `limit` of each of the latter. Returns the number."""
    async with database.system() as tx:
        return await session_store.purge(tx, limit)


def failed(client: Client) -> InvalidCredentials:
    """Log a failed sign-in and return its error."""
    _log.warning("identity.login_failed", ip=client.ip, request_id=client.request_id)
    return InvalidCredentials()


def _chosen(proven: VerifiedCredentials, login: Login, client: Client) -> MembershipView:
    """The requested workspace, or the one that the user joined first."""
    for item in proven.joined:
        if login.workspace_id in (None, item.id):
            return item
    raise failed(client)


async def _require_access(tx: Transaction, proven: VerifiedCredentials, chosen: MembershipView, client: Client) -> None:
    """Refuse a user whose password or membership changed while the password was checked."""
    account = proven.account
    welcome = await session_store.may_sign_in(
        tx, user_id=account.id, workspace_id=chosen.id, password_hash=account.password_hash
    )
    if not welcome:
        raise failed(client)


async def _issue_tokens(tx: Transaction, settings: Settings, session: SessionKey) -> TokensView:
    access, renewal = new_token(ACCESS_PREFIX), new_token(REFRESH_PREFIX)
    lives = await session_store.insert_tokens(
        tx,
        session,
        access=(token_hash(access), settings.access_token_seconds),
        refresh=(token_hash(renewal), settings.refresh_token_seconds),
    )
    return TokensView(
        access_token=access,
        refresh_token=renewal,
        expires_in=lives[0],
        refresh_expires_in=lives[1],
    )


async def _end_stolen(tx: Transaction, session: SessionKey) -> None:
    if not await session_store.end_session(tx, session.workspace_id, session.id, EndReason.TOKEN_REUSE):
        return  # it had already ended
    await audit.record(
        tx,
        Actor.system(session.workspace_id),
        action=IdentityAuditAction.SESSION_ENDED,
        subject_type=AuditSubject.SESSION,
        subject_id=session.id,
        data={"reason": EndReason.TOKEN_REUSE, "userId": str(session.user_id)},
    )
