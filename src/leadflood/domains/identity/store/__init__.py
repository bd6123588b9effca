"""SQL that writes identity: users, workspaces, members, keys and the audit log; sessions are in `sessions`.

Every state change names the expected state.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from leadflood.domains.identity.errors import InvalidToken
from leadflood.domains.identity.models import Appearance
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Create a user, unless the address is taken.
INSERT_USER = sql("""
INSERT INTO users (id, email, email_norm, name, password_hash)
VALUES (:id, :email, :email_norm, :name, :password_hash)
ON CONFLICT (email_norm) DO NOTHING
""")

# Replace a user's password hash.
# `expected`: the hash that the new one replaces, or null to replace any.
SET_PASSWORD = sql("""
UPDATE users SET password_hash = :password_hash, password_changed_at = now(), updated_at = now()
WHERE id = :id AND (:expected::text IS NULL OR password_hash = :expected)
""")

# Update the given fields of a user's profile.
SET_PROFILE = sql("""
UPDATE users SET name = coalesce(:name, name), appearance = coalesce(:appearance, appearance),
    time_zone = coalesce(nullif(:time_zone, 'auto'), CASE :time_zone::text WHEN 'auto' THEN 'UTC' END, time_zone),
    time_zone_chosen = coalesce(:time_zone <> 'auto', time_zone_chosen), locale = coalesce(:locale, locale),
    updated_at = now()
WHERE id = :id
""")

# Replace the email of a user whose password is the verified one.
SET_EMAIL = sql("""
UPDATE users SET email = :email, email_norm = :email_norm, updated_at = now()
WHERE id = :id AND password_hash = :password_hash
""")

# Lock an enabled user whose password is the verified one.
LOCK_ACCOUNT = sql("""
SELECT true FROM users WHERE id = :id AND password_hash = :password_hash AND disabled_at IS NULL FOR SHARE
""")

# Disable or enable a user.
SET_DISABLED = sql("""
UPDATE users SET disabled_at = CASE WHEN :disabled THEN now() END, updated_at = now()
WHERE id = :id AND (disabled_at IS NOT NULL) <> :disabled
""")

# Make a user an instance operator or an ordinary user.
SET_OPERATOR = sql("""
UPDATE users SET is_operator = :is_operator, updated_at = now() WHERE id = :id AND is_operator <> :is_operator
""")

# Record that a user's password is the public one.
NOTE_PUBLIC_PASSWORD = sql("""
UPDATE users SET public_password_hash = password_hash WHERE id = :id AND password_hash = :password_hash
""")

# Revoke all API keys that a user created.
REVOKE_KEYS_OF = sql("""
UPDATE api_keys SET revoked_at = now() WHERE created_by = :user_id AND revoked_at IS NULL RETURNING workspace_id, id
""")

# Lock the instance operators.
# Revocations happen one at a time, on operators read after this lock.
LOCK_OPERATORS = sql("SELECT id FROM users WHERE is_operator ORDER BY id FOR UPDATE")

# Create a workspace.
INSERT_WORKSPACE = sql("INSERT INTO workspaces (id, name) VALUES (:id, :name)")

# Rename a workspace.
RENAME_WORKSPACE = sql("UPDATE workspaces SET name = :name, updated_at = now() WHERE id = :id AND name <> :name")

# Lock the members of a workspace.
# NO KEY: members change one at a time, while leads and jobs, which reference the workspace, can still be created.
LOCK_MEMBERS = sql("SELECT true FROM workspaces WHERE id = :workspace_id FOR NO KEY UPDATE")

# The role of a member.
ROLE = sql("""
SELECT role FROM memberships WHERE workspace_id = :workspace_id AND user_id = :user_id AND leaving_at IS NULL
""")

# The role of a member, locked against changes.
ROLE_SHARED = sql("""
SELECT role FROM memberships WHERE workspace_id = :workspace_id AND user_id = :user_id AND leaving_at IS NULL FOR SHARE
""")

# The number of other owners who can sign in.
OTHER_OWNERS = sql("""
SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.workspace_id = :workspace_id AND m.role = 'owner' AND m.user_id <> :user_id AND u.disabled_at IS NULL
  AND m.leaving_at IS NULL
