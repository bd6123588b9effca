"""Requirements for every implementation of the engine's ports."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from leadflood.domains.enrichment.engine.memory import MemoryBreakers, MemoryFingerprints, MemoryLookups, MemoryRates
from leadflood.domains.enrichment.engine.ports import Breakers, Lookups, Rates
from leadflood.domains.enrichment.engine.postgres import PostgresBreakers, PostgresLookups, PostgresRates
from leadflood.domains.enrichment.models import Rate, Repeat, SubjectKind, Ticket
from leadflood.domains.enrichment.models.breakers import FAILURES, Breaker
from leadflood.domains.enrichment.models.lookups import (
    NO_PRICE,
    LookupClaim,
    LookupDeclined,
    LookupInProgress,
    LookupKey,
    LookupOutcome,
    LookupState,
    PaidCall,
)
from leadflood.domains.enrichment.store.lookups import LookupAsker
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from tests.conftest import Workspace
from tests.support.asked_sources import fact
from tests.support.canned_web import NOW
from tests.support.new_companies import new_company

KEY = LookupKey("website", b"\x01" * 32)
OTHER = LookupKey("website", b"\x02" * 32)
SAME_QUESTION_TO_ANOTHER_SOURCE = LookupKey("dns", b"\x01" * 32)
UNTIL = NOW + timedelta(seconds=60)
LATER = NOW + timedelta(days=1)
FOUND = LookupOutcome(LookupState.FOUND, NOW, LATER, facts=(fact("Acme"),))


@dataclass
class Ports:
    lookups: Lookups
    rates: Rates
    breakers: Breakers


async def _memory(_database: Database, _workspace_id: UUID) -> Ports:
    return Ports(MemoryLookups(), MemoryRates(), MemoryBreakers())


async def _postgres(database: Database, workspace_id: UUID) -> Ports:
    asker = LookupAsker(workspace_id, SubjectKind.COMPANY, await new_company(database, workspace_id))
    return Ports(PostgresLookups(database, asker), PostgresRates(database), PostgresBreakers(database))


# Gates are shared by all workspaces.
OPEN_GATES = sql("DELETE FROM source_gates")


@pytest.fixture(params=[_memory, _postgres], ids=["memory", "postgres"])
async def ports(request: pytest.FixtureRequest, database: Database, workspace: Workspace) -> Ports:
    async with database.system() as tx:
        await tx.execute(OPEN_GATES)
    make: Callable[[Database, UUID], Awaitable[Ports]] = request.param
    return await make(database, workspace.id)


async def claimed(lookups: Lookups, key: LookupKey = KEY) -> LookupClaim:
    claim = await lookups.claim(key, now=NOW, until=UNTIL)
    assert isinstance(claim, LookupClaim)
    return claim


async def test_one_of_several_callers_asks_and_the_others_get_its_answer(ports: Ports) -> None:
    found = await asyncio.gather(*(ports.lookups.claim(KEY, now=NOW, until=UNTIL) for _ in range(5)))
    (first,) = [each for each in found if isinstance(each, LookupClaim)]
    others = [each for each in found if each is not first]
    assert others == [LookupInProgress(UNTIL)] * 4

    waiting = asyncio.gather(*(ports.lookups.wait(KEY, seconds=30) for _ in others))
    assert await ports.lookups.answer(KEY, first, FOUND)
    await waiting

    assert await ports.lookups.claim(KEY, now=NOW, until=UNTIL) == FOUND


async def test_other_questions_and_other_sources_do_not_wait(ports: Ports) -> None:
    await claimed(ports.lookups)
    await claimed(ports.lookups, OTHER)
    await claimed(ports.lookups, SAME_QUESTION_TO_ANOTHER_SOURCE)


async def test_an_answer_is_good_until_it_expires_whether_a_hit_or_a_miss(ports: Ports) -> None:
    for key, state in ((KEY, LookupState.FOUND), (OTHER, LookupState.MISSED)):
        outcome = LookupOutcome(state, NOW, LATER, sentence="As it is.")
        await ports.lookups.answer(key, await claimed(ports.lookups, key), outcome)

        before = LATER - timedelta(seconds=1)
        assert await ports.lookups.claim(key, now=before, until=UNTIL) == outcome
        again = await ports.lookups.claim(key, now=LATER, until=LATER + timedelta(seconds=60))
        assert isinstance(again, LookupClaim)
        assert again.former == outcome


async def test_a_fresh_answer_can_be_demanded_in_place_of_a_hit_but_not_of_a_miss(ports: Ports) -> None:
    missed = LookupOutcome(LookupState.MISSED, NOW, LATER, sentence="Nothing.")
    await ports.lookups.answer(KEY, await claimed(ports.lookups), FOUND)
    await ports.lookups.answer(OTHER, await claimed(ports.lookups, OTHER), missed)

    assert isinstance(await ports.lookups.claim(KEY, now=NOW, until=UNTIL, newer_than=LATER), LookupClaim)
    assert await ports.lookups.claim(OTHER, now=NOW, until=UNTIL, newer_than=LATER) == missed


async def test_a_ticket_is_polled_by_one_caller(ports: Ports) -> None:
    waiting = LookupOutcome(LookupState.WAITING, NOW, LATER)
    await ports.lookups.answer(KEY, await claimed(ports.lookups), waiting)

    again = await claimed(ports.lookups)
    assert again.former == waiting
    assert await ports.lookups.claim(KEY, now=NOW, until=UNTIL) == LookupInProgress(UNTIL)


async def test_a_released_question_may_be_asked_again(ports: Ports) -> None:
    claim = await claimed(ports.lookups)
    await asyncio.gather(ports.lookups.wait(KEY, seconds=30), ports.lookups.release(KEY, claim))

    assert (await claimed(ports.lookups)).former is None


async def test_a_claim_whose_holder_never_answers_ends(ports: Ports) -> None:
    lost = await claimed(ports.lookups)
    after = UNTIL + timedelta(seconds=1)
    taken = await ports.lookups.claim(KEY, now=after, until=after + timedelta(seconds=60))
    assert isinstance(taken, LookupClaim)

    assert not await ports.lookups.answer(KEY, lost, FOUND)
    await ports.lookups.release(KEY, lost)
    still = await ports.lookups.claim(KEY, now=after, until=after + timedelta(seconds=60))
    assert isinstance(still, LookupInProgress)
    assert await ports.lookups.answer(KEY, taken, FOUND)


async def test_a_late_answer_is_stored_if_no_other_caller_asks(ports: Ports) -> None:
    slow = await claimed(ports.lookups)

    assert await ports.lookups.answer(KEY, slow, FOUND)
    assert not await ports.lookups.answer(KEY, slow, FOUND)


async def test_a_question_that_costs_money_is_declined_without_a_price(ports: Ports) -> None:
    declined = await ports.lookups.claim(KEY, now=NOW, until=UNTIL, paid=PaidCall(1, Repeat.NEVER))

    assert declined == LookupDeclined(NO_PRICE)
    await ports.lookups.answer(KEY, await claimed(ports.lookups), FOUND)
    assert await ports.lookups.claim(KEY, now=NOW, until=UNTIL, paid=PaidCall(1, Repeat.NEVER)) == FOUND, (
        "what is known costs nothing"
    )


async def test_waiting_for_a_question_that_is_not_asked_ends_immediately(ports: Ports) -> None:
    await ports.lookups.wait(KEY, seconds=30)
    await claimed(ports.lookups)
    await ports.lookups.wait(KEY, seconds=0)


async def test_calls_beyond_the_rate_of_a_source_wait_for_their_turn(ports: Ports) -> None:
    rate = Rate(calls=3, seconds=60)

    waits = [await ports.rates.reserve("gleif", rate, now=NOW, most_wait=30) for _ in range(5)]

    assert waits == [0, 0, 0, 20, 40]
    assert await ports.rates.reserve("gleif", rate, now=NOW, most_wait=30) == 40, "nothing was reserved before"
    assert await ports.rates.reserve("gleif", rate, now=NOW + timedelta(seconds=15), most_wait=30) == 25
    assert await ports.rates.reserve("other", rate, now=NOW, most_wait=30) == 0
    assert await ports.rates.reserve("gleif", rate, now=NOW + timedelta(hours=1), most_wait=30) == 0


async def test_a_breaker_opens_lets_one_call_pass_and_closes(ports: Ports) -> None:
    for _ in range(FAILURES):
        assert await ports.breakers.admit("gleif", now=NOW) is None
        await ports.breakers.change("gleif", lambda breaker: breaker.failed(NOW, "GLEIF is down."))

    refusing = await ports.breakers.admit("gleif", now=NOW)
    assert refusing is not None
    assert refusing.reason == "GLEIF is down."
    assert (await ports.breakers.all()).keys() == {"gleif"}
    later = NOW + timedelta(minutes=2)
    assert await ports.breakers.admit("gleif", now=later) is None
    assert await ports.breakers.admit("gleif", now=later) is not None
    assert await ports.breakers.admit("dns", now=NOW) is None
    await ports.breakers.change("gleif", Breaker.succeeded)
    assert await ports.breakers.admit("gleif", now=later) is None
    assert await ports.breakers.all() == {}


async def test_fingerprints_differ_by_part_and_by_key() -> None:
    one, other = MemoryFingerprints(), MemoryFingerprints()

    assert await one.hash(b"a", b"b") == await one.hash(b"a", b"b")
    assert await one.hash(b"a", b"b") != await one.hash(b"ab", b"")
    assert await one.hash(b"a", b"b") != await other.hash(b"a", b"b")


async def test_a_question_with_a_ticket_is_found_by_its_source(ports: Ports) -> None:
    ticket = LookupOutcome(LookupState.WAITING, NOW, utc_now() + timedelta(days=1), ticket=Ticket("r1", NOW))
    assert await ports.lookups.pending(KEY.source) is None
    assert await ports.lookups.answer(KEY, await claimed(ports.lookups), ticket)

    assert await ports.lookups.pending(KEY.source) == KEY
    assert await ports.lookups.pending(SAME_QUESTION_TO_ANOTHER_SOURCE.source) is None
    assert await ports.lookups.answer(KEY, await claimed(ports.lookups), FOUND)
    assert await ports.lookups.pending(KEY.source) is None
