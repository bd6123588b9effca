"""Rules of inviting: by whom, in which role, how often, and the response."""

import asyncio
from uuid import UUID

import pytest

from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.errors import AlreadyMember, InvalidToken, OwnerRoleRequired, PermissionEscalation
from leadflood.domains.identity.service import access, administration, api_keys, members
from leadflood.domains.invitations import models, service, store
from leadflood.domains.invitations.errors import (
    InvitationNotFound,
    InvitationThrottled,
    TooManyInvitationMails,
    TooManyInvitations,
)
from leadflood.kernel.actor import SCOPES, Actor, Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.identity.conftest import new_company
from tests.integration.invitations.conftest import Door, new_address
from tests.support.identity import CLI, Person


async def robot(door: Door, person: Person, scopes: list[str]) -> Actor:
    actor = await door.identity.actor(person)
    key = CreateApiKey.model_validate({"name": "Robot", "scopes": scopes})
    async with door.identity.database.transaction(actor.workspace_id) as tx:
        token = (await api_keys.create_api_key(tx, actor, key=key)).token
    return (await access.authenticate(door.identity.database, token)).actor


async def pass_time(door: Door, interval: str) -> None:
    """Let all invitations of the company be so much older."""
    move = sql("""
        UPDATE invitations SET last_sent_at = last_sent_at - CAST(:ago AS text)::interval,
                               expires_at = expires_at - CAST(:ago AS text)::interval
        WHERE workspace_id = :id
    """)
    async with door.identity.database.system() as tx:
        await tx.execute(move, {"id": door.company.id, "ago": interval})


async def test_known_and_unknown_addresses_get_the_same_answer(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    known = await door.identity.new_person()
    disabled = await door.identity.new_person()
    await administration.disable_user(door.identity.database, CLI, email=disabled.email)

    answers = [await door.invite(admin, email) for email in (known.email, disabled.email, new_address())]

    own = {"id", "email", "delivery", "created_at", "last_sent_at", "expires_at"}
    assert len({answer.model_dump_json(exclude=own) for answer in answers}) == 1
    assert {answer.delivery.state for answer in answers} == {"waiting"}
    assert answers[0].invited_by is not None
    assert answers[0].invited_by.id == admin.user_id
    assert [item.id for item in await door.pending()] == [answer.id for answer in reversed(answers)]


async def test_a_member_needs_no_invitation(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])

    with pytest.raises(AlreadyMember):
        await door.invite(admin, door.company.people[Role.VIEWER].email.upper())


async def test_inviting_needs_the_same_rights_as_adding(door: Door) -> None:
    people = door.company.people
    admin, owner = await door.identity.actor(people[Role.ADMIN]), await door.identity.actor(people[Role.OWNER])
    wide = await robot(door, people[Role.OWNER], [scope.value for scope in SCOPES])
    narrow = await robot(door, people[Role.OWNER], ["members:write"])

    for actor in (admin, wide):
        with pytest.raises(OwnerRoleRequired):
            await door.invite(actor, role="owner")
    with pytest.raises(PermissionEscalation):
        await door.invite(narrow, role="viewer")
    made = await door.invite(owner, role="owner")
    for act in (door.revoke, door.resend):
        with pytest.raises(OwnerRoleRequired):
            await act(admin, made.id)
    await door.invite(wide, role="admin")
    await door.revoke(owner, made.id)


async def test_who_has_just_been_removed_invites_nobody(door: Door) -> None:
    person = door.company.people[Role.ADMIN]
    admin, owner = await door.identity.actor(person), await door.identity.actor(door.company.owner)
    async with door.identity.database.transaction(door.company.id) as tx:
        await members.remove_member(tx, owner, user_id=person.id)

    with pytest.raises(InvalidToken):
        await door.invite(admin)