""")

# Add a member, or keep one who is leaving.
INSERT_MEMBER = sql("""
INSERT INTO memberships AS m (workspace_id, user_id, role) VALUES (:workspace_id, :user_id, :role)
ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = excluded.role, leaving_at = NULL, updated_at = now()
WHERE m.leaving_at IS NOT NULL
""")

# Change the role of a member.
CHANGE_ROLE = sql("""
UPDATE memberships SET role = :role, updated_at = now()
WHERE workspace_id = :workspace_id AND user_id = :user_id AND role = :expected
""")

# Remove a member, with sessions and API keys by cascade.
DELETE_MEMBER = sql("""
DELETE FROM memberships WHERE workspace_id = :workspace_id AND user_id = :user_id AND role = :expected
""")

# Mark a member as leaving.
START_REMOVAL = sql("""
UPDATE memberships SET leaving_at = now(), updated_at = now()
WHERE workspace_id = :workspace_id AND user_id = :user_id AND role = :expected AND leaving_at IS NULL
""")

# Delete the sessions of a member.
DELETE_SESSIONS = sql("DELETE FROM sessions WHERE workspace_id = :workspace_id AND user_id = :user_id")

# Delete the API keys that a member created.
DELETE_API_KEYS = sql("DELETE FROM api_keys WHERE workspace_id = :workspace_id AND created_by = :user_id")

# Remove a member who is leaving.
FINISH_REMOVAL = sql("""
DELETE FROM memberships WHERE workspace_id = :workspace_id AND user_id = :user_id AND leaving_at IS NOT NULL
""")

# Store a new API key.
INSERT_API_KEY = sql("""
INSERT INTO api_keys (workspace_id, id, name, prefix, token_hash, scopes, created_by, expires_at, parent_id)
VALUES (:workspace_id, :id, :name, :prefix, :token_hash, :scopes, :created_by, :expires_at, :parent_id)
""")

# Lock a user's sessions and API keys.
LOCK_USER = sql("SELECT true FROM users WHERE id = :id FOR NO KEY UPDATE")

# The number of active API keys of a user, in all workspaces.
ACTIVE_KEYS = sql("SELECT count_active_api_keys(:user_id)")

# Lock an active API key.
LOCK_API_KEY = sql("""
SELECT expires_at FROM api_keys
WHERE workspace_id = :workspace_id AND id = :id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
FOR SHARE
""")

# Revoke the API keys that revoked keys created.
REVOKE_CHILDREN = sql("""
UPDATE api_keys k SET revoked_at = now() FROM api_keys parent
WHERE k.workspace_id = :workspace_id AND k.revoked_at IS NULL AND parent.workspace_id = k.workspace_id
  AND parent.id = k.parent_id AND parent.revoked_at IS NOT NULL
RETURNING k.id
""")

# Revoke an API key.
REVOKE_API_KEY = sql("""
UPDATE api_keys SET revoked_at = now() WHERE workspace_id = :workspace_id AND id = :id AND revoked_at IS NULL
""")

# Append an event to the audit log.
INSERT_AUDIT_EVENT = sql("""
INSERT INTO audit_events (workspace_id, id, actor_kind, actor_id, action, subject_type, subject_id, data, request_id)
VALUES (:workspace_id, :id, :actor_kind, :actor_id, :action, :subject_type, :subject_id, :data,
        :request_id)
""")

# Delete old events of the audit log, in all workspaces.
PURGE_AUDIT = sql("SELECT purge_audit_events(:days, :limit)")

# Lock the set-up of the installation.
FIRST_RUN_LOCK = sql("SELECT pg_advisory_xact_lock(:key)")
_FIRST_RUN_KEY = 0x1EADF1257


async def insert_user(
    tx: Transaction, *, user_id: UUID, email: str, email_norm: str, name: str, password_hash: str
) -> bool:
    """Create a user; False if the address is taken."""
    row = {"id": user_id, "email": email, "email_norm": email_norm, "name": name, "password_hash": password_hash}
    return await tx.changed(INSERT_USER, row) == 1


async def set_password(tx: Transaction, user_id: UUID, password_hash: str, *, expected: str | None) -> bool:
    """Replace a password hash (the `expected` one, or any); False if it is no longer the expected one."""
    row = {"id": user_id, "password_hash": password_hash, "expected": expected}
    return await tx.changed(SET_PASSWORD, row) == 1


async def set_profile(
    tx: Transaction,
    user_id: UUID,
    *,
    name: str | None = None,
    appearance: Appearance | None = None,
    time_zone: str | None = None,
    locale: str | None = None,
) -> None:
    """Update the given fields of a user's profile."""
    given = {"name": name, "appearance": appearance, "time_zone": time_zone, "locale": locale}
    await tx.execute(SET_PROFILE, {"id": user_id, **given})


