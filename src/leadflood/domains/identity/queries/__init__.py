"""SQL that reads identity. Queries with an actor see only its workspace; the others are for sign-in and operators."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from leadflood.domains.identity.contracts import (
    ApiKeyView,
    AuditActorView,
    AuditEventView,
    MembershipView,
    MemberView,
    OwnSessionView,
    ProfileView,
    SessionView,
    UserView,
    WorkspaceView,
)
from leadflood.domains.identity.errors import ApiKeyNotFound, InvalidToken, MemberNotFound, WorkspaceNotFound
from leadflood.domains.identity.labels import ACTOR_NAMES
from leadflood.domains.identity.models import AUTOMATIC, Account, Appearance, SessionKind, chosen_time_zone
from leadflood.kernel.actor import Actor, ActorKind, Role
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut, page_by_id

# An account and its workspaces. One statement, so that unknown and known addresses cost the same.
ACCOUNT_BY_EMAIL = sql("""
SELECT u.id, u.email, u.email_norm, u.name, u.password_hash, u.disabled_at, m.workspace_id,
       w.name AS workspace_name, m.role
FROM users u
LEFT JOIN memberships m ON m.user_id = u.id AND m.leaving_at IS NULL
LEFT JOIN workspaces w ON w.id = m.workspace_id
WHERE u.email_norm = :email_norm
ORDER BY m.created_at, m.workspace_id
""")

# A user by id.
USER = sql("""
SELECT id, email, email_norm, name, password_hash, appearance, time_zone, time_zone_chosen, locale, disabled_at
FROM users WHERE id = :id
""")

# The time zone that a user chose.
TIME_ZONE = sql("SELECT time_zone FROM users WHERE id = :id")

# The id of the user with an address.
USER_ID = sql("SELECT id FROM users WHERE email_norm = :email_norm")

# The workspaces of a user, oldest membership first.
MEMBERSHIPS = sql("""
SELECT w.id, w.name, m.role FROM memberships m JOIN workspaces w ON w.id = m.workspace_id
WHERE m.user_id = :user_id AND m.leaving_at IS NULL
ORDER BY m.created_at, m.workspace_id
""")

# The longest-standing owner who can sign in.
FIRST_OWNER = sql("""
SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.workspace_id = :workspace_id AND m.role = 'owner' AND u.disabled_at IS NULL AND m.leaving_at IS NULL
ORDER BY m.created_at, m.user_id LIMIT 1
""")

# A workspace by id.
WORKSPACE = sql("SELECT id, name, created_at, updated_at FROM workspaces WHERE id = :id")

# A page of a user's active sessions in one workspace, newest first. UUIDv7 IDs are in the order of creation.
SESSIONS = sql("""
SELECT id, ip, user_agent, created_at, last_used_at, expires_at FROM sessions
WHERE workspace_id = :workspace_id AND user_id = :user_id AND ended_at IS NULL AND expires_at > now()
  AND (:after::uuid IS NULL OR id < :after)
ORDER BY id DESC LIMIT :limit
""")

# A page of a user's active sessions in all workspaces, newest first.
ALL_SESSIONS = sql("""
SELECT s.id, s.kind, s.ip, s.user_agent, s.created_at, s.last_used_at, s.expires_at, s.workspace_id,
       w.name AS workspace_name
