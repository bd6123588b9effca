"""SQL that writes identity. Every change of state names the state it expects."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, DateTime, Float, Integer, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from leadflood.domains.identity.models import LOGIN_WINDOW_SECONDS, EndReason
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.db.database import Transaction

# A row holds the failures of its window and the attempts under way. The window is fixed: it ends whatever happens.
RESERVE = text("""
INSERT INTO login_failures AS f (subject_hash, failures) VALUES (:subject, 1)
ON CONFLICT (subject_hash) DO UPDATE
SET failures = CASE WHEN f.window_started_at <= now() - make_interval(secs => :window) THEN 1 ELSE f.failures + 1 END,
    window_started_at = CASE WHEN f.window_started_at <= now() - make_interval(secs => :window) THEN now()
                             ELSE f.window_started_at END
WHERE f.failures < :allowed OR f.window_started_at <= now() - make_interval(secs => :window)
""").bindparams(bindparam("window", type_=Float), bindparam("allowed", type_=Integer))

WAIT = text("""
SELECT greatest(1, ceil(extract(epoch FROM window_started_at - now()) + :window))::integer
FROM login_failures WHERE subject_hash = :subject
""").bindparams(bindparam("window", type_=Float))

# Locked in the order in which `reserve` locks them, so that the two cannot deadlock.
RELEASE = text("""
WITH held AS (
    SELECT subject_hash FROM login_failures WHERE subject_hash IN (:account, :address) ORDER BY subject_hash FOR UPDATE
)
UPDATE login_failures f
SET failures = CASE WHEN f.subject_hash = :account THEN 0 ELSE greatest(f.failures - 1, 0) END
FROM held WHERE f.subject_hash = held.subject_hash
""").bindparams(bindparam("account", type_=LargeBinary), bindparam("address", type_=LargeBinary))

# FOR SHARE: neither a change of password nor a removal can commit between this check and the new session.
STILL_WELCOME = text("""
SELECT true FROM users u JOIN memberships m ON m.user_id = u.id
WHERE u.id = :user_id AND m.workspace_id = :workspace_id AND u.password_hash = :password_hash AND u.disabled_at IS NULL
FOR SHARE
""")

INSERT_SESSION = text("""
INSERT INTO sessions (workspace_id, id, user_id, ip, user_agent, expires_at)
VALUES (:workspace_id, :id, :user_id, :ip, :user_agent, now() + make_interval(secs => :seconds))
""").bindparams(bindparam("ip", type_=Text), bindparam("user_agent", type_=Text), bindparam("seconds", type_=Float))

INSERT_TOKENS = text("""
INSERT INTO session_tokens (workspace_id, token_hash, session_id, kind, expires_at)
VALUES (:workspace_id, :access_hash, :session_id, 'access', now() + make_interval(secs => :access_seconds)),
       (:workspace_id, :refresh_hash, :session_id, 'refresh', now() + make_interval(secs => :refresh_seconds))
""").bindparams(bindparam("access_seconds", type_=Float), bindparam("refresh_seconds", type_=Float))

# The lock on the session puts refreshes of one session in a row.
LOCK_REFRESHED = text("""
SELECT s.workspace_id, s.id, s.user_id
FROM session_tokens t
JOIN sessions s ON s.workspace_id = t.workspace_id AND s.id = t.session_id
JOIN users u ON u.id = s.user_id
WHERE t.token_hash = :token_hash AND t.kind = 'refresh' AND t.expires_at > now()
  AND s.ended_at IS NULL AND u.disabled_at IS NULL
FOR UPDATE OF s
""")

USE_TOKEN = text("""
UPDATE session_tokens SET used_at = now()
WHERE workspace_id = :workspace_id AND token_hash = :token_hash AND kind = 'refresh' AND used_at IS NULL
""")

PROLONG = text("""
UPDATE sessions SET last_used_at = now(), expires_at = now() + make_interval(secs => :seconds)
WHERE workspace_id = :workspace_id AND id = :id AND ended_at IS NULL
""").bindparams(bindparam("seconds", type_=Float))

END_SESSION = text("""
UPDATE sessions SET ended_at = now(), end_reason = :reason
WHERE workspace_id = :workspace_id AND id = :id AND ended_at IS NULL AND expires_at > now()
  AND (CAST(:user_id AS uuid) IS NULL OR user_id = :user_id)
""").bindparams(bindparam("user_id", type_=Uuid))

END_SESSIONS = text("""
UPDATE sessions SET ended_at = now(), end_reason = :reason
WHERE user_id = :user_id AND ended_at IS NULL AND id IS DISTINCT FROM :kept
""").bindparams(bindparam("kept", type_=Uuid))

TOUCH_SESSION = text("""
UPDATE sessions SET last_used_at = now()
WHERE workspace_id = :workspace_id AND id = :id AND last_used_at < now() - interval '1 minute'
""")

TOUCH_API_KEY = text("""
UPDATE api_keys SET last_used_at = now()
WHERE workspace_id = :workspace_id AND id = :id
  AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
