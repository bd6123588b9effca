"""SQL that reads identity. What takes an actor sees its workspace alone; the rest is for sign-in and the operator."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, tuple_

from leadflood.domains.identity.contracts import (
    ApiKeyView,
    AuditActorView,
    AuditEventView,
    MembershipView,
    MemberView,
    OwnSessionView,
    ProfileView,
    SessionView,
    UserSummary,
    UserView,
    WorkspaceView,
)
from leadflood.domains.identity.errors import ApiKeyNotFound, MemberNotFound, Unauthenticated, WorkspaceNotFound
from leadflood.domains.identity.models import Account, Appearance, SessionKind
from leadflood.domains.identity.tables import api_keys, audit_events, memberships, sessions, users, workspaces
from leadflood.kernel.actor import Actor, ActorKind, Role
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID
from leadflood.kernel.pagination import Page, Position, cut

CREDENTIALS = sql("""
SELECT sought.token_hash, credential.*,
       (SELECT u.is_operator FROM users u WHERE u.id = credential.user_id) AS is_operator,
       (SELECT u.password_hash = u.public_password_hash FROM users u WHERE u.id = credential.user_id) AS is_public
FROM unnest(:token_hashes::bytea[]) AS sought (token_hash), authenticate_token(sought.token_hash) AS credential
""")

_MEMBERS_AMONG = sql("""
SELECT user_id FROM memberships WHERE workspace_id = :workspace_id AND user_id = ANY (:user_ids) AND leaving_at IS NULL
""")

VISITOR = sql("""
SELECT visitor.*, (SELECT u.is_operator FROM users u WHERE u.id = visitor.user_id) AS is_operator,
       (SELECT u.password_hash = u.public_password_hash FROM users u WHERE u.id = visitor.user_id) AS is_public
FROM authenticate_visitor(:token_hash) AS visitor
""")

_AFTER_ALL = "\U0010ffff"
"""In collation "C", what begins with a text is less than that text followed by the last character of all."""

# One query for an account and its workspaces, so that unknown and known addresses cost the same.
ACCOUNT = sql("""
SELECT u.id, u.email, u.email_norm, u.name, u.password_hash, u.disabled_at, m.workspace_id,
       w.name AS workspace_name, m.role
FROM users u
LEFT JOIN memberships m ON m.user_id = u.id AND m.leaving_at IS NULL
LEFT JOIN workspaces w ON w.id = m.workspace_id
WHERE u.email_norm = :email_norm
ORDER BY m.created_at, m.workspace_id
""")

FIRST_OWNER = sql("""
SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.workspace_id = :workspace_id AND m.role = 'owner' AND u.disabled_at IS NULL AND m.leaving_at IS NULL
ORDER BY m.created_at, m.user_id LIMIT 1
""")

ACTOR_NAMES = sql("""
SELECT u.id, u.name FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.workspace_id = :workspace_id AND m.user_id = ANY (:ids)
UNION ALL
SELECT k.id, k.name FROM api_keys k WHERE k.workspace_id = :workspace_id AND k.id = ANY (:ids)
""")


async def credentials(tx: Transaction, token_hashes: Sequence[bytes]) -> dict[bytes, Row]:
    """What tokens stand for at this moment, by hash. Invalid ones are missing."""
    rows = await tx.all(CREDENTIALS, {"token_hashes": list(token_hashes)})
    return {bytes(row.token_hash): row for row in rows}


async def visitor(tx: Transaction, token_hash: bytes) -> Row | None:
    """As `credential`, with the profile of the user and all the user's workspaces, oldest membership first."""
    return await tx.first(VISITOR, {"token_hash": token_hash})


async def account_by_email(tx: Transaction, email_norm: str) -> tuple[Account | None, list[MembershipView]]:
    """The user and all workspaces, oldest membership first. Needs a system transaction."""
    rows = await tx.all(ACCOUNT, {"email_norm": email_norm})
    if not rows:
        return None, []
    joined = [
        MembershipView(id=row.workspace_id, name=row.workspace_name, role=Role(row.role))
        for row in rows
        if row.workspace_id is not None
    ]
    return _account(rows[0]), joined


async def account(tx: Transaction, user_id: UUID) -> Account:
    """Raises: Unauthenticated: when the user is gone."""
    row = await tx.first(select(users).where(users.c.id == user_id))
    if row is None:
        raise Unauthenticated
    return _account(row)


async def profile(tx: Transaction, user_id: UUID) -> ProfileView:
    """Raises: Unauthenticated: when the user is gone."""
    row = await tx.first(select(users).where(users.c.id == user_id))
    if row is None:
        raise Unauthenticated
    return profile_view(row)


async def user_id_of(tx: Transaction, email_norm: str) -> UUID | None:
    """The user with this address, in whatever workspace."""
    found = await tx.scalar(select(users.c.id).where(users.c.email_norm == email_norm))
    return found if isinstance(found, UUID) else None


