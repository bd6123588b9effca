"""Login, its throttle, and refresh."""

import asyncio
import threading
from uuid import UUID

import pytest

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import LoginView
from leadflood.domains.identity.errors import InvalidCredentials, InvalidToken, LoginThrottled
from leadflood.domains.identity.service import access, administration, signin
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id
from leadflood.kernel.threads import PASSWORD_HASHING
from tests.integration.identity.conftest import Company, CountingHasher
from tests.support.identity import CLI, Identity, Person
from tests.support.postgres import Cluster
from tests.support.waiting import soon, turns

STRANGER = Person(UUID(int=1), "nobody@acme.test")


async def failures(identity: Identity, count: int, person: Person, ip: str | None = None) -> list[type[Exception]]:
    """Errors of this many parallel logins with a wrong password."""
    tries = (identity.login(person, password="wrong horse battery", ip=ip) for _ in range(count))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(answer, Exception) for answer in answers)
    return [type(answer) for answer in answers if isinstance(answer, Exception)]


async def pass_the_window(database: Database) -> None:
    async with database.system() as tx:
        await tx.execute(sql("UPDATE login_failures SET window_started_at = window_started_at - interval '15 minutes'"))


async def refreshed(identity: Identity, token: str) -> str:
    tokens = await signin.refresh(identity.database, identity.settings, refresh_token=token)
    return tokens.refresh_token


async def is_live(identity: Identity, access_token: str) -> bool:
    try:
        await access.authenticate(identity.database, access_token)
    except InvalidToken:
        return False
    return True


async def test_a_login_gives_tokens_for_the_workspace_and_names_the_others(
    identity: Identity, company: Company
) -> None:
    second = await identity.new_workspace(company.owner, "Second")

    first_choice = await identity.login(company.owner)
    asked_for = await identity.login(company.owner, second)

    assert first_choice.workspace.id == company.id
    assert (asked_for.workspace.id, asked_for.workspace.name, asked_for.workspace.role) == (second, "Second", "owner")
    assert [workspace.id for workspace in asked_for.workspaces] == [company.id, second]
    assert asked_for.user.email == company.owner.email
    assert (asked_for.expires_in, asked_for.token_type) == (identity.settings.access_token_seconds, "Bearer")
    actor = (await access.authenticate(identity.database, asked_for.access_token)).actor
    assert (actor.workspace_id, actor.user_id, actor.role) == (second, company.owner.id, Role.OWNER)


async def test_an_address_is_known_in_any_spelling(identity: Identity, company: Company) -> None:
    shouting = Person(company.owner.id, company.owner.email.upper())

    assert (await identity.login(shouting)).user.id == company.owner.id


async def test_every_failed_login_gets_the_same_answer_for_the_same_work(
    identity: Identity, company: Company, hasher: CountingHasher
) -> None:
    disabled = await identity.new_member(company.id, Role.MEMBER)
    await administration.disable_user(identity.database, CLI, email=disabled.email)
    homeless = await identity.new_person()
    foreign = await identity.new_workspace(homeless)
    wrong = Person(company.owner.id, company.owner.email, "not the right password")
    cases: list[tuple[Person, UUID | None]] = [
        (wrong, None),
        (STRANGER, None),
        (disabled, None),
        (await identity.new_person(), None),
        (company.owner, foreign),
        (company.owner, new_id()),
    ]
    answers = []
    work = []
    for person, workspace_id in cases:
        before = hasher.verified
        with pytest.raises(InvalidCredentials) as caught:
            await identity.login(person, workspace_id)
        work.append(hasher.verified - before)
        answers.append((caught.value.status, caught.value.code, caught.value.detail, caught.value.headers))

    assert work == [1] * len(cases)
    assert len({str(answer) for answer in answers}) == 1


async def test_no_transaction_is_open_while_a_password_is_verified(
    identity: Identity, company: Company, hasher: CountingHasher, cluster: Cluster
) -> None:
    actor = await identity.actor(company.owner)
    hasher.look = lambda: cluster.run(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tests' AND xact_start IS NOT NULL"
    )

    await identity.login(company.owner)
    await identity.change_password(actor, company.owner.password, "eleven green otters")

    assert hasher.seen[-2:] == ["0", "0"]