""")

INSERT_USER = text("""
INSERT INTO users (id, email, email_norm, name, password_hash)
VALUES (:id, :email, :email_norm, :name, :password_hash)
ON CONFLICT (email_norm) DO NOTHING
""")

# `expected`: the hash that the new one replaces, or null to replace any.
SET_PASSWORD = text("""
UPDATE users SET password_hash = :password_hash, password_changed_at = now(), updated_at = now()
WHERE id = :id AND (CAST(:expected AS text) IS NULL OR password_hash = :expected)
""").bindparams(bindparam("expected", type_=Text))

SET_DISABLED = text("""
UPDATE users SET disabled_at = CASE WHEN :disabled THEN now() END, updated_at = now()
WHERE id = :id AND (disabled_at IS NOT NULL) <> :disabled
""").bindparams(bindparam("disabled", type_=Boolean))

INSERT_WORKSPACE = text("INSERT INTO workspaces (id, name) VALUES (:id, :name)")

RENAME_WORKSPACE = text("UPDATE workspaces SET name = :name, updated_at = now() WHERE id = :id AND name <> :name")

# NO KEY: members change one at a time, while leads and jobs, which refer to the workspace, go on being created.
LOCK_MEMBERS = text("SELECT true FROM workspaces WHERE id = :workspace_id FOR NO KEY UPDATE")

ROLE = text("SELECT role FROM memberships WHERE workspace_id = :workspace_id AND user_id = :user_id")

ROLE_SHARED = text("SELECT role FROM memberships WHERE workspace_id = :workspace_id AND user_id = :user_id FOR SHARE")

OTHER_OWNERS = text("""
SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.workspace_id = :workspace_id AND m.role = 'owner' AND m.user_id <> :user_id AND u.disabled_at IS NULL
""")

INSERT_MEMBER = text("""
INSERT INTO memberships (workspace_id, user_id, role) VALUES (:workspace_id, :user_id, :role)
ON CONFLICT (workspace_id, user_id) DO NOTHING
""")

CHANGE_ROLE = text("""
UPDATE memberships SET role = :role, updated_at = now()
WHERE workspace_id = :workspace_id AND user_id = :user_id AND role = :expected
""")

DELETE_MEMBER = text("""
DELETE FROM memberships WHERE workspace_id = :workspace_id AND user_id = :user_id AND role = :expected
""")

INSERT_API_KEY = text("""
INSERT INTO api_keys (workspace_id, id, name, prefix, token_hash, scopes, created_by, expires_at)
VALUES (:workspace_id, :id, :name, :prefix, :token_hash, :scopes, :created_by, :expires_at)
""").bindparams(bindparam("scopes", type_=ARRAY(Text)), bindparam("expires_at", type_=DateTime(timezone=True)))

REVOKE_API_KEY = text("""
UPDATE api_keys SET revoked_at = now() WHERE workspace_id = :workspace_id AND id = :id AND revoked_at IS NULL
""")

INSERT_AUDIT_EVENT = text("""
INSERT INTO audit_events (workspace_id, id, actor_kind, actor_id, action, subject_type, subject_id, data, request_id)
VALUES (:workspace_id, :id, :actor_kind, :actor_id, :action, :subject_type, :subject_id, CAST(:data AS jsonb),
        :request_id)
""").bindparams(
    bindparam("actor_id", type_=Uuid), bindparam("subject_id", type_=Uuid), bindparam("request_id", type_=Text)
)

FIRST_RUN_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_FIRST_RUN_KEY = 0x1EADF1257

PURGE_FAILURES = text("""
DELETE FROM login_failures WHERE window_started_at < now() - make_interval(secs => :window)
""").bindparams(bindparam("window", type_=Float))

# A used refresh token is kept until it would have expired: its re-use is a sign of theft.
PURGE_TOKENS = text("""
DELETE FROM session_tokens WHERE (workspace_id, token_hash) IN (
    SELECT workspace_id, token_hash FROM session_tokens WHERE expires_at < now() - interval '1 day' LIMIT :limit)
""").bindparams(bindparam("limit", type_=Integer))

PURGE_SESSIONS = text("""
DELETE FROM sessions WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM sessions
    WHERE expires_at < now() - interval '30 days' OR ended_at < now() - interval '30 days' LIMIT :limit)
