"""Members, roles, and the last owner."""

import asyncio
from uuid import UUID

import pytest

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import AddMember, ChangeRole, CreateApiKey, MemberView
from leadflood.domains.identity.errors import (
    AlreadyMember,
    BeyondOwnPermissions,
    LastOwner,
    MemberNotFound,
    OwnersOnly,
    Unauthenticated,
    UserExists,
)
from leadflood.domains.identity.service import access, api_keys, members, operators
from leadflood.kernel.actor import SCOPES, Actor, Role
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.ids import new_id
from tests.integration.identity.conftest import Company
from tests.support.identity import Identity, Person


async def change_role(identity: Identity, actor: Actor, user_id: UUID, role: Role) -> MemberView:
    change = ChangeRole.model_validate({"role": role.value})
    async with identity.database.transaction(actor.workspace_id) as tx:
        return await members.change_role(tx, actor, user_id=user_id, change=change)


async def remove(identity: Identity, actor: Actor, user_id: UUID) -> None:
    async with identity.database.transaction(actor.workspace_id) as tx:
        await members.remove_member(tx, actor, user_id=user_id)


async def add(identity: Identity, actor: Actor, **body: str) -> MemberView:
    member = AddMember.model_validate(body)
    initial_hash = await members.initial_hash(member)
    async with identity.database.transaction(actor.workspace_id) as tx:
        return await members.add_member(tx, actor, member=member, initial_hash=initial_hash)


async def robot(identity: Identity, person: Person, scopes: list[str]) -> Actor:
    actor = await identity.actor(person)
    key = CreateApiKey.model_validate({"name": "Robot", "scopes": scopes})
    async with identity.database.transaction(actor.workspace_id) as tx:
        token = (await api_keys.create_api_key(tx, actor, key=key)).token
    return (await access.authenticate(identity.database, token)).actor


async def owners(identity: Identity, workspace_id: UUID) -> list[UUID]:
    actor = Actor.cli(workspace_id)
    async with identity.database.transaction(workspace_id) as tx:
        page = await queries.list_members(tx, actor, limit=50)
    return [member.id for member in page.items if member.role is Role.OWNER]


async def test_a_new_member_signs_in_with_the_initial_password(identity: Identity, company: Company) -> None:
    admin = await identity.actor(company.people[Role.ADMIN])
    email = f"grace{new_id().hex}@acme.test"

    added = await add(identity, admin, email=email, role="member", name="Grace", initialPassword="nine yellow ferrets")

    login = await identity.login(Person(added.id, email, "nine yellow ferrets"))
    assert (login.workspace.id, login.workspace.role, login.user.name) == (company.id, Role.MEMBER, "Grace")


async def test_an_existing_user_keeps_name_and_password_when_added(identity: Identity, company: Company) -> None:
    person = await identity.new_person()
    admin = await identity.actor(company.people[Role.ADMIN])

    with pytest.raises(UserExists):
        await add(identity, admin, email=person.email, role="viewer", name="X", initialPassword="nine yellow ferrets")
    added = await add(identity, admin, email=person.email.upper(), role="viewer")

    assert (added.id, added.name, added.role) == (person.id, "Ada", Role.VIEWER)
    await identity.login(person)
    with pytest.raises(AlreadyMember):
        await add(identity, admin, email=person.email, role="admin")


async def test_an_unknown_user_needs_a_name_and_a_password(identity: Identity, company: Company) -> None:
    admin = await identity.actor(company.people[Role.ADMIN])
    email = f"{new_id().hex}@acme.test"

    with pytest.raises(InvalidInput) as nothing:
        await add(identity, admin, email=email, role="member")
    with pytest.raises(InvalidInput) as only_name:
        await add(identity, admin, email=email, role="member", name="Grace")

    assert [error.pointer for error in nothing.value.errors] == ["/name", "/initialPassword"]
    assert [error.pointer for error in only_name.value.errors] == ["/initialPassword"]