async def set_email(tx: Transaction, user_id: UUID, *, email: str, email_norm: str, password_hash: str) -> bool:
    """Replace the email of a user whose password is still the verified one; False otherwise.

    Raises: IntegrityError: another user has the email.
    """
    row = {"id": user_id, "email": email, "email_norm": email_norm, "password_hash": password_hash}
    return await tx.changed(SET_EMAIL, row) == 1


async def lock_account(tx: Transaction, user_id: UUID, password_hash: str) -> bool:
    """Whether the verified password is still the user's, who can sign in; locked for this transaction."""
    return await tx.scalar(LOCK_ACCOUNT, {"id": user_id, "password_hash": password_hash}) is not None


async def set_disabled(tx: Transaction, user_id: UUID, *, disabled: bool) -> bool:
    """Disable or enable a user; False if that is already the state."""
    return await tx.changed(SET_DISABLED, {"id": user_id, "disabled": disabled}) == 1


async def set_operator(tx: Transaction, user_id: UUID, *, is_operator: bool) -> bool:
    """Make a user an instance operator or an ordinary user; False if that is already the state."""
    return await tx.changed(SET_OPERATOR, {"id": user_id, "is_operator": is_operator}) == 1


async def note_public_password(tx: Transaction, user_id: UUID, password_hash: str) -> None:
    """Record that this hash, if it is still the user's, is of the public password."""
    await tx.execute(NOTE_PUBLIC_PASSWORD, {"id": user_id, "password_hash": password_hash})


async def revoke_keys_of(tx: Transaction, user_id: UUID) -> list[tuple[UUID, UUID]]:
    """Revoke all API keys that a user created. Returns workspace and ID of each. Requires a system transaction."""
    return [(row.workspace_id, row.id) for row in await tx.all(REVOKE_KEYS_OF, {"user_id": user_id})]


async def lock_operators(tx: Transaction) -> None:
    """Lock the instance operators: no other transaction can revoke or disable one until this one ends."""
    await tx.execute(LOCK_OPERATORS)


async def insert_workspace(tx: Transaction, workspace_id: UUID, name: str) -> None:
    """Create a workspace. Requires a system transaction."""
    await tx.execute(INSERT_WORKSPACE, {"id": workspace_id, "name": name})


async def rename_workspace(tx: Transaction, workspace_id: UUID, name: str) -> bool:
    """Rename; False if that is already its name, or it is gone."""
    return await tx.changed(RENAME_WORKSPACE, {"id": workspace_id, "name": name}) == 1


async def lock_members(tx: Transaction, workspace_id: UUID) -> None:
    """Lock the members: no other transaction can change them until this one ends."""
    await tx.execute(LOCK_MEMBERS, {"workspace_id": workspace_id})


async def role_of(tx: Transaction, workspace_id: UUID, user_id: UUID, *, lock: bool = False) -> Role | None:
    """The user's current role, None if not a member. `hold`: locked until this transaction ends."""
    role = await tx.scalar(ROLE_SHARED if lock else ROLE, {"workspace_id": workspace_id, "user_id": user_id})
    return None if role is None else Role(role)


async def has_other_owner(tx: Transaction, workspace_id: UUID, user_id: UUID) -> bool:
    """Whether another owner can sign in."""
    return bool(await tx.scalar(OTHER_OWNERS, {"workspace_id": workspace_id, "user_id": user_id}))


async def insert_member(tx: Transaction, workspace_id: UUID, user_id: UUID, role: Role) -> bool:
    """Make a user a member, also a leaving one; False if already a member."""
    return await tx.changed(INSERT_MEMBER, {"workspace_id": workspace_id, "user_id": user_id, "role": role}) == 1


