"""SQL that writes sessions, their tokens, and the count of failed logins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.identity.contracts import MembershipView
from leadflood.domains.identity.models import LOGIN_WINDOW_SECONDS, EndReason, SessionKind
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Count an attempt to sign in for a subject, unless its limit is reached.
# A row has the failures of its window and the running attempts. The window is fixed and always ends.
RESERVE = sql("""
INSERT INTO login_failures AS f (subject_hash, failures) VALUES (:subject, 1)
ON CONFLICT (subject_hash) DO UPDATE
SET failures = CASE WHEN f.window_started_at <= now() - make_interval(secs => :window) THEN 1 ELSE f.failures + 1 END,
    window_started_at = CASE WHEN f.window_started_at <= now() - make_interval(secs => :window) THEN now()
                             ELSE f.window_started_at END
WHERE f.failures < :allowed OR f.window_started_at <= now() - make_interval(secs => :window)
""")

# The seconds until a subject may try again.
WAIT = sql("""
SELECT greatest(1, ceil(extract(epoch FROM window_started_at - now()) + :window::float8))::integer
FROM login_failures WHERE subject_hash = :subject
""")

# Return an attempt that succeeded.
# Locked in the order in which `reserve` locks them, so that the two cannot deadlock.
RELEASE = sql("""
WITH locked AS (
    SELECT subject_hash FROM login_failures WHERE subject_hash = ANY (:subjects) ORDER BY subject_hash FOR UPDATE
)
UPDATE login_failures f SET failures = greatest(f.failures - 1, 0)
FROM locked WHERE f.subject_hash = locked.subject_hash
""")

# Delete the failures of a subject.
CLEAR_FAILURES = sql("DELETE FROM login_failures WHERE subject_hash = :subject")

# Lock an enabled user with the verified password, and the membership.
# Locked: neither a change of password nor a removal can commit between this check and the new session, and a user's
# sessions start one at a time, which `end_oldest` relies on.
MAY_SIGN_IN = sql("""
SELECT true FROM users u JOIN memberships m ON m.user_id = u.id
WHERE u.id = :user_id AND m.workspace_id = :workspace_id AND u.password_hash = :password_hash AND u.disabled_at IS NULL
  AND m.leaving_at IS NULL
FOR NO KEY UPDATE OF u FOR SHARE OF m
""")

# Start a session, which ends no later than the one that it continues.
INSERT_SESSION = sql("""
INSERT INTO sessions (workspace_id, id, user_id, kind, ip, user_agent, expires_at, ends_at)
SELECT :workspace_id, :id, :user_id, :kind, :ip, :user_agent,
       least(now() + make_interval(secs => :seconds), latest.ends_at), latest.ends_at
FROM (SELECT coalesce((SELECT ends_at FROM sessions WHERE workspace_id = :continued_in AND id = :continues),
                      now() + make_interval(secs => :lifetime)) AS ends_at) AS latest
""")

# End a user's oldest sessions beyond a number.
END_OLDEST = sql("""
UPDATE sessions SET ended_at = now(), end_reason = :reason
WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM sessions
    WHERE user_id = :user_id AND id <> :id AND ended_at IS NULL AND expires_at > now()
    ORDER BY created_at DESC, id DESC OFFSET :others)
RETURNING workspace_id, id
""")

# Store an access and a refresh token of a session, and return the lifetime of each in seconds.
INSERT_TOKENS = sql("""
WITH stored AS (
    INSERT INTO session_tokens (workspace_id, token_hash, session_id, kind, expires_at)
    SELECT s.workspace_id, t.token_hash, s.id, t.kind, least(now() + make_interval(secs => t.seconds), s.ends_at)
    FROM sessions s, (VALUES (:access_hash, 'access', :access_seconds),
                             (:refresh_hash::bytea, 'refresh', :refresh_seconds::float8)
                     ) AS t (token_hash, kind, seconds)
    WHERE s.workspace_id = :workspace_id AND s.id = :session_id
    RETURNING kind, floor(extract(epoch FROM expires_at - now()))::integer AS seconds
)
SELECT max(seconds) FILTER (WHERE kind = 'access') AS access_seconds,
       max(seconds) FILTER (WHERE kind = 'refresh') AS refresh_seconds
FROM stored
""")

# Store the token of a browser's session.
INSERT_WEB_TOKEN = sql("""
INSERT INTO session_tokens (workspace_id, token_hash, session_id, kind, expires_at)
SELECT workspace_id, :token_hash, id, 'web', expires_at FROM sessions
WHERE workspace_id = :workspace_id AND id = :session_id
""")

# Lock an enabled user and the membership in a workspace.
# The user's row before any session: the order in which a change of password locks them, so that neither a change nor a
# removal can commit between this check and the new session.
LOCK_MEMBERSHIP = sql("""
SELECT w.id, w.name, m.role
FROM users u JOIN memberships m ON m.user_id = u.id JOIN workspaces w ON w.id = m.workspace_id
WHERE u.id = :user_id AND m.workspace_id = :workspace_id AND u.disabled_at IS NULL AND m.leaving_at IS NULL
FOR NO KEY UPDATE OF u FOR SHARE OF m
""")

# Lock the active session of a refresh token.
# The lock on the session serializes its refreshes.
LOCK_REFRESHED = sql("""
SELECT s.workspace_id, s.id, s.user_id
FROM session_tokens t
JOIN sessions s ON s.workspace_id = t.workspace_id AND s.id = t.session_id
JOIN users u ON u.id = s.user_id
WHERE t.token_hash = :token_hash AND t.kind = 'refresh' AND t.expires_at > now()
  AND s.ended_at IS NULL AND u.disabled_at IS NULL
