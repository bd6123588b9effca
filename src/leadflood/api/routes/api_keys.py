"""API keys: credentials for programs."""

from fastapi import APIRouter
from starlette.responses import Response

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import ApiKeyCreated, ApiKeyView, CreateApiKey
from leadflood.domains.identity.permissions import KEYS_READ, KEYS_WRITE
from leadflood.domains.identity.service import api_keys

router = APIRouter(prefix="/v1/api-keys", tags=["api-keys"], route_class=EdgeRoute)


@router.get("", summary="List API keys, newest first")
@requires(KEYS_READ)
async def list_api_keys(unit: UnitOfWorkDep, paging: InPages) -> Listing[ApiKeyView]:
    """All keys of the workspace, including revoked and expired ones, without tokens."""
    page = await queries.list_api_keys(unit.tx, unit.actor, after=paging.after, limit=paging.limit)
    return paging.answer(page)


@router.post("", status_code=201, summary="Create an API key")
@requires(KEYS_WRITE)
async def create_api_key(unit: UnitOfWorkDep, command: CreateApiKey, response: Response) -> ApiKeyCreated:
    """The token is returned only once. A key never has more access than its creator currently has."""
    created = await api_keys.create_api_key(unit.tx, unit.actor, key=command)
    response.headers["Location"] = f"/v1/api-keys/{created.api_key.id}"
    return created


@router.get("/{id}", summary="Retrieve an API key")
@requires(KEYS_READ)
async def get_api_key(unit: UnitOfWorkDep, key_id: ResourceId) -> ApiKeyView:
    """The key, without its token."""
    return await queries.get_api_key(unit.tx, unit.actor, key_id=key_id)


@router.delete("/{id}", status_code=204, summary="Revoke an API key")
@requires(KEYS_WRITE)
async def revoke_api_key(unit: UnitOfWorkDep, key_id: ResourceId) -> None:
    """The key stops working immediately. Returns 404 if it is already revoked."""
    await api_keys.revoke_api_key(unit.tx, unit.actor, key_id=key_id)