async def memberships_of(tx: Transaction, user_id: UUID) -> list[MembershipView]:
    """All workspaces of a user, oldest membership first. Needs a system transaction."""
    query = (
        select(workspaces.c.id, workspaces.c.name, memberships.c.role)
        .join(memberships, memberships.c.workspace_id == workspaces.c.id)
        .where(memberships.c.user_id == user_id, memberships.c.leaving_at.is_(None))
        .order_by(memberships.c.created_at, memberships.c.workspace_id)
    )
    return [MembershipView(id=row.id, name=row.name, role=Role(row.role)) for row in await tx.all(query)]


async def first_workspace(tx: Transaction) -> UUID | None:
    """The oldest workspace but the system's own. Needs a system transaction."""
    page = await list_workspaces(tx, limit=1)
    return page.items[0].id if page.items else None


async def first_owner(tx: Transaction, workspace_id: UUID) -> UUID | None:
    """The owner who has been one for longest among those who can sign in."""
    found = await tx.scalar(FIRST_OWNER, {"workspace_id": workspace_id})
    return found if isinstance(found, UUID) else None


async def get_workspace(tx: Transaction, actor: Actor) -> WorkspaceView:
    """The caller's workspace. Raises: WorkspaceNotFound."""
    row = await tx.first(select(workspaces).where(workspaces.c.id == actor.workspace_id))
    if row is None:
        raise WorkspaceNotFound
    return _workspace_view(row)