FOR UPDATE OF s
""")

# Mark a refresh token as used.
USE_TOKEN = sql("""
UPDATE session_tokens SET used_at = now()
WHERE workspace_id = :workspace_id AND token_hash = :token_hash AND kind = 'refresh' AND used_at IS NULL
""")

# Extend a session.
EXTEND = sql("""
UPDATE sessions SET last_used_at = now(), expires_at = least(now() + make_interval(secs => :seconds), ends_at)
WHERE workspace_id = :workspace_id AND id = :id AND ended_at IS NULL
""")

# End an active session.
END_SESSION = sql("""
UPDATE sessions SET ended_at = now(), end_reason = :reason
WHERE workspace_id = :workspace_id AND id = :id AND ended_at IS NULL AND expires_at > now()
  AND (:user_id::uuid IS NULL OR user_id = :user_id)
""")

# End a user's active sessions except one.
END_SESSIONS = sql("""
UPDATE sessions SET ended_at = now(), end_reason = :reason
WHERE user_id = :user_id AND ended_at IS NULL AND id IS DISTINCT FROM :kept
""")

# Record that a session is in use, at most once a minute.
# A browser session slides: from its latest use on it again has its full idle lifetime, and so does its token,
# up to the session's latest end.
TOUCH_SESSION = sql("""
WITH touched AS (
    UPDATE sessions
    SET last_used_at = now(),
        expires_at = CASE kind WHEN 'browser' THEN least(now() + (expires_at - last_used_at), ends_at)
                               ELSE expires_at END
    WHERE workspace_id = :workspace_id AND id = :id AND last_used_at < now() - interval '1 minute'
      AND ended_at IS NULL AND expires_at > now()
    RETURNING workspace_id, id, kind, expires_at
)
UPDATE session_tokens t SET expires_at = touched.expires_at FROM touched
WHERE touched.kind = 'browser' AND t.workspace_id = touched.workspace_id AND t.session_id = touched.id
""")

# Record that an API key is in use, at most once a minute.
TOUCH_API_KEY = sql("""
UPDATE api_keys SET last_used_at = now()
WHERE workspace_id = :workspace_id AND id = :id
  AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
""")

# Delete expired failures.
PURGE_FAILURES = sql("""
DELETE FROM login_failures WHERE window_started_at < now() - make_interval(secs => :window)
""")

# Delete expired tokens.
# A used refresh token is kept until it would have expired: reusing it indicates theft.
PURGE_TOKENS = sql("""
DELETE FROM session_tokens WHERE (workspace_id, token_hash) IN (
    SELECT workspace_id, token_hash FROM session_tokens WHERE expires_at < now() - interval '1 day' LIMIT :limit)
""")

# Delete sessions that ended long ago.
PURGE_SESSIONS = sql("""
DELETE FROM sessions WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM sessions
    WHERE expires_at < now() - interval '30 days' OR ended_at < now() - interval '30 days' LIMIT :limit)
""")


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A session and its user."""

    workspace_id: UUID
    id: UUID
    user_id: UUID


async def reserve(tx: Transaction, allowed: Mapping[bytes, int]) -> int | None:
    """Count one attempt for each subject, or return the seconds to wait if one has reached its limit in `allowed`.

    In the second case the caller must roll back.
    """
    for subject in sorted(allowed):
        counted = {"subject": subject, "window": LOGIN_WINDOW_SECONDS, "allowed": allowed[subject]}
        if await tx.changed(RESERVE, counted) == 0:
            return int(await tx.scalar(WAIT, {"subject": subject, "window": LOGIN_WINDOW_SECONDS}))
    return None


async def release(tx: Transaction, subjects: Sequence[bytes]) -> None:
    """Return the reserved attempt after a success."""
    await tx.execute(RELEASE, {"subjects": list(subjects)})


async def clear_failures(tx: Transaction, subject: bytes) -> None:
    """Reset the failures of the subject."""
    await tx.execute(CLEAR_FAILURES, {"subject": subject})


async def may_sign_in(tx: Transaction, *, user_id: UUID, workspace_id: UUID, password_hash: str) -> bool:
    """Whether the verified password is still the user's, who is still a member; locked for this transaction."""
    sought = {"user_id": user_id, "workspace_id": workspace_id, "password_hash": password_hash}
    return await tx.scalar(MAY_SIGN_IN, sought) is not None


