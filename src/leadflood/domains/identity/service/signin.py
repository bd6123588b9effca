"""Login and refresh: from a password, or from the token of an earlier one, to fresh tokens.

Failed logins are counted (`passwords.Attempt`) and logged, for known and unknown accounts alike, but not audited: an
audit event needs a workspace, which unknown accounts lack, and writing it would make known accounts answer later.
"""

import structlog

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import Login, LoginView, MembershipView, TokensView
from leadflood.domains.identity.errors import LoginFailed, LoginThrottled, Unauthenticated
from leadflood.domains.identity.events import AuditAction, AuditSubject
from leadflood.domains.identity.models import (
    ACCESS_PREFIX,
    REFRESH_PREFIX,
    Account,
    Client,
    EndReason,
    permissions_of,
)
from leadflood.domains.identity.service import audit
from leadflood.domains.identity.service.passwords import Attempt, fits
from leadflood.domains.identity.store import SessionKey
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import Sealer, is_token, new_token, token_hash
from leadflood.kernel.db.database import Database, Transaction
from leadflood.kernel.ids import new_id

_LONGEST_USER_AGENT = 400

_log = structlog.get_logger()


async def login(database: Database, settings: Settings, sealer: Sealer, *, login: Login, client: Client) -> LoginView:
    """Start a session. A wrong password, an unknown or disabled account and a foreign workspace look and cost the same.

    The password is checked in a thread while no transaction is open.

    Raises: LoginFailed, LoginThrottled.
    """
    attempt = Attempt(settings, sealer, email_norm=login.email.norm, client=client)
    try:
        async with database.system() as tx:
            await attempt.begin(tx)
            account, joined = await queries.account_by_email(tx, login.email.norm)
    except LoginThrottled:
        _log.warning("identity.login_throttled", ip=client.ip, request_id=client.request_id)
        raise
    fitting = await fits(login.password, account.password_hash if account else None)
    chosen = next((each for each in joined if login.workspace_id in (None, each.id)), None)
    if not fitting or account is None or account.disabled or chosen is None:
        raise _failed(client)
    async with database.system() as tx:
        tokens = await _start_session(tx, settings, account=account, workspace=chosen, client=client)
        await attempt.succeeded(tx)
    return LoginView(**dict(tokens), user=queries.user_view(account), workspace=chosen, workspaces=joined)


async def refresh(database: Database, settings: Settings, *, refresh_token: str) -> TokensView:
    """Exchange a refresh token for new tokens, once (RFC 9700, 4.14.2: rotation).

    Using it again ends the session, for either caller may be a thief: of two parallel exchanges, one answers with
    tokens and the other ends the session, those tokens included. Access tokens issued before live until they expire.

    Raises: Unauthenticated.
    """
    if not is_token(refresh_token, REFRESH_PREFIX):
        raise Unauthenticated
    sought = token_hash(refresh_token)
    async with database.system() as tx:
        session = await store.lock_refreshed(tx, sought)
        if session is None:
            raise Unauthenticated
        fresh = await store.use_refresh_token(tx, session.workspace_id, sought)
        if fresh:
            await store.prolong(tx, session, settings.refresh_token_seconds)
            tokens = await _issue_tokens(tx, settings, session)
        else:
            tokens = None
            await _end_stolen(tx, session)
    if tokens is None:
        _log.warning(
            "identity.refresh_token_reused", session_id=str(session.id), workspace_id=str(session.workspace_id)
        )
        raise Unauthenticated
    return tokens


async def purge(database: Database, *, limit: int) -> int:
    """Delete expired failures, tokens and sessions, at most `limit` of each of the latter. Returns how many went."""
    async with database.system() as tx:
        return await store.purge(tx, limit)


async def _start_session(
    tx: Transaction, settings: Settings, *, account: Account, workspace: MembershipView, client: Client
) -> TokensView:
    welcome = await store.still_welcome(
        tx, user_id=account.id, workspace_id=workspace.id, password_hash=account.password_hash
    )
    if not welcome:
        raise _failed(client)
    session = SessionKey(workspace.id, new_id(), account.id)
    user_agent = client.user_agent[:_LONGEST_USER_AGENT] if client.user_agent else None
    await store.insert_session(tx, session, ip=client.ip, user_agent=user_agent, seconds=settings.refresh_token_seconds)
    tokens = await _issue_tokens(tx, settings, session)
    actor = Actor(
        kind=ActorKind.USER,
        workspace_id=workspace.id,
        permissions=permissions_of(workspace.role, None),
        user_id=account.id,
        role=workspace.role,
        session_id=session.id,
    )
    await audit.record(
        tx,
        actor,
        action=AuditAction.SESSION_STARTED,
        subject_type=AuditSubject.SESSION,
        subject_id=session.id,
        data={"ip": client.ip},
        request_id=client.request_id,
    )
    return tokens


async def _issue_tokens(tx: Transaction, settings: Settings, session: SessionKey) -> TokensView:
    access, renewal = new_token(ACCESS_PREFIX), new_token(REFRESH_PREFIX)
    await store.insert_tokens(
        tx,
        session,
        access=(token_hash(access), settings.access_token_seconds),
        refresh=(token_hash(renewal), settings.refresh_token_seconds),
    )
    return TokensView(
        access_token=access,
        refresh_token=renewal,
        expires_in=settings.access_token_seconds,
        refresh_expires_in=settings.refresh_token_seconds,
    )


async def _end_stolen(tx: Transaction, session: SessionKey) -> None:
    await store.end_session(tx, session.workspace_id, session.id, EndReason.TOKEN_REUSE)
    await audit.record(
        tx,
        Actor.system(session.workspace_id),
        action=AuditAction.SESSION_ENDED,
        subject_type=AuditSubject.SESSION,
        subject_id=session.id,
        data={"reason": EndReason.TOKEN_REUSE, "userId": str(session.user_id)},
    )


def _failed(client: Client) -> LoginFailed:
    _log.warning("identity.login_failed", ip=client.ip, request_id=client.request_id)
    return LoginFailed()