async def test_a_new_invitation_replaces_the_open_one(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    email = new_address()
    first = await door.invite(admin, email)
    token = await door.mailed(first)
    await pass_time(door, "1 minute")

    second = await door.invite(admin, email.upper(), "viewer")

    assert [item.id for item in await door.pending()] == [second.id]
    with pytest.raises(InvitationNotFound):
        await door.accept_as_new(token)
    assert (await door.accept_as_new(await door.mailed(second))).email.lower() == email
    assert (await door.members())[second.email].role is Role.VIEWER


async def test_an_address_gets_one_mail_a_minute_whatever_is_tried(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    email = new_address()
    made = await door.invite(admin, email)

    with pytest.raises(InvitationThrottled) as caught:
        await door.resend(admin, made.id)
    assert 0 < int(caught.value.headers["Retry-After"]) <= 60
    with pytest.raises(InvitationThrottled):
        await door.invite(admin, email)
    await door.revoke(admin, made.id)
    with pytest.raises(InvitationThrottled):
        await door.invite(admin, email)

    await pass_time(door, "59 seconds")
    with pytest.raises(InvitationThrottled):
        await door.invite(admin, email)
    await pass_time(door, "1 second")
    await door.invite(admin, email)


async def test_one_address_invited_many_times_at_once_is_invited_once(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    email = new_address()

    answers = await asyncio.gather(*(door.invite(admin, email) for _ in range(6)), return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == ["InvitationThrottled"] * 5 + ["InvitationView"]
    assert len(await door.pending()) == 1


async def test_sending_again_gives_a_new_link_and_a_full_life(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    made = await door.invite(admin)
    first = await door.mailed(made)
    await pass_time(door, "8 days")
    assert [item.state for item in await door.pending()] == ["expired"]
    with pytest.raises(InvitationNotFound):
        await door.accept_as_new(first)

    owner = await door.identity.actor(door.company.owner)
    again = await door.resend(owner, made.id)

    assert (again.id, again.sends, again.state, again.delivery.state) == (made.id, 2, "open", "waiting")
    assert again.invited_by is not None
    assert again.invited_by.id == owner.user_id
    second = await door.mailed(again)
    assert second != first
    with pytest.raises(InvitationNotFound):
        await door.accept_as_new(first)
    await door.accept_as_new(second)


async def test_a_revoked_invitation_is_over(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    made = await door.invite(admin)
    token = await door.mailed(made)

    await door.revoke(admin, made.id)

    assert await door.pending() == []
    for act in (door.revoke, door.resend):
        with pytest.raises(InvitationNotFound):
            await act(admin, made.id)
    with pytest.raises(InvitationNotFound):
        await service.preview(door.identity.database, token)
    assert await door.actions() == ["invitation.sent", "invitation.revoked"]


@pytest.mark.parametrize("invitation_id", ["unknown", "foreign"])
async def test_an_invitation_of_another_workspace_looks_like_an_unknown_one(door: Door, invitation_id: str) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    theirs = Door(door.identity, await new_company(door.identity), door.post)
    foreign = await theirs.invite(await door.identity.actor(theirs.company.owner))
    asked: UUID = new_id() if invitation_id == "unknown" else foreign.id

    for act in (door.revoke, door.resend):
        with pytest.raises(InvitationNotFound):
            await act(admin, asked)
    assert len(await theirs.pending()) == 1


async def test_a_workspace_has_only_so_many_open_invitations(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_OPEN", 3)
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    expired = await door.invite(admin)
    await pass_time(door, "8 days")
    made = [await door.invite(admin) for _ in range(3)]

    with pytest.raises(TooManyInvitations):
        await door.invite(admin)
    with pytest.raises(TooManyInvitations):
        await door.resend(admin, expired.id)

    await door.revoke(admin, made[0].id)
    racing = await asyncio.gather(*(door.invite(admin) for _ in range(4)), return_exceptions=True)
    assert [type(item) for item in racing if isinstance(item, Exception)] == [TooManyInvitations] * 3


async def test_inviting_and_revoking_others_is_no_way_to_send_mail_without_end(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_MAILS_A_DAY", 3)
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    first = await door.invite(admin)
    await pass_time(door, "1 minute")
    await door.resend(admin, first.id)
    await door.revoke(admin, first.id)

    racing = await asyncio.gather(*(door.invite(admin) for _ in range(3)), return_exceptions=True)

    assert [type(item) for item in racing if isinstance(item, Exception)] == [TooManyInvitationMails] * 2
    with pytest.raises(TooManyInvitationMails) as caught:
        await door.invite(admin)
    assert 3600 < int(caught.value.headers["Retry-After"]) <= 86_400
    await pass_time(door, "1 day")
    await door.invite(admin)


async def test_what_ended_long_ago_is_forgotten(door: Door) -> None:
    admin = await door.identity.actor(door.company.people[Role.ADMIN])
    await door.invite(admin)
    await pass_time(door, f"{models.VALID_DAYS + models.PURGE_AFTER_DAYS + 1} days")
    recent = await door.invite(admin)

    async with door.identity.database.system() as tx:
        assert await store.purge_expired(tx, limit=1000) >= 1

    assert [item.id for item in await door.pending()] == [recent.id]