@pytest.mark.parametrize("known", [True, False])
async def test_fifty_parallel_guesses_are_verified_no_more_often_than_the_limit(
    identity: Identity, company: Company, hasher: CountingHasher, known: bool
) -> None:
    person = company.owner if known else Person(new_id(), f"{new_id().hex}@acme.test")

    answers = await failures(identity, 50, person)

    assert hasher.verified == identity.settings.max_login_attempts
    assert answers.count(InvalidCredentials) == identity.settings.max_login_attempts
    assert answers.count(LoginThrottled) == 50 - identity.settings.max_login_attempts


async def test_a_throttled_account_can_log_in_when_the_window_has_passed(identity: Identity, company: Company) -> None:
    await failures(identity, 12, company.owner)
    with pytest.raises(LoginThrottled) as caught:
        await identity.login(company.owner)
    assert 0 < int(caught.value.headers["Retry-After"]) <= 900
    assert caught.value.status == 429

    await pass_the_window(identity.database)

    await identity.login(company.owner)


async def test_refused_attempts_do_not_use_up_the_address(identity: Identity, company: Company) -> None:
    await failures(identity, 80, company.owner)

    await identity.login(company.people[Role.ADMIN])


async def test_a_success_clears_the_account_and_only_its_own_attempt_of_the_address(
    identity: Identity, company: Company
) -> None:
    few = identity.having(max_login_attempts=2)
    await failures(few, 1, company.owner)
    await few.login(company.owner)
    assert await failures(few, 2, company.owner) == [InvalidCredentials] * 2

    others = [Person(new_id(), f"{new_id().hex}@acme.test") for _ in range(7)]
    assert [await failures(few, 1, other) for other in others] == [[InvalidCredentials]] * 7
    assert await failures(few, 1, Person(new_id(), f"{new_id().hex}@acme.test")) == [LoginThrottled]


async def test_an_ipv6_customer_is_one_address(identity: Identity) -> None:
    few = identity.having(max_login_attempts=1)
    network = f"2001:db8:{new_id().int % 0xFFFF:x}:1::"
    answers = []
    for host in range(6):
        person = Person(new_id(), f"{new_id().hex}@acme.test")
        answers += await failures(few, 1, person, ip=f"{network}{host:x}")

    assert answers == [InvalidCredentials] * 5 + [LoginThrottled]


async def test_a_password_changed_while_it_was_verified_lets_nobody_in(identity: Identity, company: Company) -> None:
    racing = [identity.login(company.owner) for _ in range(8)]
    setting = administration.set_password(
        identity.database, CLI, email=company.owner.email, password="eleven green otters"
    )

    *answers, _ = await asyncio.gather(*racing, setting, return_exceptions=True)

    for answer in answers:
        if isinstance(answer, LoginView):
            assert not await is_live(identity, answer.access_token)
        else:
            assert isinstance(answer, InvalidCredentials)


async def test_a_refresh_gives_new_tokens_and_keeps_the_session(identity: Identity, company: Company) -> None:
    before = await identity.login(company.owner)

    after = await signin.refresh(identity.database, identity.settings, refresh_token=before.refresh_token)

    actors = [(await access.authenticate(identity.database, item.access_token)).actor for item in (before, after)]
    assert actors[0].session_id == actors[1].session_id
    assert after.refresh_token != before.refresh_token
    assert await refreshed(identity, after.refresh_token)


async def test_a_refresh_does_not_prolong_a_session_beyond_its_lifetime(identity: Identity, company: Company) -> None:
    first = await identity.having(session_lifetime_seconds=600).login(company.owner)
    assert (first.expires_in, first.refresh_expires_in) == (600, 600)

    tokens = await signin.refresh(identity.database, identity.settings, refresh_token=first.refresh_token)

    assert tokens.expires_in <= tokens.refresh_expires_in <= 600
    actor = (await access.authenticate(identity.database, tokens.access_token)).actor
    async with identity.database.system() as tx:
        (row,) = await tx.all(
            sql("SELECT expires_at = ends_at AS capped FROM sessions WHERE id = :id"), {"id": actor.session_id}
        )
    assert row.capped


