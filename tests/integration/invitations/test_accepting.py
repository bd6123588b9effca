"""From the link in the mail to a member."""

import asyncio

import pytest

from leadflood.domains.identity.contracts import ChangeRole
from leadflood.domains.identity.errors import InvalidCredentials, InvalidToken, LoginThrottled
from leadflood.domains.identity.service import administration, members
from leadflood.domains.invitations import service
from leadflood.domains.invitations.errors import AccountExists, InvitationNotFound
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.crypto import new_token
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import InvalidInput
from tests.integration.invitations.conftest import Door, new_address
from tests.support.identity import CLI, Person


async def test_the_link_tells_its_holder_what_it_is_about(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    known = await door.identity.new_person()
    tokens = [await door.mailed(await door.invite(admin, email)) for email in (new_address(), known.email)]

    unknown, welcome = [await service.preview(door.identity.database, token) for token in tokens]

    assert (unknown.workspace, unknown.inviter, unknown.role, unknown.has_account) == ("Acme", "Ada", "member", False)
    assert (welcome.email, welcome.has_account) == (known.email, True)


@pytest.mark.parametrize("token", ["", "lfi_", "lfi_" + "é" * 38, "\ud800" * 42, "x" * 10_000])
async def test_what_is_no_link_of_ours_is_told_nothing(door: Door, token: str) -> None:
    for sought in (token, new_token("lfi_"), new_token("lfa_")):
        with pytest.raises(InvitationNotFound):
            await service.preview(door.identity.database, sought)


async def test_a_newcomer_joins_and_signs_in(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    made = await door.invite(admin, role="viewer")
    token = await door.mailed(made)

    joined = await door.accept_as_new(token, "nine yellow ferrets")

    assert (joined.workspace_id, joined.email) == (door.company.id, made.email)
    login = await door.identity.login_browser(Person(joined.user_id, made.email, "nine yellow ferrets"))
    assert (login.user.name, login.workspace.id, login.workspace.role) == ("Grace Hopper", door.company.id, "viewer")
    assert await door.pending() == []
    assert await door.actions() == ["invitation.sent", "user.created", "member.added", "invitation.accepted"]
    with pytest.raises(InvitationNotFound):
        await door.accept_as_new(token)


async def test_somebody_with_an_account_joins_with_its_password(door: Door) -> None:
    owner = await door.identity.actor(door.company.owner)
    person = await door.identity.new_person()
    token = await door.mailed(await door.invite(owner, person.email.upper(), "owner"))

    with pytest.raises(AccountExists):
        await door.accept_as_new(token)
    with pytest.raises(InvalidCredentials):
        await door.accept_as(Person(person.id, person.email, "not the right password"), token)
    joined = await door.accept_as(person, token)

    assert joined.user_id == person.id
    assert (await door.members())[person.email].role is Role.OWNER
    assert (await door.identity.login(person)).user.name == "Ada"
    with pytest.raises(InvitationNotFound):
        await door.accept_as(person, token)


async def test_whoever_is_signed_in_joins_without_a_password_as_nobody_else(door: Door) -> None:
    owner = await door.identity.actor(door.company.owner)
    person, other = [await door.identity.new_person() for _ in range(2)]
    for item in (person, other):
        await door.identity.new_workspace(item)
    token = await door.mailed(await door.invite(owner, person.email))
    joining, prying = [await door.identity.actor(item) for item in (person, other)]

    with pytest.raises(InvitationNotFound):
        await service.accept_as_self(door.identity.database, prying, token=token, client=door.identity.client)
    with pytest.raises(InvalidToken):
        await service.accept_as_self(
            door.identity.database, Actor.cli(door.company.id), token=token, client=door.identity.client
        )
    joined = await service.accept_as_self(door.identity.database, joining, token=token, client=door.identity.client)

    assert (joined.workspace_id, joined.user_id) == (door.company.id, person.id)
    assert {person.email, other.email} & set(await door.members()) == {person.email}


async def test_the_password_is_guarded_like_a_login(door: Door) -> None:
    few = door.identity.having(max_login_attempts=2)
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    person = await door.identity.new_person()
    token = await door.mailed(await door.invite(admin, person.email))
    wrong = Person(person.id, person.email, "not the right password")

    answers = await asyncio.gather(*(door.accept_as(wrong, token, few) for _ in range(5)), return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidCredentials"] * 2 + ["LoginThrottled"] * 3
    with pytest.raises(LoginThrottled):
        await door.accept_as(person, token, few)
    assert person.email not in await door.members()


@pytest.mark.parametrize("known", [True, False])
async def test_accepted_twice_at_once_it_lets_in_once(door: Door, known: bool) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    person = await door.identity.new_person()
    token = await door.mailed(await door.invite(admin, person.email if known else None))
    before = await door.actions()

    accepting = (door.accept_as(person, token) if known else door.accept_as_new(token) for _ in range(5))
    answers = await asyncio.gather(*accepting, return_exceptions=True)

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert [type(item) for item in refused] == [InvitationNotFound] * 4
    joining = (
        ["member.added", "invitation.accepted"] if known else ["user.created", "member.added", "invitation.accepted"]
    )
    assert (await door.actions())[len(before) :] == joining


async def test_revoked_while_it_is_accepted_one_of_the_two_wins(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    made = await door.invite(admin)
    token = await door.mailed(made)

    accepted, revoked = await asyncio.gather(
        door.accept_as_new(token), door.revoke(admin, made.id), return_exceptions=True
    )

    assert isinstance(accepted, InvitationNotFound) is not isinstance(revoked, InvitationNotFound)
    assert (made.email in await door.members()) is not isinstance(accepted, Exception)


async def test_an_acceptance_that_fails_leaves_the_invitation_as_it_was(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    made = await door.invite(admin, "Ada.Lovelace.Byron@acme.test")
    token = await door.mailed(made)

    with pytest.raises(InvalidInput) as caught:
        await door.accept_as_new(token, "ada.lovelace.byron@acme.test")

    assert [error.pointer for error in caught.value.errors] == ["/password"]
    assert [item.id for item in await door.pending()] == [made.id]


async def test_a_member_added_meanwhile_keeps_the_role(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    person = await door.identity.new_person()
    token = await door.mailed(await door.invite(admin, person.email, "admin"))
    await door.identity.add(door.company.id, person, Role.VIEWER)

    await door.accept_as(person, token)

    assert (await door.members())[person.email].role is Role.VIEWER
    assert await door.pending() == []


@pytest.mark.parametrize("fate", ["removed", "demoted", "disabled"])
async def test_an_invitation_is_worth_as_much_as_who_vouches_for_it(door: Door, fate: str) -> None:
    person = door.company.people[Role.ADMIN]
    owner = await door.identity.actor(door.company.owner)
    made = await door.invite(await door.identity.actor(person))
    token = await door.mailed(made)

    async with door.identity.database.transaction(door.company.id) as tx:
        if fate == "removed":
            await members.remove_member(tx, owner, user_id=person.id)
        if fate == "demoted":
            change = ChangeRole.model_validate({"role": "member"})
            await members.change_role(tx, owner, user_id=person.id, change=change)
    if fate == "disabled":
        await administration.disable_user(door.identity.database, CLI, email=person.email)

    with pytest.raises(InvitationNotFound):
        await door.accept_as_new(token)
    if fate == "removed":
        assert await door.pending() == []


async def test_a_former_owner_s_invitation_makes_no_owner(door: Door) -> None:
    former = await door.identity.new_member(door.company.id, Role.OWNER)
    token = await door.mailed(await door.invite(await door.identity.actor(former), role="owner"))
    owner = await door.identity.actor(door.company.owner)
    async with door.identity.database.transaction(door.company.id) as tx:
        change = ChangeRole.model_validate({"role": "admin"})
        await members.change_role(tx, owner, user_id=former.id, change=change)

    with pytest.raises(InvitationNotFound):
        await door.accept_as_new(token)


async def test_the_database_never_holds_the_token(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    token = await door.mailed(await door.invite(admin))

    async with door.identity.database.system(read_only=True) as tx:
        jobs = await tx.scalar(
            sql("SELECT string_agg(j::text, ' ') FROM job_executions j WHERE workspace_id = :id"),
            {"id": door.company.id},
        )
        rows = await tx.scalar(
            sql("SELECT string_agg(i::text, ' ') FROM invitations i WHERE workspace_id = :id"),
            {"id": door.company.id},
        )

    assert "invitations.send.v1" in jobs
    for form in (token, token[4:], token.encode().hex()):
        assert form not in jobs
        assert form not in rows
