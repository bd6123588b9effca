"""API keys: made, listed, expired, revoked."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import ApiKeyCreated, CreateApiKey
from leadflood.domains.identity.errors import (
    ApiKeyNotFound,
    InvalidToken,
    LastOwner,
    PermissionEscalation,
    TooManyApiKeys,
)
from leadflood.domains.identity.models import MAX_API_KEYS
from leadflood.domains.identity.service import access, api_keys, members
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import is_token
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Forbidden, InvalidInput
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

    with pytest.raises(Forbidden) as refused:
        await create(identity, member, ["leads:read"])
    assert "keys:write" in refused.value.detail
    with pytest.raises(PermissionEscalation) as caught:
        await create(identity, robot, ["leads:read", "audit:read"])
    assert "audit:read" in caught.value.detail
    assert (await create(identity, robot, ["leads:read"])).api_key.created_by == company.owner.id


async def test_a_key_ends_when_it_is_revoked(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)
    created = await create(identity, actor, ["leads:read"])
    await access.authenticate(identity.database, created.token)

    await revoke(identity, actor, created.api_key.id)

    with pytest.raises(InvalidToken):
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
        await tx.execute(sql("UPDATE api_keys SET expires_at = now()"))

    with pytest.raises(InvalidToken):
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

    with pytest.raises(InvalidToken):
        await create(identity, admin, ["leads:read"])


async def test_a_key_never_outlives_the_key_that_created_it(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)
    end = utc_now() + timedelta(days=3)
    parent = await create(identity, actor, ["keys:write", "leads:read"], end.isoformat())
    robot = (await access.authenticate(identity.database, parent.token)).actor

    with pytest.raises(InvalidInput) as caught:
        await create(identity, robot, ["leads:read"], (end + timedelta(seconds=1)).isoformat())
    assert [error.pointer for error in caught.value.errors] == ["/expiresAt"]
    child = await create(identity, robot, ["keys:write"])
    assert child.api_key.expires_at == parent.api_key.expires_at
    heir = (await access.authenticate(identity.database, child.token)).actor
    grandchild = await create(identity, heir, ["keys:write"], (end - timedelta(days=1)).isoformat())
    unrelated = await create(identity, actor, ["leads:read"])

    await revoke(identity, actor, parent.api_key.id)

    for key in (parent, child, grandchild):
        with pytest.raises(InvalidToken):
            await access.authenticate(identity.database, key.token)
    await access.authenticate(identity.database, unrelated.token)
    async with identity.database.transaction(company.id) as tx:
        events = (await queries.list_audit_events(tx, actor, action="api_key.revoked", limit=10)).items
    assert {event.subject_id for event in events} == {key.api_key.id for key in (parent, child, grandchild)}
    with pytest.raises(InvalidToken):
        await create(identity, heir, ["keys:write"])  # authenticated a moment before the end


async def test_a_key_created_while_its_parent_is_revoked_does_not_survive(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)
    parent = await create(identity, actor, ["keys:write"])
    robot = (await access.authenticate(identity.database, parent.token)).actor

    answers = await asyncio.gather(
        *(create(identity, robot, ["keys:write"]) for _ in range(4)),
        revoke(identity, actor, parent.api_key.id),
        return_exceptions=True,
    )

    for answer in answers[:4]:
        assert isinstance(answer, ApiKeyCreated | InvalidToken)
        if isinstance(answer, ApiKeyCreated):
            with pytest.raises(InvalidToken):
                await access.authenticate(identity.database, answer.token)


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-11:00", "2099-01-01T00:00:00Z"])
async def test_a_key_does_not_live_until_the_end_of_the_calendar(
    identity: Identity, company: Company, moment: str
) -> None:
    actor = await identity.actor(company.owner)
    with pytest.raises(InvalidInput if moment.endswith("Z") else ValidationError) as caught:
        await create(identity, actor, ["leads:read"], moment)
    if isinstance(caught.value, InvalidInput):
        assert [error.pointer for error in caught.value.errors] == ["/expiresAt"]


async def test_a_person_has_fifty_active_keys_in_all_workspaces_also_when_many_are_created_at_once(
    identity: Identity, company: Company
) -> None:
    here = await identity.actor(company.owner, company.id)
    there = await identity.actor(company.owner, await identity.new_workspace(company.owner, "Second"))
    first = await create(identity, here, ["leads:read"])
    for _ in range(MAX_API_KEYS - 3):
        await create(identity, here, ["leads:read"])

    answers = await asyncio.gather(
        *(create(identity, where, ["leads:read"]) for where in (here, there, here, there)), return_exceptions=True
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["ApiKeyCreated"] * 2 + ["TooManyApiKeys"] * 2
    await create(identity, await identity.actor(company.people[Role.ADMIN]), ["leads:read"])
    await revoke(identity, here, first.api_key.id)
    await create(identity, there, ["leads:read"])
    with pytest.raises(TooManyApiKeys) as caught:
        await create(identity, here, ["leads:read"])
    assert (caught.value.status, caught.value.code) == (409, "too_many_api_keys")