async def test_using_a_refresh_token_again_ends_the_whole_session(identity: Identity, company: Company) -> None:
    stolen = await identity.login(company.owner)
    actor = (await access.authenticate(identity.database, stolen.access_token)).actor
    newest = await signin.refresh(identity.database, identity.settings, refresh_token=stolen.refresh_token)
    other = await identity.login(company.owner)

    with pytest.raises(InvalidToken):
        await refreshed(identity, stolen.refresh_token)

    assert not await is_live(identity, newest.access_token)
    assert not await is_live(identity, stolen.access_token)
    with pytest.raises(InvalidToken):
        await refreshed(identity, newest.refresh_token)
    assert await is_live(identity, other.access_token)
    async with identity.database.transaction(company.id) as tx:
        events = await queries.list_audit_events(tx, Actor.cli(company.id), subject_id=actor.session_id, limit=10)
    assert [(event.action, event.data.get("reason")) for event in events.items] == [
        ("session.ended", "token_reuse"),
        ("session.started", None),
    ]


async def test_of_two_parallel_refreshes_one_wins_and_the_other_ends_the_session(
    identity: Identity, company: Company
) -> None:
    tokens = await identity.login(company.owner)

    answers = await asyncio.gather(
        *(refreshed(identity, tokens.refresh_token) for _ in range(2)), return_exceptions=True
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidToken", "str"]
    assert not await is_live(identity, tokens.access_token)


async def test_what_is_no_living_refresh_token_is_refused(identity: Identity, company: Company) -> None:
    tokens = await identity.login(company.owner)
    async with identity.database.system() as tx:
        await tx.execute(
            sql("UPDATE session_tokens SET expires_at = now() WHERE workspace_id = :id AND kind = 'refresh'"),
            {"id": company.id},
        )

    for token in (tokens.refresh_token, tokens.access_token, "", "lfr_", "\ud800" * 42, "lfr_" + "é" * 38):
        with pytest.raises(InvalidToken):
            await refreshed(identity, token)


async def test_a_purge_takes_what_is_over_and_leaves_what_is_live(identity: Identity, company: Company) -> None:
    old = await identity.login(company.people[Role.MEMBER])
    live = await identity.login(company.owner)
    session = (await access.authenticate(identity.database, old.access_token)).actor.session_id
    async with identity.database.system() as tx:
        await tx.execute(
            sql("UPDATE sessions SET expires_at = now() - interval '31 days' WHERE id = :id"), {"id": session}
        )

    assert await signin.purge(identity.database, limit=1000) >= 1

    assert not await is_live(identity, old.access_token)
    assert await is_live(identity, live.access_token)


async def test_a_login_does_not_wait_for_blocked_threads_of_other_work(identity: Identity, company: Company) -> None:
    gate = threading.Event()
    blocked = [asyncio.ensure_future(asyncio.to_thread(gate.wait)) for _ in range(100)]
    try:
        signed_in = await soon(identity.login(company.owner))
        assert not any(item.done() for item in blocked)
    finally:
        gate.set()
        await asyncio.gather(*blocked)

    assert signed_in.workspace.id == company.id


async def test_a_login_that_no_thread_is_free_for_is_refused_and_not_counted(
    identity: Identity, company: Company
) -> None:
    gate = threading.Event()
    busy: list[asyncio.Future[bool]] = []
    for _ in range(1000):
        busy.append(asyncio.ensure_future(PASSWORD_HASHING.run(gate.wait)))
        await turns(1)
    try:
        refused = await failures(identity, 20, company.owner)
    finally:
        gate.set()
        ended = await asyncio.gather(*busy, return_exceptions=True)

    assert refused == [Unavailable] * 20
    assert ended.count(True) < 100  # the others were refused: the queue is bounded
    assert (await identity.login(company.owner)).workspace.id == company.id