FROM sessions s JOIN workspaces w ON w.id = s.workspace_id
WHERE s.user_id = :user_id AND s.ended_at IS NULL AND s.expires_at > now() AND (:after::uuid IS NULL OR s.id < :after)
ORDER BY s.id DESC LIMIT :limit
""")

# The workspace of a user's session.
SESSION_WORKSPACE = sql("SELECT workspace_id FROM sessions WHERE user_id = :user_id AND id = :id")

# Members of a workspace.
_MEMBERS = sql("""
SELECT m.role, m.created_at, u.id, u.email, u.name, u.disabled_at
FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.workspace_id = :workspace_id AND m.leaving_at IS NULL AND {condition}
""")

# A page of the members, by the age of their accounts.
MEMBERS = assemble(
    _MEMBERS, condition=sql("(:after::uuid IS NULL OR m.user_id > :after) ORDER BY m.user_id LIMIT :limit")
)

# A member by id.
MEMBER = assemble(_MEMBERS, condition=sql("m.user_id = :user_id"))

# The member with an address.
MEMBER_BY_EMAIL = assemble(_MEMBERS, condition=sql("u.email_norm = :email_norm"))

# Those of some users who are members.
MEMBERS_AMONG = sql("""
SELECT user_id FROM memberships WHERE workspace_id = :workspace_id AND user_id = ANY (:user_ids) AND leaving_at IS NULL
""")

# The members of a workspace, each with its address.
MEMBER_ADDRESSES = sql("""
SELECT m.user_id, u.email_norm FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.workspace_id = :workspace_id AND m.leaving_at IS NULL
""")

# The names of members, including leaving ones, and of API keys.
MEMBER_NAMES = sql("""
SELECT u.id, u.name FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.workspace_id = :workspace_id AND m.user_id = ANY (:ids)
UNION ALL
SELECT k.id, k.name FROM api_keys k WHERE k.workspace_id = :workspace_id AND k.id = ANY (:ids)
""")

# API keys of a workspace.
_API_KEYS = sql("""
SELECT id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, revoked_at FROM api_keys
WHERE workspace_id = :workspace_id AND {condition}
""")

# A page of the API keys, newest first.
API_KEYS = assemble(_API_KEYS, condition=sql("(:after::uuid IS NULL OR id < :after) ORDER BY id DESC LIMIT :limit"))

# An API key by id.
API_KEY = assemble(_API_KEYS, condition=sql("id = :id"))

# A page of the audit log, newest first. In collation "C", texts with a prefix sort before the prefix followed by
# the last character.
AUDIT_EVENTS = sql("""
SELECT id, at, actor_kind, actor_id, action, subject_type, subject_id, data, request_id FROM audit_events
WHERE workspace_id = :workspace_id
  AND (:action::text IS NULL OR (action >= :action AND action < :action || U&'\\+10FFFF'))
  AND (:actor_id::uuid IS NULL OR actor_id = :actor_id)
  AND (:subject_id::uuid IS NULL OR subject_id = :subject_id)
  AND (:since::timestamptz IS NULL OR at >= :since)
  AND (:until::timestamptz IS NULL OR at < :until)
  AND (:after_id::uuid IS NULL OR (at, id) < (:after_at::timestamptz, :after_id))
ORDER BY at DESC, id DESC LIMIT :limit
""")


async def account_by_email(tx: Transaction, email_norm: str) -> tuple[Account | None, list[MembershipView]]:
    """The user and all workspaces, oldest membership first. Requires a system transaction."""
    rows = await tx.all(ACCOUNT_BY_EMAIL, {"email_norm": email_norm})
    if not rows:
        return None, []
    joined = [
        MembershipView(id=row.workspace_id, name=row.workspace_name, role=Role(row.role))
        for row in rows
        if row.workspace_id is not None
    ]
    return _account(rows[0]), joined


async def account(tx: Transaction, user_id: UUID) -> Account:
    """Raises: Unauthenticated: the user is gone."""
    return _account(await _user(tx, user_id))


async def profile(tx: Transaction, user_id: UUID) -> ProfileView:
    """Raises: Unauthenticated: the user is gone."""
    row = await _user(tx, user_id)
    return ProfileView(
        id=row.id,
        email=row.email,
        name=row.name,
        appearance=Appearance(row.appearance),
        time_zone=chosen_time_zone(row.time_zone, chosen=row.time_zone_chosen),
        locale=row.locale,
    )


async def user_id_of(tx: Transaction, email_norm: str) -> UUID | None:
    """The user with this email, in any workspace."""
    user_id: UUID | None = await tx.scalar(USER_ID, {"email_norm": email_norm})
    return user_id


async def memberships_of(tx: Transaction, user_id: UUID) -> list[MembershipView]:
    """All workspaces of a user, oldest membership first. Requires a system transaction."""
    rows = await tx.all(MEMBERSHIPS, {"user_id": user_id})
    return [MembershipView(id=row.id, name=row.name, role=Role(row.role)) for row in rows]


async def first_owner(tx: Transaction, workspace_id: UUID) -> UUID | None:
    """The longest-standing owner who can sign in."""
    user_id: UUID | None = await tx.scalar(FIRST_OWNER, {"workspace_id": workspace_id})
    return user_id


async def get_workspace(tx: Transaction, actor: Actor) -> WorkspaceView:
    """The caller's workspace. Raises: WorkspaceNotFound."""
    row = await tx.first(WORKSPACE, {"id": actor.workspace_id})
    if row is None:
        raise WorkspaceNotFound
    return WorkspaceView(**row)