async def test_one_user_added_twice_at_once_is_one_member(identity: Identity, company: Company) -> None:
    admin = await identity.actor(company.people[Role.ADMIN])
    body = {
        "email": f"{new_id().hex}@acme.test",
        "role": "member",
        "name": "G",
        "initialPassword": "nine yellow ferrets",
    }

    answers = await asyncio.gather(*(add(identity, admin, **body) for _ in range(4)), return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == ["MemberView"] + ["UserExists"] * 3


async def test_only_owners_make_change_or_remove_owners(identity: Identity, company: Company) -> None:
    admin, owner = company.people[Role.ADMIN], company.owner
    as_admin, as_owner = await identity.actor(admin), await identity.actor(owner)
    second = await identity.new_member(company.id, Role.OWNER)

    for target, role in ((admin.id, Role.OWNER), (company.people[Role.MEMBER].id, Role.OWNER), (second.id, Role.ADMIN)):
        with pytest.raises(OwnersOnly):
            await change_role(identity, as_admin, target, role)
    with pytest.raises(OwnersOnly):
        await remove(identity, as_admin, second.id)
    with pytest.raises(OwnersOnly):
        await add(identity, as_admin, email=(await identity.new_person()).email, role="owner")

    assert (await change_role(identity, as_owner, admin.id, Role.OWNER)).role is Role.OWNER
    assert (await change_role(identity, as_owner, second.id, Role.VIEWER)).role is Role.VIEWER
    await remove(identity, as_owner, admin.id)
    assert await owners(identity, company.id) == [owner.id]


async def test_admins_manage_everybody_else_and_step_down(identity: Identity, company: Company) -> None:
    admin = await identity.actor(company.people[Role.ADMIN])
    viewer = company.people[Role.VIEWER].id

    assert (await change_role(identity, admin, viewer, Role.ADMIN)).role is Role.ADMIN
    await remove(identity, admin, company.people[Role.MEMBER].id)
    assert (await change_role(identity, admin, company.people[Role.ADMIN].id, Role.MEMBER)).role is Role.MEMBER


@pytest.mark.parametrize("person", [Role.OWNER, Role.ADMIN])
async def test_an_api_key_never_makes_owners_nor_gives_what_it_lacks(
    identity: Identity, company: Company, person: Role
) -> None:
    narrow = await robot(identity, company.people[person], ["members:write"])
    wide = await robot(identity, company.people[person], [scope.value for scope in SCOPES])
    member = company.people[Role.MEMBER].id

    with pytest.raises(BeyondOwnPermissions) as caught:
        await change_role(identity, narrow, member, Role.ADMIN)
    assert "leads:read" in caught.value.detail
    with pytest.raises(OwnersOnly):
        await change_role(identity, wide, member, Role.OWNER)
    with pytest.raises(OwnersOnly):
        await remove(identity, wide, company.owner.id)
    assert (await change_role(identity, wide, member, Role.VIEWER)).role is Role.VIEWER


async def test_the_last_owner_can_neither_leave_nor_step_down(identity: Identity, company: Company) -> None:
    owner = await identity.actor(company.owner)

    with pytest.raises(LastOwner) as caught:
        await remove(identity, owner, company.owner.id)
    with pytest.raises(LastOwner):
        await change_role(identity, owner, company.owner.id, Role.ADMIN)
    assert (caught.value.status, caught.value.code) == (409, "last_owner")

    second = await identity.new_member(company.id, Role.OWNER)
    await operators.disable_user(identity.database, email=second.email)
    with pytest.raises(LastOwner):
        await remove(identity, owner, company.owner.id)
    await operators.enable_user(identity.database, email=second.email)
    await remove(identity, owner, company.owner.id)
    assert await owners(identity, company.id) == [second.id]


@pytest.mark.parametrize("leave", [True, False])
async def test_owners_who_all_go_at_once_leave_one_behind(identity: Identity, company: Company, leave: bool) -> None:
    others = [await identity.new_member(company.id, Role.OWNER) for _ in range(4)]
    actors = [await identity.actor(person) for person in (company.owner, *others)]

    going = [
        remove(identity, actor, actor.user_id or new_id())
        if leave
        else change_role(identity, actor, actor.user_id or new_id(), Role.MEMBER)
        for actor in actors
    ]
    answers = await asyncio.gather(*going, return_exceptions=True)

    assert [type(answer) for answer in answers if isinstance(answer, Exception)] == [LastOwner]
    assert len(await owners(identity, company.id)) == 1


async def test_two_owners_who_remove_each_other_at_once_leave_one_behind(identity: Identity, company: Company) -> None:
    second = await identity.new_member(company.id, Role.OWNER)
    one, two = await identity.actor(company.owner), await identity.actor(second)

    answers = await asyncio.gather(
        remove(identity, one, second.id), remove(identity, two, company.owner.id), return_exceptions=True
    )

    assert [type(answer) for answer in answers if isinstance(answer, Exception)] == [Unauthenticated]
    assert len(await owners(identity, company.id)) == 1


async def test_nobody_unknown_can_be_changed_or_removed(identity: Identity, company: Company) -> None:
    owner = await identity.actor(company.owner)
    outsider = await identity.new_person()

    for user_id in (new_id(), outsider.id):
        with pytest.raises(MemberNotFound):
            await change_role(identity, owner, user_id, Role.ADMIN)
        with pytest.raises(MemberNotFound):
            await remove(identity, owner, user_id)


async def test_members_are_listed_in_pages(identity: Identity, company: Company) -> None:
    seen: list[UUID] = []
    after = None
    async with identity.database.transaction(company.id) as tx:
        while True:
            page = await queries.list_members(tx, Actor.cli(company.id), after=after, limit=3)
            seen += [member.id for member in page.items]
            after = page.after
            if after is None:
                break

    assert seen == sorted(person.id for person in company.people.values())