async def change_role(tx: Transaction, workspace_id: UUID, user_id: UUID, *, expected: Role, role: Role) -> bool:
    """Change a role from the expected one."""
    row = {"workspace_id": workspace_id, "user_id": user_id, "expected": expected, "role": role}
    return await tx.changed(CHANGE_ROLE, row) == 1


async def delete_member(tx: Transaction, workspace_id: UUID, user_id: UUID, *, expected: Role) -> bool:
    """Remove a member, and by cascade its sessions and API keys."""
    row = {"workspace_id": workspace_id, "user_id": user_id, "expected": expected}
    return await tx.changed(DELETE_MEMBER, row) == 1


async def start_removal(tx: Transaction, workspace_id: UUID, user_id: UUID, *, expected: Role) -> bool:
    """Revoke all access of a member, whose row stays until `finish_removal`: other rows still reference it."""
    member = {"workspace_id": workspace_id, "user_id": user_id}
    if await tx.changed(START_REMOVAL, {**member, "expected": expected}) == 0:
        return False
    await tx.execute(DELETE_SESSIONS, member)
    await tx.execute(DELETE_API_KEYS, member)
    return True


async def finish_removal(tx: Transaction, workspace_id: UUID, user_id: UUID) -> bool:
    """Delete a leaving member; False if the user is a member again."""
    return await tx.changed(FINISH_REMOVAL, {"workspace_id": workspace_id, "user_id": user_id}) == 1


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
    parent_id: UUID | None,
) -> None:
    """Store an API key by its hash. `parent_id`: the key that created it."""
    row = {"workspace_id": workspace_id, "id": key_id, "name": name, "prefix": prefix, "token_hash": token_hash}
    origin = {"created_by": created_by, "parent_id": parent_id}
    await tx.execute(INSERT_API_KEY, {**row, **origin, "scopes": list(scopes), "expires_at": expires_at})


async def lock_user(tx: Transaction, user_id: UUID) -> None:
    """Lock the user's sessions and API keys: no other transaction can add any until this one ends."""
    await tx.execute(LOCK_USER, {"id": user_id})


async def count_active_keys(tx: Transaction, user_id: UUID) -> int:
    """Number of the user's usable keys, in all workspaces."""
    return int(await tx.scalar(ACTIVE_KEYS, {"user_id": user_id}))


async def lock_api_key(tx: Transaction, workspace_id: UUID, key_id: UUID) -> datetime | None:
    """Lock an active key and return its expiration, None for never. It cannot be revoked before this transaction ends.

    Raises: Unauthenticated: the key is revoked or has expired.
    """
    row = await tx.first(LOCK_API_KEY, {"workspace_id": workspace_id, "id": key_id})
    if row is None:
        raise InvalidToken
    expires_at: datetime | None = row.expires_at
    return expires_at


async def revoke_api_key(tx: Transaction, workspace_id: UUID, key_id: UUID) -> bool:
    """Revoke a key; False if there is none or it is already revoked."""
    return await tx.changed(REVOKE_API_KEY, {"workspace_id": workspace_id, "id": key_id}) == 1


async def revoke_descendants(tx: Transaction, workspace_id: UUID) -> list[UUID]:
    """Revoke all keys that revoked keys created, and so on. Returns their ids.

    A statement for each generation: it waits for keys that are being created, which the next one then sees.
    """
    revoked: list[UUID] = []
    while rows := await tx.all(REVOKE_CHILDREN, {"workspace_id": workspace_id}):
        revoked += [row.id for row in rows]
    return revoked


async def insert_audit_event(tx: Transaction, actor: Actor, event: Mapping[str, Any]) -> None:
    """Append to the audit log. `event`: id, action, subject_type, subject_id, data, request_id."""
    who = {"workspace_id": actor.workspace_id, "actor_kind": actor.kind, "actor_id": actor.id}
    await tx.execute(INSERT_AUDIT_EVENT, {**event, **who, "data": json.dumps(event["data"])})


async def purge_audit_events(tx: Transaction, *, days: int, limit: int) -> int:
    """Delete older audit events of all workspaces. Requires a system transaction. Returns the number."""
    return int(await tx.scalar(PURGE_AUDIT, {"days": days, "limit": limit}))


async def lock_first_run(tx: Transaction) -> None:
    """Lock the set-up of the installation until this transaction ends."""
    await tx.execute(FIRST_RUN_LOCK, {"key": _FIRST_RUN_KEY})
