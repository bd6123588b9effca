"""Lookups in the database: workers that race, workers that die, and customers that ask the same."""

import asyncio
from datetime import timedelta

import pytest

from leadflood.domains.enrichment.engine.postgres import PostgresBreakers, PostgresLookups, PostgresRates
from leadflood.domains.enrichment.models import Rate, SubjectKind
from leadflood.domains.enrichment.models import lead_fields as lead
from leadflood.domains.enrichment.models.breakers import FAILURES, Breaker
from leadflood.domains.enrichment.models.lookups import (
    LookupClaim,
    LookupInProgress,
    LookupKey,
    LookupOutcome,
    LookupState,
)
from leadflood.domains.enrichment.store import lookups as store
from leadflood.domains.enrichment.store.lookups import LookupAsker
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import keyed_hash, new_fingerprint_key
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.conftest import Workspace, new_workspace
from tests.integration.enrichment.bench import Bench
from tests.support.asked_sources import fact
from tests.support.new_companies import new_company

COUNT = sql("SELECT count(*) FROM lookups")
VALUES = sql("SELECT field, value FROM found_values ORDER BY id")
FORGET = sql("UPDATE found_values SET retraction_id = :id WHERE field = 'name'")
DAMAGE = sql("UPDATE found_values SET field = 'of_another_release'")


def key() -> LookupKey:
    return LookupKey("website", keyed_hash(new_fingerprint_key(), b"acme.com"), "3")


def found(*values: str) -> LookupOutcome:
    now = utc_now()
    facts = tuple(fact(value) for value in values)
    return LookupOutcome(LookupState.FOUND, now, now + timedelta(days=1), facts, "Two pages were away.", units=2)


async def claim(worker: PostgresLookups, asked: LookupKey, *, seconds: float = 60) -> object:
    now = utc_now()
    return await worker.claim(asked, now=now, until=now + timedelta(seconds=seconds))


@pytest.fixture
async def asker(database: Database, workspace: Workspace) -> LookupAsker:
    return LookupAsker(workspace.id, SubjectKind.COMPANY, await new_company(database, workspace.id), new_id())


async def test_of_eight_workers_one_asks_and_all_have_its_answer(database: Database, asker: LookupAsker) -> None:
    asked, workers = key(), [PostgresLookups(database, asker) for _ in range(8)]
    calls: list[int] = []

    async def run(number: int) -> LookupOutcome:
        while True:
            got = await claim(workers[number], asked)
            if isinstance(got, LookupOutcome):
                return got
            if isinstance(got, LookupClaim):
                calls.append(number)
                assert await workers[number].answer(asked, got, found("Acme \U0001f680"))
            else:
                await workers[number].wait(asked, seconds=10)

    outcomes = await asyncio.gather(*(run(number) for number in range(8)))

    assert len(calls) == 1
    assert {outcome.facts for outcome in outcomes} == {outcomes[0].facts}
    assert [each.value for each in outcomes[0].facts] == ["Acme \U0001f680"]
    assert (outcomes[0].units, outcomes[0].sentence) == (2, "Two pages were away.")
    async with database.transaction(asker.workspace_id) as tx:
        assert await tx.scalar(COUNT) == 1


async def test_an_answer_that_was_stored_before_its_worker_died_is_not_asked_for_again(
    database: Database, asker: LookupAsker
) -> None:
    asked, dying, next_one = key(), PostgresLookups(database, asker), PostgresLookups(database, asker)
    got = await claim(dying, asked)
    assert isinstance(got, LookupClaim)
    await dying.answer(asked, got, found("Acme"))

    assert isinstance(await claim(next_one, asked), LookupOutcome)


async def test_a_worker_that_died_before_the_answer_hands_the_question_over_with_its_job(
    database: Database, asker: LookupAsker
) -> None:
    asked, dead, next_one = key(), PostgresLookups(database, asker), PostgresLookups(database, asker)
    lost = await claim(dead, asked)
    assert isinstance(lost, LookupClaim)
    assert isinstance(await claim(next_one, asked), LookupInProgress)

    async with database.transaction(asker.workspace_id) as tx:
        await store.end_claims(tx, asker)
    taken = await claim(next_one, asked)

    assert isinstance(taken, LookupClaim)
    assert not await dead.answer(asked, lost, found("Old"))
    assert await next_one.answer(asked, taken, found("New"))
    async with database.transaction(asker.workspace_id) as tx:
        assert [row.value for row in await tx.all(VALUES)] == ["New"]