async def list_sessions(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[SessionView]:
    """The caller's own live sessions in this workspace, newest first."""
    query = select(sessions).where(
        sessions.c.workspace_id == actor.workspace_id,
        sessions.c.user_id == actor.user_id,
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > func.now(),
    )
    rows = await tx.all(_newest_first(query, sessions.c.id, after, limit))
    return _page(rows, limit).map(lambda row: _session_view(row, actor))


async def list_all_sessions(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[OwnSessionView]:
    """The caller's own live sessions in all workspaces, newest first. Needs a system transaction."""
    query = (
        select(sessions, workspaces.c.name.label("workspace_name"))
        .join(workspaces, workspaces.c.id == sessions.c.workspace_id)
        .where(sessions.c.user_id == actor.user_id)
        .where(sessions.c.ended_at.is_(None), sessions.c.expires_at > func.now())
    )
    rows = await tx.all(_newest_first(query, sessions.c.id, after, limit))
    return _page(rows, limit).map(lambda row: _own_session_view(row, actor))


async def workspace_of_session(tx: Transaction, user_id: UUID, session_id: UUID) -> UUID | None:
    """Where a session of this user is. Needs a system transaction."""
    query = select(sessions.c.workspace_id).where(sessions.c.user_id == user_id, sessions.c.id == session_id)
    found = await tx.scalar(query)
    return found if isinstance(found, UUID) else None


async def list_members(tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int) -> Page[MemberView]:
    """The members of the workspace, by the age of their user account."""
    query = _members(actor).order_by(memberships.c.user_id).limit(limit + 1)
    if after is not None:
        query = query.where(memberships.c.user_id > after.id)
    return _page(await tx.all(query), limit).map(_member_view)


async def is_member(tx: Transaction, actor: Actor, *, email_norm: str) -> bool:
    """Whether a member of the workspace has this address."""
    query = _members(actor).where(users.c.email_norm == email_norm)
    return await tx.first(query) is not None


async def members_among(tx: Transaction, workspace_id: UUID, user_ids: Collection[UUID]) -> set[UUID]:
    """Those of the users who are members of the workspace."""
    rows = await tx.all(_MEMBERS_AMONG, {"workspace_id": workspace_id, "user_ids": list(user_ids)})
    return {row.user_id for row in rows}


async def get_member(tx: Transaction, actor: Actor, *, user_id: UUID) -> MemberView:
    """Raises: MemberNotFound."""
    row = await tx.first(_members(actor).where(memberships.c.user_id == user_id))
    if row is None:
        raise MemberNotFound
    return _member_view(row)


async def actor_names(tx: Transaction, actor: Actor, ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of members and API keys of the workspace, by id, for those among `ids` that are there."""
    if not ids:
        return {}
    rows = await tx.all(ACTOR_NAMES, {"workspace_id": actor.workspace_id, "ids": list(set(ids))})
    return {row.id: row.name for row in rows}


async def list_api_keys(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[ApiKeyView]:
    """All keys of the workspace, newest first, revoked and expired ones included."""
    query = select(api_keys).where(api_keys.c.workspace_id == actor.workspace_id)
    rows = await tx.all(_newest_first(query, api_keys.c.id, after, limit))
    return _page(rows, limit).map(_api_key_view)


async def get_api_key(tx: Transaction, actor: Actor, *, key_id: UUID) -> ApiKeyView:
    """Raises: ApiKeyNotFound."""
    query = select(api_keys).where(api_keys.c.workspace_id == actor.workspace_id, api_keys.c.id == key_id)
    row = await tx.first(query)
    if row is None:
        raise ApiKeyNotFound
    return _api_key_view(row)


async def list_audit_events(  # noqa: PLR0913  each filter is a parameter
    tx: Transaction,
    actor: Actor,
    *,
    action: str | None = None,
    actor_id: UUID | None = None,
    subject_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: Position | None = None,
    limit: int,
) -> Page[AuditEventView]:
    """The workspace's audit log, newest first: actions that begin with `action`, and `since` ≤ time < `until`."""
    query = select(audit_events).where(audit_events.c.workspace_id == actor.workspace_id)
    if action is not None:
        query = query.where(audit_events.c.action >= action, audit_events.c.action < action + _AFTER_ALL)
    if actor_id is not None:
        query = query.where(audit_events.c.actor_id == actor_id)
    if subject_id is not None:
        query = query.where(audit_events.c.subject_id == subject_id)
    if since is not None:
        query = query.where(audit_events.c.at >= since)
    if until is not None:
        query = query.where(audit_events.c.at < until)
    if after is not None:
        position = tuple_(after.time, after.id)
        query = query.where(tuple_(audit_events.c.at, audit_events.c.id) < position)
    rows = await tx.all(query.order_by(audit_events.c.at.desc(), audit_events.c.id.desc()).limit(limit + 1))
    return cut(rows, limit, lambda row: Position.at(row.at, row.id)).map(_audit_event_view)


async def list_users(tx: Transaction, *, after: Position | None = None, limit: int) -> Page[UserSummary]:
    """All users of this installation, newest first, for the operator."""
    rows = await tx.all(_newest_first(select(users), users.c.id, after, limit))
    return _page(rows, limit).map(
        lambda row: UserSummary(
            id=row.id,
            email=row.email,
            name=row.name,
            is_operator=row.is_operator,
            disabled_at=row.disabled_at,
            created_at=row.created_at,
        )
    )


async def list_workspaces(tx: Transaction, *, after: Position | None = None, limit: int) -> Page[WorkspaceView]:
    """All workspaces but the system's own, oldest first, for the operator. Needs a system transaction."""
    query = select(workspaces).where(workspaces.c.id != SYSTEM_WORKSPACE_ID).order_by(workspaces.c.id).limit(limit + 1)
    if after is not None:
        query = query.where(workspaces.c.id > after.id)
    return _page(await tx.all(query), limit).map(_workspace_view)


def user_view(account: Account) -> UserView:
    """What others may know of an account."""
    return UserView(id=account.id, email=account.email, name=account.name)


def profile_view(row: Row) -> ProfileView:
    """The profile in a row of users."""
    return ProfileView(
        id=row.id,
        email=row.email,
        name=row.name,
        appearance=Appearance(row.appearance),
        time_zone=row.time_zone,
    )


def _members(actor: Actor) -> Select[Any]:
    joined = memberships.join(users, users.c.id == memberships.c.user_id)
    columns = (memberships.c.role, memberships.c.created_at, users.c.id, users.c.email, users.c.name)
    return (
        select(*columns, users.c.disabled_at)
        .select_from(joined)
        .where(memberships.c.workspace_id == actor.workspace_id, memberships.c.leaving_at.is_(None))
    )


def _newest_first(query: Select[Any], key: ColumnElement[Any], after: Position | None, limit: int) -> Select[Any]:
    # The ids are UUIDv7, so their order is the order of creation.
    if after is not None:
        query = query.where(tuple_(key) < tuple_(after.id))
    return query.order_by(key.desc()).limit(limit + 1)


def _page(rows: Sequence[Row], limit: int) -> Page[Row]:
    return cut(rows, limit, lambda row: Position.at(str(row.id), row.id))


def _account(row: Row) -> Account:
    return Account(row.id, row.email, row.email_norm, row.name, row.password_hash, row.disabled_at is not None)


def _workspace_view(row: Row) -> WorkspaceView:
    return WorkspaceView(id=row.id, name=row.name, created_at=row.created_at, updated_at=row.updated_at)


def _session_view(row: Row, actor: Actor) -> SessionView:
    return SessionView(
        id=row.id,
        current=row.id == actor.session_id,
        ip=row.ip,
        user_agent=row.user_agent,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )


def _own_session_view(row: Row, actor: Actor) -> OwnSessionView:
    return OwnSessionView(
        **dict(_session_view(row, actor)),
        kind=SessionKind(row.kind),
        workspace_id=row.workspace_id,
        workspace_name=row.workspace_name,
    )


def _member_view(row: Row) -> MemberView:
    return MemberView(
        id=row.id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        disabled=row.disabled_at is not None,
        created_at=row.created_at,
    )


def _api_key_view(row: Row) -> ApiKeyView:
    return ApiKeyView(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        scopes=row.scopes,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )


def _audit_event_view(row: Row) -> AuditEventView:
    return AuditEventView(
        id=row.id,
        at=row.at,
        actor=AuditActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        action=row.action,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        data=row.data,
        request_id=row.request_id,
    )