""").bindparams(bindparam("limit", type_=Integer))


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A session and whose it is."""

    workspace_id: UUID
    id: UUID
    user_id: UUID


async def reserve(tx: Transaction, allowed: Mapping[bytes, int]) -> int | None:
    """Count one attempt against each subject, or return the seconds to wait where one has used up what is `allowed`.

    In the second case the caller must roll back.
    """
    for subject in sorted(allowed):
        counted = {"subject": subject, "window": LOGIN_WINDOW_SECONDS, "allowed": allowed[subject]}
        if await tx.changed(RESERVE, counted) == 0:
            return int(await tx.scalar(WAIT, {"subject": subject, "window": LOGIN_WINDOW_SECONDS}))
    return None


async def release(tx: Transaction, *, account: bytes, address: bytes) -> None:
    """After a success: clear the account's failures, and give the address back the attempt it reserved."""
    await tx.execute(RELEASE, {"account": account, "address": address})


async def still_welcome(tx: Transaction, *, user_id: UUID, workspace_id: UUID, password_hash: str) -> bool:
    """Whether the verified password is still the user's, who still is a member; it stays so in this transaction."""
    sought = {"user_id": user_id, "workspace_id": workspace_id, "password_hash": password_hash}
    return await tx.scalar(STILL_WELCOME, sought) is not None


async def insert_session(
    tx: Transaction, key: SessionKey, *, ip: str | None, user_agent: str | None, seconds: int
) -> None:
    """Start a session that lives `seconds` without a refresh."""
    row = {"workspace_id": key.workspace_id, "id": key.id, "user_id": key.user_id}
    await tx.execute(INSERT_SESSION, {**row, "ip": ip, "user_agent": user_agent, "seconds": seconds})


async def insert_tokens(
    tx: Transaction, key: SessionKey, *, access: tuple[bytes, int], refresh: tuple[bytes, int]
) -> None:
    """Store the hashes of an access and a refresh token, each with its life in seconds."""
    row = {"workspace_id": key.workspace_id, "session_id": key.id}
    access_part = {"access_hash": access[0], "access_seconds": access[1]}
    await tx.execute(INSERT_TOKENS, {**row, **access_part, "refresh_hash": refresh[0], "refresh_seconds": refresh[1]})


async def lock_refreshed(tx: Transaction, token_hash: bytes) -> SessionKey | None:
    """The live session of an unexpired refresh token, used or not, locked for this transaction."""
    row = await tx.first(LOCK_REFRESHED, {"token_hash": token_hash})
    return SessionKey(row.workspace_id, row.id, row.user_id) if row else None


async def use_refresh_token(tx: Transaction, workspace_id: UUID, token_hash: bytes) -> bool:
    """Use a refresh token up; False if it has been used before."""
    return await tx.changed(USE_TOKEN, {"workspace_id": workspace_id, "token_hash": token_hash}) == 1


async def prolong(tx: Transaction, key: SessionKey, seconds: int) -> None:
    """Let a session live `seconds` from now."""
    await tx.execute(PROLONG, {"workspace_id": key.workspace_id, "id": key.id, "seconds": seconds})


async def end_session(
    tx: Transaction, workspace_id: UUID, session_id: UUID, reason: EndReason, *, user_id: UUID | None = None
) -> bool:
    """End a live session (of this user, where given); False if there is none."""
    sought = {"workspace_id": workspace_id, "id": session_id, "user_id": user_id, "reason": reason}
    return await tx.changed(END_SESSION, sought) == 1


async def end_sessions(tx: Transaction, user_id: UUID, reason: EndReason, *, kept: UUID | None = None) -> int:
    """End all sessions of a user but one, in every workspace the transaction sees. Returns how many."""
    return await tx.changed(END_SESSIONS, {"user_id": user_id, "reason": reason, "kept": kept})


async def touch(tx: Transaction, actor: Actor) -> None:
    """Note that the actor's session or key is in use, unless that was noted within the last minute."""
    statement = TOUCH_SESSION if actor.api_key_id is None else TOUCH_API_KEY
    await tx.execute(statement, {"workspace_id": actor.workspace_id, "id": actor.api_key_id or actor.session_id})


async def insert_user(
    tx: Transaction, *, user_id: UUID, email: str, email_norm: str, name: str, password_hash: str
) -> bool:
    """Create a user; False if the address is taken."""
    row = {"id": user_id, "email": email, "email_norm": email_norm, "name": name, "password_hash": password_hash}
    return await tx.changed(INSERT_USER, row) == 1


async def set_password(tx: Transaction, user_id: UUID, password_hash: str, *, expected: str | None) -> bool:
    """Replace a password hash (the `expected` one, or any); False if it is not the expected one any more."""
    row = {"id": user_id, "password_hash": password_hash, "expected": expected}
    return await tx.changed(SET_PASSWORD, row) == 1


