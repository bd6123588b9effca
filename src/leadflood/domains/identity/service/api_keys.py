"""API keys: credentials of programs, which act within what their maker may do at the time."""

from uuid import UUID

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import ApiKeyCreated, CreateApiKey
from leadflood.domains.identity.errors import (
    ApiKeyNotFound,
    BeyondOwnPermissions,
    LastOwner,
    Unauthenticated,
)
from leadflood.domains.identity.events import AuditAction, AuditSubject
from leadflood.domains.identity.models import API_KEY_PREFIX, SHOWN_OF_KEY
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import new_token, token_hash
from leadflood.kernel.db.database import Transaction
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.ids import new_id


async def create_api_key(
    tx: Transaction, actor: Actor, *, key: CreateApiKey, request_id: str | None = None
) -> ApiKeyCreated:
    """Make a key. Its token is in this answer and nowhere else. It ends when its maker leaves the workspace.

    One made at the command line belongs to the workspace's first owner.

    Raises: BeyondOwnPermissions, InvalidInput: when it would have expired already. Unauthenticated: when the maker has
        just been removed. LastOwner: when the workspace has no owner to belong to.
    """
    missing = sorted(set(key.scopes) - actor.permissions)
    if missing:
        raise BeyondOwnPermissions(missing)
    if key.expires_at is not None and key.expires_at <= utc_now():
        fault = FieldError("/expiresAt", "out_of_range", "Give a time in the future, or leave it out.")
        raise InvalidInput("The key would have expired already.", errors=[fault])
    maker = await _maker(tx, actor)
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
        expires_at=key.expires_at,
    )
    await audit.record(
        tx,
        actor,
        action=AuditAction.API_KEY_CREATED,
        subject_type=AuditSubject.API_KEY,
        subject_id=key_id,
        data={"name": key.name, "scopes": list(key.scopes)},
        request_id=request_id,
    )
    return ApiKeyCreated(api_key=await queries.get_api_key(tx, actor, key_id=key_id), token=token)


async def revoke_api_key(tx: Transaction, actor: Actor, *, key_id: UUID, request_id: str | None = None) -> None:
    """End a key from the next request on.

    Raises: ApiKeyNotFound: also when it is revoked already.
    """
    if not await store.revoke_api_key(tx, actor.workspace_id, key_id):
        raise ApiKeyNotFound
    await audit.record(
        tx,
        actor,
        action=AuditAction.API_KEY_REVOKED,
        subject_type=AuditSubject.API_KEY,
        subject_id=key_id,
        request_id=request_id,
    )


async def _maker(tx: Transaction, actor: Actor) -> UUID:
    if actor.user_id is None:
        owner = await queries.first_owner(tx, actor.workspace_id)
        if owner is None:
            raise LastOwner
        return owner
    if await store.role_of(tx, actor.workspace_id, actor.user_id, hold=True) is None:
        raise Unauthenticated
    return actor.user_id
