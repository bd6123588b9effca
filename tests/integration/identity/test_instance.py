"""Instance operators: who becomes one, what granting and revoking leave behind, and the last one."""

import asyncio

import pytest

from leadflood.domains.identity import queries
from leadflood.domains.identity.errors import LastOperator, UserNotFound
from leadflood.domains.identity.service import access, administration
from leadflood.kernel.actor import Actor, Permission, Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Forbidden
from leadflood.migrations.versions.r0010_operators import FIRST_OPERATOR
from tests.integration.identity.conftest import Company
from tests.support.identity import CLI, Identity, Person


async def operators_of(identity: Identity) -> set[str]:
    page = await administration.list_users(identity.database, limit=50)
    return {user.email for user in page.items if user.is_operator}


async def test_the_owner_of_the_first_workspace_is_the_operator_and_later_owners_are_not(
    empty_identity: Identity,
) -> None:
    first, second = await empty_identity.new_person(), await empty_identity.new_person()
    await empty_identity.new_workspace(first)
    await empty_identity.new_workspace(second)
    assert await operators_of(empty_identity) == {first.email}

    actor, other = await empty_identity.actor(first), await empty_identity.actor(second)
    assert (actor.is_operator, other.is_operator) == (True, False)
    me = await access.me(empty_identity.database, actor)
    assert (me.is_operator, Permission.INSTANCE in me.permissions) == (True, True)
    assert not (await access.me(empty_identity.database, other)).is_operator


async def test_of_two_first_workspaces_at_once_one_owner_becomes_the_operator(empty_identity: Identity) -> None:
    people = [await empty_identity.new_person() for _ in range(4)]

    await asyncio.gather(*(empty_identity.new_workspace(person) for person in people))

    assert len(await operators_of(empty_identity)) == 1


async def test_granting_and_revoking_count_from_the_next_request_and_are_audited_once(
    identity: Identity, company: Company
) -> None:
    member = company.people[Role.MEMBER]
    email, database = member.email, identity.database
    token = (await identity.login(member)).access_token
    cookie = (await identity.login_browser(member)).token

    for verb, expected in ((administration.grant_operator, True), (administration.revoke_operator, False)):
        await verb(database, CLI, email=email)
        await verb(database, CLI, email=email)
        assert (await access.authenticate(database, token)).actor.is_operator is expected
        assert (await access.authenticate_browser(database, cookie)).actor.is_operator is expected

    async with database.transaction(company.id) as tx:
        log = await queries.list_audit_events(tx, Actor.cli(company.id), action="user.operator", limit=10)
    assert [(event.action, event.subject_id, event.actor.kind) for event in log.items] == [
        ("user.operator_revoked", member.id, "cli"),
        ("user.operator_granted", member.id, "cli"),
    ]


async def test_only_operators_grant_and_revoke_and_only_users_who_exist(identity: Identity, company: Company) -> None:
    owner, email = await identity.actor(company.owner), company.owner.email
    for verb in (administration.grant_operator, administration.revoke_operator):
        with pytest.raises(Forbidden, match="leadflood user operator grant"):
            await verb(identity.database, owner, email=email)
        with pytest.raises(UserNotFound):
            await verb(identity.database, CLI, email="nobody@acme.test")


async def test_the_last_operator_who_can_sign_in_stays_one(empty_identity: Identity) -> None:
    database = empty_identity.database
    one, two = await empty_identity.new_person(), await empty_identity.new_person()
    await empty_identity.new_workspace(one)

    async def revoke(person: Person) -> None:
        await administration.revoke_operator(database, CLI, email=person.email)

    with pytest.raises(LastOperator, match="grant"):
        await revoke(one)
    await administration.grant_operator(database, CLI, email=two.email)
    await administration.disable_user(database, CLI, email=two.email)
    with pytest.raises(LastOperator):
        await revoke(one)
    await administration.enable_user(database, CLI, email=two.email)

    done = await asyncio.gather(revoke(one), revoke(two), return_exceptions=True)

    assert [type(item) for item in done if item is not None] == [LastOperator]
    assert len(await operators_of(empty_identity)) == 1


async def test_the_demo_user_is_an_operator_to_show_everything(empty_identity: Identity) -> None:
    await administration.first_run(empty_identity.database)
    await administration.ensure_demo(empty_identity.database)

    assert await operators_of(empty_identity) == {"owner@leadflood.local", "demo@leadflood.local"}


async def test_of_an_installation_of_an_older_release_the_earliest_owner_becomes_the_operator(
    empty_identity: Identity,
) -> None:
    """The statement of the migration, on an installation whose first workspace has several owners."""
    disabled, first, second = [await empty_identity.new_person() for _ in range(3)]
    workspace_id = await empty_identity.new_workspace(disabled)
    for person in (first, second):
        await empty_identity.add(workspace_id, person, Role.OWNER)
    await empty_identity.new_workspace(second)
    await administration.disable_user(empty_identity.database, CLI, email=disabled.email)
    async with empty_identity.database.system() as tx:
        await tx.execute(sql("UPDATE users SET is_operator = false"))

        await tx.execute(sql(FIRST_OPERATOR))

    assert await operators_of(empty_identity) == {first.email}