async def set_disabled(tx: Transaction, user_id: UUID, *, disabled: bool) -> bool:
    """Bar a user from signing in, or admit again; False if that is how it was."""
    return await tx.changed(SET_DISABLED, {"id": user_id, "disabled": disabled}) == 1


async def insert_workspace(tx: Transaction, workspace_id: UUID, name: str) -> None:
    """Create a workspace. Needs a system transaction."""
    await tx.execute(INSERT_WORKSPACE, {"id": workspace_id, "name": name})


async def rename_workspace(tx: Transaction, workspace_id: UUID, name: str) -> bool:
    """Rename; False if that is its name, or it is gone."""
    return await tx.changed(RENAME_WORKSPACE, {"id": workspace_id, "name": name}) == 1


async def lock_members(tx: Transaction, workspace_id: UUID) -> None:
    """Let no other transaction change the members of the workspace until this one has ended."""
    await tx.execute(LOCK_MEMBERS, {"workspace_id": workspace_id})


async def role_of(tx: Transaction, workspace_id: UUID, user_id: UUID, *, hold: bool = False) -> Role | None:
    """The user's role now, None if not a member. `hold`: it stays until this transaction has ended."""
    role = await tx.scalar(ROLE_SHARED if hold else ROLE, {"workspace_id": workspace_id, "user_id": user_id})
    return None if role is None else Role(role)


async def has_other_owner(tx: Transaction, workspace_id: UUID, user_id: UUID) -> bool:
    """Whether somebody else is an owner and can sign in."""
    return bool(await tx.scalar(OTHER_OWNERS, {"workspace_id": workspace_id, "user_id": user_id}))


async def insert_member(tx: Transaction, workspace_id: UUID, user_id: UUID, role: Role) -> bool:
    """Make a user a member; False if it is one already."""
    return await tx.changed(INSERT_MEMBER, {"workspace_id": workspace_id, "user_id": user_id, "role": role}) == 1


async def change_role(tx: Transaction, workspace_id: UUID, user_id: UUID, *, expected: Role, role: Role) -> bool:
    """Change a role from the expected one."""
    row = {"workspace_id": workspace_id, "user_id": user_id, "expected": expected, "role": role}
    return await tx.changed(CHANGE_ROLE, row) == 1


async def delete_member(tx: Transaction, workspace_id: UUID, user_id: UUID, *, expected: Role) -> bool:
    """Remove a member, and by cascade its sessions and API keys."""
    row = {"workspace_id": workspace_id, "user_id": user_id, "expected": expected}
    return await tx.changed(DELETE_MEMBER, row) == 1


async def insert_api_key(  # noqa: PLR0913  a column each
    tx: Transaction,
    workspace_id: UUID,
    *,
    key_id: UUID,
    name: str,
    prefix: str,
    token_hash: bytes,
    scopes: Sequence[str],
    created_by: UUID,
    expires_at: datetime | None,
) -> None:
    """Store an API key by its hash."""
    row = {"workspace_id": workspace_id, "id": key_id, "name": name, "prefix": prefix, "token_hash": token_hash}
    await tx.execute(
        INSERT_API_KEY, {**row, "scopes": list(scopes), "created_by": created_by, "expires_at": expires_at}
    )


async def revoke_api_key(tx: Transaction, workspace_id: UUID, key_id: UUID) -> bool:
    """Revoke a key; False if there is none or it is revoked already."""
    return await tx.changed(REVOKE_API_KEY, {"workspace_id": workspace_id, "id": key_id}) == 1


async def insert_audit_event(tx: Transaction, actor: Actor, event: Mapping[str, Any]) -> None:
    """Append to the audit log. `event`: id, action, subject_type, subject_id, data, request_id."""
    who = {"workspace_id": actor.workspace_id, "actor_kind": actor.kind, "actor_id": actor.id}
    await tx.execute(INSERT_AUDIT_EVENT, {**event, **who, "data": json.dumps(event["data"])})


async def lock_first_run(tx: Transaction) -> None:
    """Let no other process set up the installation until this transaction has ended."""
    await tx.execute(FIRST_RUN_LOCK, {"key": _FIRST_RUN_KEY})


async def purge(tx: Transaction, limit: int) -> int:
    """Delete what has lost its use, at most `limit` tokens and sessions at a time. Needs a system transaction."""
    failures = await tx.changed(PURGE_FAILURES, {"window": LOGIN_WINDOW_SECONDS})
    tokens = await tx.changed(PURGE_TOKENS, {"limit": limit})
    return failures + tokens + await tx.changed(PURGE_SESSIONS, {"limit": limit})
