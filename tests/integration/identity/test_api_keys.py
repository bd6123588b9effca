"""API keys: made, listed, expired, revoked."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import ApiKeyCreated, CreateApiKey
from leadflood.domains.identity.errors import ApiKeyNotFound, BeyondOwnPermissions, LastOwner, Unauthenticated
from leadflood.domains.identity.service import access, api_keys, members
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import is_token
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.ids import new_id
from tests.conftest import Workspace
from tests.integration.identity.conftest import Company, new_company
from tests.support.identity import Identity


async def create(identity: Identity, actor: Actor, scopes: list[str], expires_at: str | None = None) -> ApiKeyCreated:
    key = CreateApiKey.model_validate({"name": "Web form", "scopes": scopes, "expiresAt": expires_at})
    async with identity.database.transaction(actor.workspace_id) as tx:
        return await api_keys.create_api_key(tx, actor, key=key)


async def revoke(identity: Identity, actor: Actor, key_id: UUID) -> None:
    async with identity.database.transaction(actor.workspace_id) as tx:
        await api_keys.revoke_api_key(tx, actor, key_id=key_id)


async def test_a_key_is_shown_once_and_then_by_its_prefix(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)
    later = (utc_now() + timedelta(days=1)).isoformat()

    created = await create(identity, actor, ["leads:write", "leads:read", "leads:read"], later)

    assert is_token(created.token, "lf_live_")
    assert created.api_key.prefix == created.token[:12]
    assert created.api_key.scopes == ["leads:read", "leads:write"]
    assert created.token not in repr(created)
    async with identity.database.transaction(company.id) as tx:
        listed = (await queries.list_api_keys(tx, actor, limit=10)).items
    assert listed == [created.api_key]
    assert created.token not in listed[0].model_dump_json()
    assert (listed[0].created_by, listed[0].last_used_at) == (company.owner.id, None)


async def test_nobody_makes_a_key_that_can_do_more(identity: Identity, company: Company) -> None:
    member = await identity.actor(company.people[Role.MEMBER])
    owner = await identity.actor(company.owner)
    narrow = await create(identity, owner, ["keys:write", "leads:read"])
    robot = (await access.authenticate(identity.database, narrow.token)).actor

    for actor in (member, robot):
        with pytest.raises(BeyondOwnPermissions) as caught:
            await create(identity, actor, ["leads:read", "audit:read"])
        assert "audit:read" in caught.value.detail
    assert (await create(identity, robot, ["leads:read"])).api_key.created_by == company.owner.id


async def test_a_key_ends_when_it_is_revoked(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)
    created = await create(identity, actor, ["leads:read"])
    await access.authenticate(identity.database, created.token)

    await revoke(identity, actor, created.api_key.id)

    with pytest.raises(Unauthenticated):
        await access.authenticate(identity.database, created.token)
    for key_id in (created.api_key.id, new_id()):
        with pytest.raises(ApiKeyNotFound):
            await revoke(identity, actor, key_id)


async def test_a_key_of_another_workspace_cannot_be_revoked(identity: Identity, company: Company) -> None:
    other = await new_company(identity)
    foreign = await create(identity, await identity.actor(other.owner), ["leads:read"])

    with pytest.raises(ApiKeyNotFound):
        await revoke(identity, await identity.actor(company.owner), foreign.api_key.id)

    await access.authenticate(identity.database, foreign.token)


async def test_a_key_ends_at_its_time(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)
    created = await create(identity, actor, ["leads:read"], (utc_now() + timedelta(hours=1)).isoformat())
    await access.authenticate(identity.database, created.token)

    async with identity.database.transaction(company.id) as tx:
        await tx.execute(text("UPDATE api_keys SET expires_at = now()"))

    with pytest.raises(Unauthenticated):
        await access.authenticate(identity.database, created.token)
    with pytest.raises(InvalidInput) as caught:
        await create(identity, actor, ["leads:read"], "2020-01-01T00:00:00Z")
    assert [error.pointer for error in caught.value.errors] == ["/expiresAt"]


async def test_a_key_from_the_command_line_belongs_to_the_first_owner(
    identity: Identity, company: Company, workspace: Workspace
) -> None:
    created = await create(identity, Actor.cli(company.id), ["leads:write"])

    assert created.api_key.created_by == company.owner.id
    actor = (await access.authenticate(identity.database, created.token)).actor
    assert {permission.value for permission in actor.permissions} == {"leads:write"}
    with pytest.raises(LastOwner):
        await create(identity, workspace.actor, ["leads:write"])


async def test_a_member_removed_a_moment_ago_makes_no_key(identity: Identity, company: Company) -> None:
    admin = await identity.actor(company.people[Role.ADMIN])
    async with identity.database.transaction(company.id) as tx:
        await members.remove_member(tx, Actor.cli(company.id), user_id=company.people[Role.ADMIN].id)

    with pytest.raises(Unauthenticated):
        await create(identity, admin, ["leads:read"])
