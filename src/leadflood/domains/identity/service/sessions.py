"""Sessions of users: starting, switching, and ending them. Ending takes effect with the next request."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import BrowserSession, MembershipView, OwnSessionView
from leadflood.domains.identity.errors import InvalidToken, SessionNotFound, WorkspaceNotFound
from leadflood.domains.identity.events import AuditSubject, IdentityAuditAction
from leadflood.domains.identity.models import (
    MAX_SESSIONS,
    WEB_PREFIX,
    Client,
    EndReason,
    SessionKind,
    permissions_of,
)
from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.identity.service import audit
from leadflood.domains.identity.service.passwords import end_and_record
from leadflood.domains.identity.store import sessions as session_store
from leadflood.domains.identity.store.sessions import SessionKey
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import new_token, token_hash
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.pagination import Page, Position

_MAX_USER_AGENT = 400


async def start(
    tx: Transaction,
    *,
    user_id: UUID,
    workspace: MembershipView,
    kind: SessionKind,
    seconds: int,
    lifetime: int,
    client: Client,
    continues: SessionKey | None = None,
) -> SessionKey:
    """Start a session of a member and audit it. The caller creates its tokens.

    It lives `seconds` without use and `lifetime` in all, or until the end of the session that it `continues`. Beyond
    `MAX_SESSIONS` the user's oldest one ends. Needs a system transaction in which the user is locked.
    """
    key = SessionKey(workspace.id, new_id(), user_id)
    user_agent = client.user_agent[:_MAX_USER_AGENT] if client.user_agent else None
    await session_store.insert_session(
        tx,
        key,
        kind=kind,
        ip=client.ip,
        user_agent=user_agent,
        seconds=seconds,
        lifetime=lifetime,
        continues=continues,
    )
    actor = Actor(
        kind=ActorKind.USER,
        workspace_id=workspace.id,
        permissions=permissions_of(workspace.role, None),
        user_id=user_id,
        role=workspace.role,
        session_id=key.id,
        request_id=client.request_id,
    )
    data = {"ip": client.ip, "kind": kind}
    await _record(tx, actor, IdentityAuditAction.SESSION_STARTED, key.id, data)
    for ended in await session_store.end_oldest(tx, key, MAX_SESSIONS):
        there = replace(actor, workspace_id=ended.workspace_id)
        too_many: dict[str, JsonValue] = {"reason": EndReason.TOO_MANY}
        await _record(tx, there, IdentityAuditAction.SESSION_ENDED, ended.id, too_many)
    return key


async def start_browser(
    tx: Transaction,
    settings: Settings,
    *,
    user_id: UUID,
    workspace: MembershipView,
    client: Client,
    continues: SessionKey | None = None,
) -> BrowserSession:
    """Start a browser session, like `start`."""
    key = await start(
        tx,
        user_id=user_id,
        workspace=workspace,
        kind=SessionKind.BROWSER,
        seconds=settings.web_session_seconds,
        lifetime=settings.session_lifetime_seconds,
        client=client,
        continues=continues,
    )
    token = new_token(WEB_PREFIX)
    await session_store.insert_web_token(tx, key, token_hash(token))
    return BrowserSession(token=token, user_id=user_id, workspace=workspace)


async def replace_browser(tx: Transaction, actor: Actor) -> None:
    """End the session that a browser had before it signed in again, if it is still active.

    Requires a system transaction: it may be another user's, in another workspace.
    """
    if actor.session_id is None:
        return
    if await session_store.end_session(tx, actor.workspace_id, actor.session_id, EndReason.REPLACED):
        data: dict[str, JsonValue] = {"reason": EndReason.REPLACED}
        await _record(tx, actor, IdentityAuditAction.SESSION_ENDED, actor.session_id, data)


async def switch_workspace(
    database: Database, settings: Settings, actor: Actor, *, workspace_id: UUID, client: Client
) -> BrowserSession:
    """Switch to another of the user's workspaces: the current session ends and a new one starts there.

    It expires no later than the present session, so that switching cannot extend a session without limit.

    Raises: WorkspaceNotFound: also for a workspace that the user is not in. SessionNotFound: for a caller without a
        session. Unauthenticated: when the session has just ended.
    """
    actor.require(ACCOUNT)
    if actor.user_id is None or actor.session_id is None:
        raise SessionNotFound
    async with database.system() as tx:
        workspace = await session_store.lock_membership(tx, actor.user_id, workspace_id)
        if workspace is None:
            raise WorkspaceNotFound
        if not await session_store.end_session(tx, actor.workspace_id, actor.session_id, EndReason.SWITCHED):
            raise InvalidToken
        data: dict[str, JsonValue] = {"reason": EndReason.SWITCHED}
        await _record(tx, actor, IdentityAuditAction.SESSION_ENDED, actor.session_id, data)
        return await start_browser(
            tx,
            settings,
            user_id=actor.user_id,
            workspace=workspace,
            client=client,
            continues=SessionKey(actor.workspace_id, actor.session_id, actor.user_id),
        )


async def list_all_sessions(
    database: Database, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[OwnSessionView]:
    """The caller's active sessions in all workspaces, newest first."""
    async with database.system(read_only=True) as tx:
        return await queries.list_all_sessions(tx, actor, after=after, limit=limit)


