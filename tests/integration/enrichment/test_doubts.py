"""Calls whose answer was lost are resolved by evidence, or written off after a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import pytest

from leadflood.domains.enrichment.jobs.reconciling import reconciling
from leadflood.domains.enrichment.models import Away, Fetcher, Found, Repeat, Source
from leadflood.domains.enrichment.models.answers import AnswerLost
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.service.workspace_sources import FixedSources
from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.registry import JobContext
from leadflood.domains.spending.models import PurchaseState
from leadflood.domains.spending.queries import list_purchases
from leadflood.domains.spending.service.purchases import NO_PRICE
from leadflood.kernel.db.sql import sql
from tests.integration.enrichment.buyer import HIT, Buyer, Provider
from tests.integration.spending.till import PRICE
from tests.support.canned_web import CannedFetcher

LOST = AnswerLost("It sent no JSON.")
# Let a day pass for a doubt.
AGE = sql("UPDATE lookups SET doubted_at = doubted_at - interval '25 hours' WHERE workspace_id = :workspace_id")
# Let the time of a caller pass.
EXPIRE = sql("UPDATE lookups SET claimed_until = now() WHERE workspace_id = :workspace_id")


@dataclass
class Metered(Provider):
    """A provider with a counter. `counted`: what it says, or why it does not."""

    repeat: Repeat = Repeat.RECONCILE
    counted: int | Exception = 0

    async def usage(self, fetcher: Fetcher) -> int:
        if isinstance(self.counted, Exception):
            raise self.counted
        return self.counted


async def reconcile(buyer: Buyer, *sources: Source) -> None:
    """Run the job."""
    (job,) = reconciling(buyer.till.database, FixedSources(sources), lambda _: cast("Fetcher", CannedFetcher()))
    await job.handler(cast("JobContext[NoPayload]", None))


async def pass_time(buyer: Buyer, statement: object) -> None:
    async with buyer.till.database.transaction(buyer.asker.workspace_id) as tx:
        await tx.execute(statement, {"workspace_id": buyer.asker.workspace_id})  # type: ignore[arg-type]


async def states(buyer: Buyer) -> Sequence[PurchaseState]:
    async with buyer.till.database.transaction(buyer.asker.workspace_id) as tx:
        return [item.state for item in (await list_purchases(tx, buyer.till.actor, limit=10)).items]


@pytest.mark.parametrize("repeat", [Repeat.NEVER, Repeat.IDEMPOTENT])
async def test_a_doubt_without_evidence_is_written_off_after_a_day(buyer: Buyer, repeat: Repeat) -> None:
    provider, budget_id = Provider([LOST], repeat), await buyer.till.budget(100)
    await buyer.ask(provider)

    await reconcile(buyer, provider)
    assert await buyer.till.sums(budget_id) == (0, 3 * PRICE, 0)
    await pass_time(buyer, AGE)
    await reconcile(buyer, provider)

    assert await buyer.till.sums(budget_id) == (0, 0, 3 * PRICE)
    step = await buyer.ask(provider)
    assert (step.state, step.stored) == (StepState.REFUSED, True)
    assert "may cost twice" in step.sentence
    assert len(provider.calls) == 1
    assert await buyer.till.violations() == []


async def test_a_call_whose_worker_never_came_back_is_held(buyer: Buyer) -> None:
    budget_id = await buyer.till.budget(100)

    class Killed(Provider):
        async def ask(self, *_: object) -> Found:
            await pass_time(buyer, EXPIRE)
            await reconcile(buyer)
            return HIT

    step = await buyer.ask(Killed([]))

    assert step.state is StepState.FOUND, "its answer came after all"
    assert await states(buyer) == [PurchaseState.SETTLED]
    assert await buyer.till.sums(budget_id) == (0, 0, 2 * PRICE)


@pytest.mark.parametrize(("counted", "state"), [(10, PurchaseState.RELEASED), (13, PurchaseState.SETTLED)])
async def test_the_counter_of_the_provider_resolves_a_doubt(buyer: Buyer, counted: int, state: PurchaseState) -> None:
    provider, budget_id = Metered([LOST, HIT]), await buyer.till.budget(100)
    provider.counted = 10
    await reconcile(buyer, provider)
    await buyer.ask(provider)
    provider.counted = counted

    await reconcile(buyer, provider)

    assert await states(buyer) == [state]
    assert await buyer.till.sums(budget_id) == (0, 0, (counted - 10) * PRICE)
    step = await buyer.ask(provider)
    assert step.state is (StepState.FOUND if state is PurchaseState.RELEASED else StepState.REFUSED)
    assert await buyer.till.violations() == []


async def test_what_the_counter_does_not_tell_stays_in_doubt(buyer: Buyer) -> None:
    provider, budget_id = Metered([LOST]), await buyer.till.budget(100)
    await buyer.ask(provider)
    for counted in (10, Away("It is down."), 14):
        provider.counted = counted
        await reconcile(buyer, provider)

    assert await buyer.till.sums(budget_id) == (0, 3 * PRICE, 0)


async def test_a_counter_beyond_the_books_pauses_the_source_until_its_price_is_set_again(buyer: Buyer) -> None:
    provider = Metered([HIT])
    await buyer.till.budget(100)
    provider.counted = 10
    await reconcile(buyer, provider)
    provider.counted = 14  # purchases that a restored database has lost

    await reconcile(buyer, provider)

    step = await buyer.ask(provider)
    assert step.sentence == "It is paused: its provider charged 4 units that are not in the books."
    assert step.sentence != NO_PRICE
    await buyer.till.price()
    await reconcile(buyer, provider)
    assert (await buyer.ask(provider)).state is StepState.FOUND


async def test_a_purchase_written_off_by_hand_ends_its_question(buyer: Buyer) -> None:
    provider = Provider([LOST])
    await buyer.till.budget(100)
    await buyer.ask(provider)
    async with buyer.till.database.transaction(buyer.asker.workspace_id) as tx:
        (found,) = (await list_purchases(tx, buyer.till.actor, limit=1)).items
    purchase_id: UUID = found.id
    assert await buyer.till.write_off(purchase_id)

    await reconcile(buyer, provider)

    assert (await buyer.ask(provider)).state is StepState.REFUSED