async def insert_session(
    tx: Transaction,
    key: SessionKey,
    *,
    kind: SessionKind = SessionKind.API,
    ip: str | None,
    user_agent: str | None,
    seconds: int,
    lifetime: int,
    continues: SessionKey | None = None,
) -> None:
    """Start a session that lives `seconds` without use and at most `lifetime`, or until the one it continues would."""
    row = {"workspace_id": key.workspace_id, "id": key.id, "user_id": key.user_id, "kind": kind}
    life = {"seconds": seconds, "lifetime": lifetime}
    before = {
        "continued_in": continues.workspace_id if continues else None,
        "continues": continues.id if continues else None,
    }
    await tx.execute(INSERT_SESSION, {**row, **life, **before, "ip": ip, "user_agent": user_agent})


async def end_oldest(tx: Transaction, kept: SessionKey, limit: int) -> list[SessionKey]:
    """End the oldest sessions of a user beyond `limit`, of which `kept` is one. Requires a system transaction.

    The user must be locked, as by `may_sign_in`. Returns the ended ones.
    """
    sought = {"user_id": kept.user_id, "id": kept.id, "others": limit - 1, "reason": EndReason.TOO_MANY}
    return [SessionKey(row.workspace_id, row.id, kept.user_id) for row in await tx.all(END_OLDEST, sought)]


async def insert_tokens(
    tx: Transaction, key: SessionKey, *, access: tuple[bytes, int], refresh: tuple[bytes, int]
) -> tuple[int, int]:
    """Store the hashes of an access and a refresh token with their lifetimes in seconds. Returns the actual lifetimes.

    Those are shorter if the session ends earlier.
    """
    row = {"workspace_id": key.workspace_id, "session_id": key.id}
    access_part = {"access_hash": access[0], "access_seconds": access[1]}
    refresh_part = {"refresh_hash": refresh[0], "refresh_seconds": refresh[1]}
    (stored,) = await tx.all(INSERT_TOKENS, {**row, **access_part, **refresh_part})
    return stored.access_seconds, stored.refresh_seconds


async def insert_web_token(tx: Transaction, key: SessionKey, token_hash: bytes) -> None:
    """Store the hash of a browser's token, which lives as long as its session."""
    row = {"workspace_id": key.workspace_id, "session_id": key.id, "token_hash": token_hash}
    await tx.execute(INSERT_WEB_TOKEN, row)


async def lock_membership(tx: Transaction, user_id: UUID, workspace_id: UUID) -> MembershipView | None:
    """A workspace and the user's role in it, locked for this transaction; None if not a member."""
    row = await tx.first(LOCK_MEMBERSHIP, {"user_id": user_id, "workspace_id": workspace_id})
    return None if row is None else MembershipView(id=row.id, name=row.name, role=Role(row.role))


async def lock_refreshed(tx: Transaction, token_hash: bytes) -> SessionKey | None:
    """The active session of an unexpired refresh token, used or not, locked for this transaction."""
    row = await tx.first(LOCK_REFRESHED, {"token_hash": token_hash})
    return SessionKey(row.workspace_id, row.id, row.user_id) if row else None


async def use_refresh_token(tx: Transaction, workspace_id: UUID, token_hash: bytes) -> bool:
    """Mark a refresh token as used; False if it already was."""
    return await tx.changed(USE_TOKEN, {"workspace_id": workspace_id, "token_hash": token_hash}) == 1


async def extend(tx: Transaction, key: SessionKey, seconds: int) -> None:
    """Extend a session to `seconds` from now."""
    await tx.execute(EXTEND, {"workspace_id": key.workspace_id, "id": key.id, "seconds": seconds})


async def end_session(
    tx: Transaction, workspace_id: UUID, session_id: UUID, reason: EndReason, *, user_id: UUID | None = None
) -> bool:
    """End an active session (of this user, if given); False if there is none."""
    sought = {"workspace_id": workspace_id, "id": session_id, "user_id": user_id, "reason": reason}
    return await tx.changed(END_SESSION, sought) == 1


async def end_sessions(tx: Transaction, user_id: UUID, reason: EndReason, *, kept: UUID | None = None) -> int:
    """End all sessions of a user except one, in every workspace that the transaction sees. Returns the number."""
    return await tx.changed(END_SESSIONS, {"user_id": user_id, "reason": reason, "kept": kept})


async def touch(tx: Transaction, actor: Actor) -> None:
    """Record the use of the actor's session or key, at most once per minute."""
    statement = TOUCH_SESSION if actor.api_key_id is None else TOUCH_API_KEY
    await tx.execute(statement, {"workspace_id": actor.workspace_id, "id": actor.api_key_id or actor.session_id})


async def purge(tx: Transaction, limit: int) -> int:
    """Delete expired rows, at most `limit` tokens and sessions at a time. Requires a system transaction."""
    failures = await tx.changed(PURGE_FAILURES, {"window": LOGIN_WINDOW_SECONDS})
    tokens = await tx.changed(PURGE_TOKENS, {"limit": limit})
    return failures + tokens + await tx.changed(PURGE_SESSIONS, {"limit": limit})
