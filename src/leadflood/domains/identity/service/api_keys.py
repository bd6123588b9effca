"""API keys: credentials of programs, limited to the current permissions of their creator."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import ApiKeyCreated, CreateApiKey
from leadflood.domains.identity.errors import (
    ApiKeyNotFound,
    InvalidToken,
    LastOwner,
    PermissionEscalation,
    TooManyApiKeys,
)
from leadflood.domains.identity.events import AuditSubject, IdentityAuditAction
from leadflood.domains.identity.models import API_KEY_PREFIX, MAX_API_KEYS, MAX_KEY_YEARS, SHOWN_OF_KEY
from leadflood.domains.identity.permissions import KEYS_WRITE
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import new_token, token_hash
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.ids import new_id


async def create_api_key(tx: Transaction, actor: Actor, *, key: CreateApiKey) -> ApiKeyCreated:
    """Create a key. Its token is only in this response. It ends when its creator leaves the workspace.

    One created at the command line belongs to the workspace's first owner. One created by another key ends with that
    key: it expires no later, also where no time is given, and is revoked with it.

    Raises: PermissionEscalation, TooManyApiKeys, InvalidInput: when it would have expired already, or lives too long.
        Unauthenticated: when the maker has just been removed, or the key that asks just ended. LastOwner: when the
        workspace has no owner to belong to.
    """
    actor.require(KEYS_WRITE)
    missing = sorted(set(key.scopes) - actor.permissions)
    if missing:
        raise PermissionEscalation(missing)
    _require_within(key.expires_at, utc_now())
    maker = await _maker(tx, actor)
    expires_at = await _end(tx, actor, key.expires_at)
    await store.lock_user(tx, maker)
    if await store.count_active_keys(tx, maker) >= MAX_API_KEYS:
        raise TooManyApiKeys(MAX_API_KEYS)
    key_id, token = new_id(), new_token(API_KEY_PREFIX)
    await store.insert_api_key(
        tx,
        actor.workspace_id,
        key_id=key_id,
        name=key.name,
        prefix=token[:SHOWN_OF_KEY],
        token_hash=token_hash(token),
        scopes=key.scopes,
        created_by=maker,
        expires_at=expires_at,
        parent_id=actor.api_key_id,
    )
    await audit.record(
        tx,
        actor,
        action=IdentityAuditAction.API_KEY_CREATED,
        subject_type=AuditSubject.API_KEY,
        subject_id=key_id,
        data={"name": key.name, "scopes": list(key.scopes)},
    )
    return ApiKeyCreated(api_key=await queries.get_api_key(tx, actor, key_id=key_id), token=token)


async def revoke_api_key(tx: Transaction, actor: Actor, *, key_id: UUID) -> None:
    """Revoke a key immediately, with all keys that it created.

    Raises: ApiKeyNotFound: also if it is already revoked.
    """
    actor.require(KEYS_WRITE)
    if not await store.revoke_api_key(tx, actor.workspace_id, key_id):
        raise ApiKeyNotFound
    descendants = await store.revoke_descendants(tx, actor.workspace_id)
    for revoked in (key_id, *descendants):
        await audit.record(
            tx,
            actor,
            action=IdentityAuditAction.API_KEY_REVOKED,
            subject_type=AuditSubject.API_KEY,
            subject_id=revoked,
        )


async def revoke_keys_of(tx: Transaction, actor: Actor, user_id: UUID) -> None:
    """Revoke all keys of a user whose public password is replaced: anyone could have created them.

    Requires a system transaction.
    """
    for workspace_id, key_id in await store.revoke_keys_of(tx, user_id):
        await audit.record(
            tx,
            replace(actor, workspace_id=workspace_id),
            action=IdentityAuditAction.API_KEY_REVOKED,
            subject_type=AuditSubject.API_KEY,
            subject_id=key_id,
            data={"reason": "public_password"},
        )


def _require_within(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is None:
        return
    if expires_at <= now:
        fault = FieldError("/expiresAt", "out_of_range", "Must be in the future.")
        raise InvalidInput("The key would have expired already.", errors=[fault])
    if expires_at > now + timedelta(days=366 * MAX_KEY_YEARS):
        message = f"Must be within {MAX_KEY_YEARS} years. Leave it out for no expiration."
        raise InvalidInput("The key would live too long.", errors=[FieldError("/expiresAt", "out_of_range", message)])


async def _end(tx: Transaction, actor: Actor, wanted: datetime | None) -> datetime | None:
    """Expiration of the new key: not later than that of the key that creates it."""
    if actor.api_key_id is None:
        return wanted
    latest = await store.lock_api_key(tx, actor.workspace_id, actor.api_key_id)
    if latest is None or wanted is None:
        return wanted or latest
    if wanted > latest:
        message = f"Must be no later than {latest:%Y-%m-%dT%H:%M:%SZ}, when the key you are using expires."
        fault = FieldError("/expiresAt", "out_of_range", message)
        raise InvalidInput("The key would outlive the key that creates it.", errors=[fault])
    return wanted


async def _maker(tx: Transaction, actor: Actor) -> UUID:
    if actor.user_id is None:
        owner = await queries.first_owner(tx, actor.workspace_id)
        if owner is None:
            raise LastOwner
        return owner
    if await store.role_of(tx, actor.workspace_id, actor.user_id, lock=True) is None:
        raise InvalidToken
    return actor.user_id
