"""Purchases of one process that wait at the same time share transactions, and each keeps its own outcome."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from leadflood.domains.enrichment.engine.ports import Claimed
from leadflood.domains.enrichment.engine.postgres import PostgresLookups
from leadflood.domains.enrichment.engine.purchase_groups import PurchaseGroups
from leadflood.domains.enrichment.models import Repeat, SubjectKind
from leadflood.domains.enrichment.models.lookups import (
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
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.buyer import Buyer
from tests.integration.spending.till import PRICE, SOURCE
from tests.support.asked_sources import fact
from tests.support.statements import counted
from tests.support.waiting import until

CALL = PaidCall(1, Repeat.NEVER)
WAITING = 32
CLAIM_STATEMENTS, ANSWER_STATEMENTS = 10, 8
"""Of a group: BEGIN and COMMIT, the questions, and the books."""
# The budgets, locked by another transaction.
LOCK = sql("SELECT FROM budget_windows WHERE workspace_id = :workspace_id FOR UPDATE")
# Questions that are neither answered nor given back.
OPEN = sql("SELECT count(*) FROM lookups WHERE workspace_id = :workspace_id AND state IN ('asked', 'in_doubt')")


@dataclass
class Process:
    """Purchases of one process."""

    buyer: Buyer

    def __post_init__(self) -> None:
        self.groups = PurchaseGroups(self.buyer.till.database)

    def lookups(self, asker: LookupAsker | None = None) -> PostgresLookups:
        return PostgresLookups(self.buyer.till.database, asker or self.buyer.asker, self.groups)

    async def claim(self, key: LookupKey, asker: LookupAsker | None = None) -> Claimed:
        now = utc_now()
        return await self.lookups(asker).claim(key, now=now, until=now + timedelta(hours=1), paid=CALL)

    async def claim_all(self, keys: Sequence[LookupKey]) -> list[Claimed]:
        return [*await asyncio.gather(*(self.claim(key) for key in keys))]

    async def answer(self, key: LookupKey, claim: Claimed) -> bool:
        assert isinstance(claim, LookupClaim), claim
        now = utc_now()
        outcome = LookupOutcome(LookupState.FOUND, now, now + timedelta(days=1), [fact(key.fingerprint.hex())], units=1)
        return await self.lookups().answer(key, claim, outcome)

    async def open(self) -> int:
        async with self.buyer.till.database.transaction(self.buyer.asker.workspace_id) as tx:
            return int(await tx.scalar(OPEN, {"workspace_id": self.buyer.asker.workspace_id}))


@pytest.fixture
def process(buyer: Buyer) -> Process:
    return Process(buyer)


def questions(count: int) -> list[LookupKey]:
    return [LookupKey(SOURCE, new_id().bytes * 2) for _ in range(count)]


@pytest.mark.parametrize("count", [1, WAITING])
async def test_a_group_takes_one_transaction_to_purchase_and_one_to_settle_of_few_statements(
    process: Process, count: int
) -> None:
    budget_id = await process.buyer.till.budget(10_000)
    (first,), keys = questions(1), questions(count)
    await process.answer(first, await process.claim(first))  # which opens the windows of the budget
    with counted(process.buyer.till.database.pool) as claiming:
        claims = await process.claim_all(keys)
    with counted(process.buyer.till.database.pool) as answering:
        assert all(await asyncio.gather(*(process.answer(*each) for each in zip(keys, claims, strict=True))))

    for counted_ones, expected in ((claiming, CLAIM_STATEMENTS), (answering, ANSWER_STATEMENTS)):
        assert [text for text in counted_ones.texts if text.startswith("BEGIN")] == counted_ones.texts[:1]
        assert len(counted_ones) == expected, counted_ones.texts
    assert await process.buyer.till.sums(budget_id) == (0, 0, (1 + count) * PRICE)
    stored = [await process.lookups().stored(key, now=utc_now()) for key in keys]
    assert [each.facts[0].value for each in stored if each] == [key.fingerprint.hex() for key in keys]
    assert await process.buyer.till.violations() == []


async def test_a_purchase_that_fails_does_not_fail_those_it_waited_with(process: Process) -> None:
    budget_id = await process.buyer.till.budget(10_000)
    unknown = LookupAsker(process.buyer.asker.workspace_id, SubjectKind.COMPANY, new_id())
    keys = questions(WAITING)
    calls = [process.claim(key, unknown if place == WAITING // 2 else None) for place, key in enumerate(keys)]

    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert isinstance(outcomes.pop(WAITING // 2), IntegrityError)
    assert all(isinstance(each, LookupClaim) for each in outcomes), outcomes
    assert await process.buyer.till.sums(budget_id) == ((WAITING - 1) * PRICE, 0, 0)
    assert await process.buyer.till.violations() == []


async def test_a_group_is_admitted_in_the_order_of_its_calls_as_far_as_the_money_goes(process: Process) -> None:
    budget_id = await process.buyer.till.budget(5 * PRICE)

    claims = await process.claim_all(questions(8))

    assert [isinstance(each, LookupClaim) for each in claims] == [True] * 5 + [False] * 3
    declined = {each.sentence for each in claims if isinstance(each, LookupDeclined)}
    assert declined == {"The budget of the workspace is used up."}
    assert await process.buyer.till.sums(budget_id) == (5 * PRICE, 0, 0)
    assert await process.open() == 5


async def test_a_question_that_waits_several_times_is_purchased_once(process: Process) -> None:
    budget_id = await process.buyer.till.budget(10_000)
    (key,) = questions(1)

    claims = await process.claim_all([*questions(1), *[key] * 8])

    assert [type(each) for each in claims[1:]] == [LookupClaim] + [LookupInProgress] * 7
    assert await process.buyer.till.sums(budget_id) == (2 * PRICE, 0, 0)


async def test_processes_that_claim_the_same_questions_in_any_order_purchase_each_once(process: Process) -> None:
    budget_id = await process.buyer.till.budget(10_000)
    keys, other = questions(WAITING), Process(process.buyer)

    there, back = await asyncio.gather(process.claim_all(keys), other.claim_all(keys[::-1]))

    for ours, theirs in zip(there, back[::-1], strict=True):
        assert {type(ours), type(theirs)} == {LookupClaim, LookupInProgress}
    assert await process.buyer.till.sums(budget_id) == (WAITING * PRICE, 0, 0)


async def test_what_is_purchased_for_a_caller_who_was_stopped_is_given_back(process: Process) -> None:
    budget_id = await process.buyer.till.budget(10_000)
    workspace_id = process.buyer.asker.workspace_id
    await process.claim_all(questions(1))
    async with process.buyer.till.database.transaction(workspace_id) as tx:
        await tx.execute(LOCK, {"workspace_id": workspace_id})
        with counted(process.buyer.till.database.pool) as begun:
            stopped = [asyncio.create_task(process.claim(key)) for key in questions(3)]
            await until(lambda: any("CROSS JOIN clock" in text for text in begun.texts))
        for task in stopped:  # the first one waits for the lock, the others for the first one
            task.cancel()

    ended = await asyncio.gather(*stopped, return_exceptions=True)
    await process.claim_all(questions(1))  # which is served after them
    assert [type(each) for each in ended] == [asyncio.CancelledError] * 3
    assert await process.buyer.till.sums(budget_id) == (2 * PRICE, 0, 0)
    assert await process.open() == 2


async def test_an_answer_that_was_paid_for_is_stored_though_its_caller_was_stopped(process: Process) -> None:
    budget_id, workspace_id = await process.buyer.till.budget(10_000), process.buyer.asker.workspace_id
    keys, waits = questions(3), asyncio.Event()
    claims = await process.claim_all(keys)

    async def wait() -> None:
        waits.set()
        await process.answer(keys[1], claims[1])

    async with process.buyer.till.database.transaction(workspace_id) as tx:
        await tx.execute(LOCK, {"workspace_id": workspace_id})
        with counted(process.buyer.till.database.pool) as begun:
            served = asyncio.create_task(process.answer(keys[0], claims[0]))
            await until(lambda: len(begun) > 0)
        stopped = asyncio.create_task(wait())
        await waits.wait()
        stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped

    assert await served
    assert await process.answer(keys[2], claims[2]), "it is served after the others"
    assert await process.buyer.till.sums(budget_id) == (0, 0, 3 * PRICE)
