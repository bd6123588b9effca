"""Members, roles, and the last owner."""

import asyncio
from uuid import UUID

import pytest

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import AddMember, ChangeRole, CreateApiKey, MemberView
from leadflood.domains.identity.errors import (
    AlreadyMember,
    InvalidToken,
    LastOwner,
    MemberNotFound,
    OwnerRoleRequired,
    PermissionEscalation,
    UserNotFound,
)
from leadflood.domains.identity.service import access, administration, api_keys, members
from leadflood.kernel.actor import SCOPES, Actor, Role
from leadflood.kernel.errors import Forbidden
from leadflood.kernel.ids import new_id
from tests.integration.identity.conftest import Company
from tests.support.identity import CLI, Identity, Person


async def change_role(identity: Identity, actor: Actor, user_id: UUID, role: Role) -> MemberView:
    change = ChangeRole.model_validate({"role": role.value})
    async with identity.database.transaction(actor.workspace_id) as tx:
        return await members.change_role(tx, actor, user_id=user_id, change=change)


async def remove(identity: Identity, actor: Actor, user_id: UUID) -> None:
    async with identity.database.transaction(actor.workspace_id) as tx:
        await members.remove_member(tx, actor, user_id=user_id)


async def add(identity: Identity, actor: Actor, **body: str) -> MemberView:
    member = AddMember.model_validate(body)
    async with identity.database.transaction(actor.workspace_id) as tx:
        return await members.add_member(tx, actor, member=member)


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


async def test_the_operator_at_the_machine_alone_adds_a_user_without_asking(
    identity: Identity, company: Company
) -> None:
    person = await identity.new_person()
    operator, owner = Actor.cli(company.id), await identity.actor(company.owner)

    with pytest.raises(Forbidden):
        await add(identity, owner, email=person.email, role="viewer")
    with pytest.raises(UserNotFound):
        await add(identity, operator, email=f"{new_id().hex}@acme.test", role="viewer")
    added = await add(identity, operator, email=person.email.upper(), role="viewer")

    assert (added.id, added.name, added.role) == (person.id, "Ada", Role.VIEWER)
    assert (await identity.login(person)).workspace.id == company.id
    with pytest.raises(AlreadyMember):
        await add(identity, operator, email=person.email, role="admin")


async def test_only_owners_make_change_or_remove_owners(identity: Identity, company: Company) -> None:
    admin, owner = company.people[Role.ADMIN], company.owner
    as_admin, as_owner = await identity.actor(admin), await identity.actor(owner)
    second = await identity.new_member(company.id, Role.OWNER)

    for target, role in ((admin.id, Role.OWNER), (company.people[Role.MEMBER].id, Role.OWNER), (second.id, Role.ADMIN)):
        with pytest.raises(OwnerRoleRequired):
            await change_role(identity, as_admin, target, role)
    with pytest.raises(OwnerRoleRequired):
        await remove(identity, as_admin, second.id)

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

    with pytest.raises(PermissionEscalation) as caught:
        await change_role(identity, narrow, member, Role.ADMIN)
    assert "leads:read" in caught.value.detail
    with pytest.raises(OwnerRoleRequired):
        await change_role(identity, wide, member, Role.OWNER)
    with pytest.raises(OwnerRoleRequired):
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
    await administration.disable_user(identity.database, CLI, email=second.email)
    with pytest.raises(LastOwner):
        await remove(identity, owner, company.owner.id)
    await administration.enable_user(identity.database, CLI, email=second.email)
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

    assert [type(answer) for answer in answers if isinstance(answer, Exception)] == [InvalidToken]
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