async def logout(tx: Transaction, actor: Actor) -> None:
    """End the session of this request, with all its tokens.

    Raises: SessionNotFound: for a caller without a session, such as an API key.
    """
    actor.require(ACCOUNT)
    if actor.session_id is None:
        raise SessionNotFound
    await _end(tx, actor, actor.session_id, EndReason.LOGOUT)


async def end_session(tx: Transaction, actor: Actor, *, session_id: UUID) -> None:
    """End one of the caller's sessions in this workspace.

    Raises: SessionNotFound: also for another user's, and for one that has ended already.
    """
    actor.require(ACCOUNT)
    if actor.user_id is None:
        raise SessionNotFound
    await _end(tx, actor, session_id, EndReason.ENDED)


async def end_any_session(database: Database, actor: Actor, *, session_id: UUID) -> None:
    """End one of the caller's sessions in any workspace; it is audited there.

    Raises: SessionNotFound: also for another user's, and for one that has ended already.
    """
    actor.require(ACCOUNT)
    if actor.user_id is None:
        raise SessionNotFound
    async with database.system() as tx:
        workspace_id = await queries.workspace_of_session(tx, actor.user_id, session_id)
        if workspace_id is None:
            raise SessionNotFound
        await _end(tx, replace(actor, workspace_id=workspace_id), session_id, EndReason.ENDED)


async def end_other_sessions(database: Database, actor: Actor) -> int:
    """End all sessions of the caller except the current one, in every workspace. Returns the number.

    Raises: SessionNotFound: for a caller without a session, who would end all of them.
    """
    actor.require(ACCOUNT)
    if actor.user_id is None or actor.session_id is None:
        raise SessionNotFound
    async with database.system() as tx:
        return await end_and_record(
            tx,
            actor,
            user_id=actor.user_id,
            action=IdentityAuditAction.OTHER_SESSIONS_ENDED,
            reason=EndReason.ENDED,
        )


async def _end(tx: Transaction, actor: Actor, session_id: UUID, reason: EndReason) -> None:
    if not await session_store.end_session(tx, actor.workspace_id, session_id, reason, user_id=actor.user_id):
        raise SessionNotFound
    await _record(tx, actor, IdentityAuditAction.SESSION_ENDED, session_id, {"reason": reason})


async def _record(
    tx: Transaction,
    actor: Actor,
    action: IdentityAuditAction,
    session_id: UUID,
    data: Mapping[str, JsonValue],
) -> None:
    await audit.record(
        tx,
        actor,
        action=action,
        subject_type=AuditSubject.SESSION,
        subject_id=session_id,
        data=data,
    )