async def list_sessions(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[SessionView]:
    """The caller's active sessions in this workspace, newest first."""
    sought = {"workspace_id": actor.workspace_id, "user_id": actor.user_id}
    page = await page_by_id(tx, SESSIONS, sought, after=after, limit=limit)
    return page.map(lambda row: _session_view(row, actor))


async def list_all_sessions(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[OwnSessionView]:
    """The caller's active sessions in all workspaces, newest first. Requires a system transaction."""
    page = await page_by_id(tx, ALL_SESSIONS, {"user_id": actor.user_id}, after=after, limit=limit)
    return page.map(lambda row: _own_session_view(row, actor))


async def workspace_of_session(tx: Transaction, user_id: UUID, session_id: UUID) -> UUID | None:
    """The workspace of this user's session. Requires a system transaction."""
    workspace_id: UUID | None = await tx.scalar(SESSION_WORKSPACE, {"user_id": user_id, "id": session_id})
    return workspace_id


async def list_members(tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int) -> Page[MemberView]:
    """The members of the workspace, ordered by when their accounts were created."""
    page = await page_by_id(tx, MEMBERS, {"workspace_id": actor.workspace_id}, after=after, limit=limit)
    return page.map(_member_view)


async def is_member(tx: Transaction, actor: Actor, *, email_norm: str) -> bool:
    """Whether a member of the workspace has this address."""
    return await tx.first(MEMBER_BY_EMAIL, {"workspace_id": actor.workspace_id, "email_norm": email_norm}) is not None


async def members_among(tx: Transaction, workspace_id: UUID, user_ids: Collection[UUID]) -> set[UUID]:
    """Those of the users who are members of the workspace."""
    rows = await tx.all(MEMBERS_AMONG, {"workspace_id": workspace_id, "user_ids": list(user_ids)})
    return {row.user_id for row in rows}


async def members_by_name(tx: Transaction, workspace_id: UUID) -> dict[str, UUID]:
    """The members of a workspace, by ID and by email, both in lower case."""
    rows = await tx.all(MEMBER_ADDRESSES, {"workspace_id": workspace_id})
    return {name: row.user_id for row in rows for name in (str(row.user_id), row.email_norm)}


async def member_addresses(tx: Transaction, workspace_id: UUID) -> dict[str, str]:
    """The emails of the members of a workspace by ID."""
    rows = await tx.all(MEMBER_ADDRESSES, {"workspace_id": workspace_id})
    return {str(row.user_id): row.email_norm for row in rows}


async def get_member(tx: Transaction, actor: Actor, *, user_id: UUID) -> MemberView:
    """Raises: MemberNotFound."""
    row = await tx.first(MEMBER, {"workspace_id": actor.workspace_id, "user_id": user_id})
    if row is None:
        raise MemberNotFound
    return _member_view(row)


async def time_zone_of(tx: Transaction, actor: Actor) -> str:
    """The IANA time zone of the actor's profile; UTC without one."""
    if actor.user_id is None:
        return "UTC"
    chosen: str | None = await tx.scalar(TIME_ZONE, {"id": actor.user_id})
    return "UTC" if chosen in (None, AUTOMATIC) else str(chosen)


async def actor_names(tx: Transaction, actor: Actor, ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of members, API keys and automations of the workspace by ID, for the existing ones of `ids`."""
    names: dict[UUID, str] = {}
    for statement in (MEMBER_NAMES, *ACTOR_NAMES):
        missing = set(ids) - names.keys()
        if missing:
            rows = await tx.all(statement, {"workspace_id": actor.workspace_id, "ids": list(missing)})
            names |= {row.id: row.name for row in rows}
    return names


async def list_api_keys(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[ApiKeyView]:
    """All keys of the workspace, newest first, including revoked and expired ones."""
    page = await page_by_id(tx, API_KEYS, {"workspace_id": actor.workspace_id}, after=after, limit=limit)
    return page.map(lambda row: ApiKeyView(**row))


async def get_api_key(tx: Transaction, actor: Actor, *, key_id: UUID) -> ApiKeyView:
    """Raises: ApiKeyNotFound."""
    row = await tx.first(API_KEY, {"workspace_id": actor.workspace_id, "id": key_id})
    if row is None:
        raise ApiKeyNotFound
    return ApiKeyView(**row)


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
    what = {"workspace_id": actor.workspace_id, "action": action, "actor_id": actor_id, "subject_id": subject_id}
    where = {"since": since, "until": until, "after_at": after.time if after else None}
    rows = await tx.all(AUDIT_EVENTS, {**what, **where, "after_id": after.id if after else None, "limit": limit + 1})
    return cut(rows, limit, lambda row: Position.at(row.at, row.id)).map(_audit_event_view)


def user_view(account: Account) -> UserView:
    """The public data of an account."""
    return UserView(id=account.id, email=account.email, name=account.name)


async def _user(tx: Transaction, user_id: UUID) -> Row:
    row = await tx.first(USER, {"id": user_id})
    if row is None:
        raise InvalidToken
    return row


def _account(row: Row) -> Account:
    return Account(row.id, row.email, row.email_norm, row.name, row.password_hash, row.disabled_at is not None)


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
