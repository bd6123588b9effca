"""The operator's verbs: users, workspaces, the very first run, the demo."""

import asyncio

import pytest

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.errors import (
    InvalidCredentials,
    InvalidToken,
    UserExists,
    UserNotFound,
    WorkspaceNotFound,
)
from leadflood.domains.identity.models import DEMO_EMAIL, DEMO_PASSWORD, FirstRun
from leadflood.domains.identity.service import access, administration, members
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from tests.integration.identity.conftest import Company
from tests.support.identity import CLI, Identity, Person
from tests.support.postgres import Cluster

DEMO = Person(new_id(), DEMO_EMAIL, DEMO_PASSWORD)


async def test_the_first_run_makes_a_workspace_whose_owner_can_sign_in(empty_identity: Identity) -> None:
    made = await administration.first_run(empty_identity.database)

    assert made is not None
    assert made.password not in repr(made)
    login = await empty_identity.login(Person(new_id(), made.email, made.password))
    assert (login.workspace.id, login.workspace.name) == (made.workspace_id, "My workspace")
    assert (login.user.email, login.workspace.role) == ("owner@leadflood.local", Role.OWNER)
    assert await administration.first_run(empty_identity.database) is None


async def test_of_many_first_runs_at_once_one_makes_the_workspace(empty_identity: Identity, cluster: Cluster) -> None:
    async with empty_identity.database.system() as tx:
        await store.lock_first_run(tx)
        starting = [asyncio.create_task(administration.first_run(empty_identity.database)) for _ in range(4)]
        await waiting_for_the_lock(cluster, len(starting))
    made = await asyncio.gather(*starting)

    assert len([item for item in made if isinstance(item, FirstRun)]) == 1
    assert len((await administration.list_workspaces(empty_identity.database, limit=10)).items) == 1
    assert len((await administration.list_users(empty_identity.database, limit=10)).items) == 1


async def waiting_for_the_lock(cluster: Cluster, count: int) -> None:
    """Come back when so many processes have found no workspace and wait for their turn."""
    for _ in range(500):
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        if await asyncio.to_thread(cluster.run, waiting) == str(count):
            return
    pytest.fail(f"fewer than {count} first runs wait for each other")


async def test_the_demo_user_is_made_and_repaired(empty_identity: Identity) -> None:
    database = empty_identity.database
    with pytest.raises(WorkspaceNotFound):
        await administration.ensure_demo(database)
    first = await administration.first_run(database)
    assert first is not None

    await asyncio.gather(*(administration.ensure_demo(database) for _ in range(3)))
    login = await empty_identity.login(DEMO)
    assert (login.workspace.id, login.workspace.role) == (first.workspace_id, Role.OWNER)

    assert await administration.ensure_demo(database) == first.workspace_id
    await access.authenticate(database, login.access_token)  # nothing was to be repaired, so nothing has ended

    await administration.set_password(database, CLI, email=DEMO_EMAIL, password="somebody changed it")
    await administration.disable_user(database, CLI, email=DEMO_EMAIL)
    async with database.transaction(first.workspace_id) as tx:
        await members.remove_member(tx, Actor.cli(first.workspace_id), user_id=login.user.id)
    await administration.ensure_demo(database)

    assert (await empty_identity.login(DEMO)).workspace.role is Role.OWNER
    assert len((await administration.list_users(database, limit=10)).items) == 2


async def test_an_operator_sets_a_password_and_ends_the_sessions(identity: Identity, company: Company) -> None:
    tokens = await identity.login(company.owner)

    await administration.set_password(identity.database, CLI, email=company.owner.email, password="eleven green otters")

    with pytest.raises(InvalidToken):
        await access.authenticate(identity.database, tokens.access_token)
    with pytest.raises(InvalidCredentials):
        await identity.login(company.owner)
    await identity.login(company.owner, password="eleven green otters")


async def test_bad_values_are_refused_by_name(identity: Identity) -> None:
    person = await identity.new_person()

    with pytest.raises(InvalidInput) as caught:
        await administration.create_user(identity.database, CLI, email="ada@", name="\0", password="short")
    assert [error.pointer for error in caught.value.errors] == ["/email", "/name", "/password"]
    with pytest.raises(InvalidInput):
        await administration.disable_user(identity.database, CLI, email="ada@")
    with pytest.raises(InvalidInput):
        await administration.set_password(identity.database, CLI, email=person.email, password=person.email)
    with pytest.raises(UserExists):
        await administration.create_user(
            identity.database, CLI, email=person.email, name="Ada", password="seven purple walruses"
        )
    for verb in (administration.disable_user, administration.enable_user):
        with pytest.raises(UserNotFound):
            await verb(identity.database, CLI, email=f"{new_id().hex}@acme.test")
    with pytest.raises(UserNotFound):
        await administration.create_workspace(identity.database, CLI, name="X", owner_email=f"{new_id().hex}@acme.test")


async def test_disabling_twice_is_the_same_as_once(identity: Identity, company: Company) -> None:
    email = company.people[Role.MEMBER].email

    for verb in (
        administration.disable_user,
        administration.disable_user,
        administration.enable_user,
        administration.enable_user,
    ):
        await verb(identity.database, CLI, email=email)

    async with identity.database.transaction(company.id) as tx:
        log = await queries.list_audit_events(
            tx, Actor.cli(company.id), subject_id=company.people[Role.MEMBER].id, limit=10
        )
    assert [event.action for event in log.items] == ["user.enabled", "user.disabled", "member.added"]


async def test_users_and_workspaces_are_listed_in_pages_without_the_systems_own(empty_identity: Identity) -> None:
    owner = await empty_identity.new_person()
    ids = [await empty_identity.new_workspace(owner) for _ in range(3)]

    first = await administration.list_workspaces(empty_identity.database, limit=2)
    second = await administration.list_workspaces(empty_identity.database, after=first.after, limit=2)

    assert [item.id for item in (*first.items, *second.items)] == ids
    assert SYSTEM_WORKSPACE_ID not in ids
    assert [item.email for item in (await administration.list_users(empty_identity.database, limit=2)).items] == [
        owner.email
    ]