async def test_an_answer_that_comes_after_its_job_was_taken_over_is_kept_if_nobody_asks_again(
    database: Database, asker: LookupAsker
) -> None:
    asked, slow = key(), PostgresLookups(database, asker)
    got = await claim(slow, asked)
    assert isinstance(got, LookupClaim)
    async with database.transaction(asker.workspace_id) as tx:
        await store.end_claims(tx, asker)

    assert await slow.answer(asked, got, found("Acme"))
    assert isinstance(await claim(slow, asked), LookupOutcome)


async def test_two_customers_ask_the_same_question_without_seeing_each_other(
    database: Database, asker: LookupAsker
) -> None:
    asked, ours = key(), PostgresLookups(database, asker)
    other = await new_workspace(database)
    theirs = PostgresLookups(database, LookupAsker(other, SubjectKind.COMPANY, await new_company(database, other)))
    got = await claim(ours, asked)
    assert isinstance(got, LookupClaim)

    assert isinstance(await claim(theirs, asked), LookupClaim)
    await ours.answer(asked, got, found("Acme"))
    assert isinstance(await claim(theirs, asked), LookupInProgress)
    async with database.transaction(other) as tx:
        assert await tx.all(VALUES) == []


async def test_values_that_only_another_release_knows_are_left_out(database: Database, asker: LookupAsker) -> None:
    asked, worker = key(), PostgresLookups(database, asker)
    got = await claim(worker, asked)
    assert isinstance(got, LookupClaim)
    await worker.answer(asked, got, found("Acme"))
    async with database.transaction(asker.workspace_id) as tx:
        await tx.execute(DAMAGE)
    again = await claim(worker, asked)
    assert isinstance(again, LookupOutcome)
    assert again.facts == ()


async def test_an_answer_with_a_retracted_value_has_expired(database: Database, asker: LookupAsker) -> None:
    asked, worker = key(), PostgresLookups(database, asker)
    got = await claim(worker, asked)
    assert isinstance(got, LookupClaim)
    await worker.answer(asked, got, found("Acme"))
    async with database.transaction(asker.workspace_id) as tx:
        await tx.execute(FORGET, {"id": new_id()})

    again = await claim(worker, asked)
    assert isinstance(again, LookupClaim)
    assert again.former is not None
    assert (again.former.facts, again.former.expires_at) == ((), again.former.answered_at)


async def test_a_purged_lead_takes_its_answers_along(bench: Bench) -> None:
    made = await bench.create()
    worker = PostgresLookups(bench.database, LookupAsker(bench.actor.workspace_id, SubjectKind.LEAD, made.lead_id))
    asked = key()
    got = await claim(worker, asked)
    assert isinstance(got, LookupClaim)
    now = utc_now()
    facts = (fact("valid", of=lead.EMAIL_STATUS),)
    await worker.answer(asked, got, LookupOutcome(LookupState.FOUND, now, now + timedelta(days=1), facts))
    again = await claim(worker, asked)
    assert isinstance(again, LookupOutcome)
    assert again.facts == facts

    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await tx.execute(sql("DELETE FROM leads"))
        assert await tx.scalar(COUNT) == 0
        assert await tx.all(VALUES) == []


async def test_a_rate_and_a_breaker_are_those_of_all_workers(database: Database) -> None:
    name, now = f"source-{new_id().hex}", utc_now()
    rates, breakers = [PostgresRates(database) for _ in range(4)], [PostgresBreakers(database) for _ in range(4)]

    waits = await asyncio.gather(*(one.reserve(name, Rate(2, 10), now=now, most_wait=60) for one in rates))
    assert sorted(waits) == [0, 0, 5, 10]

    await asyncio.gather(
        *(breakers[number % 4].change(name, lambda each: each.failed(now, "Down.")) for number in range(FAILURES))
    )
    assert all([await one.admit(name, now=now) for one in breakers])
    later = now + timedelta(minutes=2)
    passed = await asyncio.gather(*(one.admit(name, now=later) for one in breakers))
    assert sum(refusal is None for refusal in passed) == 1
    await breakers[0].change(name, Breaker.succeeded)
    assert await breakers[1].admit(name, now=now) is None


async def test_a_worker_learns_within_a_second_that_another_one_found_a_source_down(database: Database) -> None:
    name, now, clock = f"source-{new_id().hex}", utc_now(), [0.0]
    one, other = PostgresBreakers(database, clock=lambda: clock[0]), PostgresBreakers(database)
    assert name not in await one.all()

    for _ in range(FAILURES):
        await other.change(name, lambda each: each.failed(now, "Down."))
    assert await one.admit(name, now=now) is None
    clock[0] += 1

    assert await one.admit(name, now=now) is not None
    assert name in await one.all()
