"""Lockouts after wrong passwords: who is affected, and who is not."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from leadflood.domains.identity import queries
from leadflood.domains.identity.errors import InvalidCredentials, LoginThrottled
from leadflood.domains.identity.models import Client
from leadflood.domains.identity.service import administration, devices, sessions
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.clock import utc_now
from tests.integration.identity.conftest import Company, CountingHasher
from tests.support.identity import CLI, Identity, Person, new_client

WRONG = "not the right password"


async def guess(identity: Identity, person: Person, count: int, *, browser: bool = True) -> list[str]:
    """Errors of this many parallel guesses."""
    login = identity.login_browser if browser else identity.login
    answers = await asyncio.gather(*(login(person, password=WRONG) for _ in range(count)), return_exceptions=True)
    return sorted(type(answer).__name__ for answer in answers)


async def guess_from_everywhere(identity: Identity, person: Person, *, browser: bool) -> None:
    """Three guesses from each of fifty addresses."""
    for _ in range(50):
        await guess(replace(identity, client=new_client()), person, 3, browser=browser)


async def test_guesses_from_fifty_addresses_are_ten_and_never_keep_the_owner_out(
    identity: Identity, company: Company, hasher: CountingHasher
) -> None:
    program = replace(identity, client=new_client())
    await program.login(company.owner)
    before = hasher.verified

    await guess_from_everywhere(identity, company.owner, browser=True)
    await identity.known(company.owner).login_browser(company.owner)
    await program.login(company.owner)
    await guess_from_everywhere(identity, company.owner, browser=False)

    assert hasher.verified - before == identity.settings.max_login_attempts + 2
    for stranger in (identity.login_browser, identity.login):
        with pytest.raises(LoginThrottled):
            await stranger(company.owner)
    await identity.known(company.owner).login_browser(company.owner)
    await program.login(company.owner)


async def test_a_known_device_has_a_limit_of_its_own(identity: Identity, company: Company) -> None:
    few = identity.having(max_login_attempts=2)
    stolen, other = few.known(company.owner), few.known(company.owner)

    assert await guess(stolen, company.owner, 6) == ["InvalidCredentials"] * 2 + ["LoginThrottled"] * 4
    with pytest.raises(LoginThrottled):
        await stolen.login_browser(company.owner)

    await other.login_browser(company.owner)
    await few.login_browser(company.owner)
    assert await guess(other, company.owner, 3) == ["InvalidCredentials"] * 2 + ["LoginThrottled"]


async def test_a_device_is_known_for_the_accounts_that_signed_in_and_no_other(
    identity: Identity, company: Company
) -> None:
    few = identity.having(max_login_attempts=1)
    owner, admin, member = company.owner, company.people[Role.ADMIN], company.people[Role.MEMBER]
    for person in (owner, admin, member):
        await guess(few, person, 1)
    shared = few.known(owner)
    shared = few.known(admin, shared.client.device)
    nonce = (shared.client.device or "").partition(".")[0]
    own_tag = devices.remember(few.secret_box, nonce, member.id).partition(".")[2]

    await shared.login_browser(owner)
    await shared.login_browser(admin)
    for forged in (
        shared.client.device,
        f"{nonce}.{'0' * 32}",
        f"{'0' * 32}.{own_tag}",
        f"{nonce}.{own_tag}x",
        "",
        "." * 5000,
        "\ud800",
    ):
        with pytest.raises(LoginThrottled):
            await replace(few, client=replace(new_client(), device=forged)).login_browser(member)
    many = nonce
    for _ in range(9):
        many = devices.remember(few.secret_box, many, company.people[Role.VIEWER].id)
    assert many.count(".") == 1


async def test_an_address_is_known_to_programs_until_its_session_was_ended(
    identity: Identity, company: Company
) -> None:
    few = identity.having(max_login_attempts=1)
    home = replace(few, client=Client(ip="2001:db8:7:7::1"))
    neighbour = replace(few, client=Client(ip="2001:db8:7:7::2"))
    actor = await home.actor(company.owner)
    await guess(few, company.owner, 1)

    await neighbour.login(company.owner)
    for locked_out in (neighbour.login_browser, replace(few, client=Client(ip="2001:db8:7:8::1")).login):
        with pytest.raises(LoginThrottled):
            await locked_out(company.owner)
    second = await home.actor(company.owner)
    assert await sessions.end_other_sessions(few.database, second) == 2
    assert actor.session_id is not None
    async with few.database.transaction(company.id) as tx:
        await sessions.end_session(tx, second, session_id=second.session_id or actor.session_id)

    with pytest.raises(LoginThrottled):
        await neighbour.login(company.owner)


async def test_confirming_with_the_password_is_not_locked_by_strangers(identity: Identity, company: Company) -> None:
    few = identity.having(max_login_attempts=1)
    actor = await few.actor(company.owner)
    await guess(few, company.owner, 2)

    await few.change_password(actor, company.owner.password, "eleven green otters")


async def test_an_operator_unlocks_an_account_with_a_link_for_its_owner(identity: Identity, company: Company) -> None:
    few = identity.having(max_login_attempts=1)
    await guess(few, company.owner, 2)

    code = await administration.unlock_user(few.database, CLI, few.secret_box, email=company.owner.email.upper())

    with pytest.raises(InvalidCredentials):
        await few.login_browser(company.owner, password=WRONG)
    with pytest.raises(LoginThrottled):
        await few.login_browser(company.owner)
    now = utc_now()
    user, until, signature = code.split("-")
    assert devices.opened(few.secret_box, code, now) == company.owner.id
    other = company.people[Role.ADMIN].id.hex
    for bad, when in (
        (code, now + timedelta(minutes=15, seconds=1)),
        (f"{other}-{until}-{signature}", now),
        (f"{user}-{int(until) + 60}-{signature}", now),
        (f"{user}-{'9' * 400}-{signature}", now),
        (f"{user}-{until}-é", now),
        (user, now),
        ("", now),
    ):
        assert devices.opened(few.secret_box, bad, when) is None
    async with few.database.transaction(company.id) as tx:
        page = await queries.list_audit_events(tx, Actor.cli(company.id), action="user.unlocked", limit=5)
    assert [item.subject_id for item in page.items] == [company.owner.id]
