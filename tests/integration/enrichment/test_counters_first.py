"""After the database was restored, usage counters are read before anything is purchased."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from leadflood.domains.enrichment.events import RECONCILE_PURCHASES
from leadflood.domains.enrichment.models import Away, Repeat
from leadflood.domains.enrichment.models.answers import AnswerLost
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.spending.queries import list_purchases
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.hold import Hold
from tests.integration.enrichment.buyer import HIT, Buyer, Provider
from tests.integration.enrichment.test_doubts import Metered, reconcile

Restore = Callable[[], Awaitable[None]]
RESTORED = sql("UPDATE effects_hold SET restored_at = now()")
FORGOTTEN = sql("UPDATE effects_hold SET restored_at = NULL")
LATE = sql("""
INSERT INTO schedules (name, next_run_at) VALUES (:name, now() + interval '15 minutes')
ON CONFLICT (name) DO UPDATE SET next_run_at = excluded.next_run_at
""")
DUE = sql("SELECT next_run_at <= now() FROM schedules WHERE name = :name")
SCHEDULE = {"name": RECONCILE_PURCHASES.name}


@pytest.fixture
async def restore(buyer: Buyer, database: Database) -> AsyncIterator[Restore]:
    """Record that the database was restored. The hold is that of the installation."""
    await buyer.till.budget(1000)
    await Hold(database, lambda: ("tests",)).check()

    async def restored() -> None:
        async with database.system() as tx:
            await tx.execute(RESTORED)
            await tx.execute(LATE, SCHEDULE)

    yield restored
    async with database.system() as tx:
        await tx.execute(FORGOTTEN)


async def purchased(buyer: Buyer) -> int:
    async with buyer.till.database.transaction(buyer.asker.workspace_id) as tx:
        return len((await list_purchases(tx, buyer.till.actor, limit=10)).items)


async def test_a_purchase_waits_until_the_counter_is_read_which_is_soon(buyer: Buyer, restore: Restore) -> None:
    await restore()
    provider = Metered([HIT])

    step = await buyer.ask(provider)

    assert step.state is StepState.WAITING
    assert step.sentence == "The database was restored, so the provider's count of calls is read first."
    assert step.until is not None
    assert step.until > utc_now()
    assert (provider.calls, await purchased(buyer)) == ([], 0)
    async with buyer.till.database.system() as tx:
        assert await tx.scalar(DUE, SCHEDULE), "it does not wait for a quarter of an hour"
    await reconcile(buyer, provider)
    assert (await buyer.ask(provider)).state is StepState.FOUND


async def test_a_counter_that_says_more_than_the_restored_books_stops_the_first_purchase(
    buyer: Buyer, restore: Restore
) -> None:
    provider = Metered([HIT])
    await reconcile(buyer, provider)
    provider.counted = 4  # purchases that the restored database has lost
    await restore()

    assert (await buyer.ask(provider)).state is StepState.WAITING, "an older reading is none"
    await reconcile(buyer, provider)
    step = await buyer.ask(provider)

    assert step.sentence == "It is paused: its provider charged 4 units that are not in the books."
    assert provider.calls == []


async def test_a_purchase_does_not_wait_for_a_counter_that_is_unavailable(buyer: Buyer, restore: Restore) -> None:
    await restore()
    provider = Metered([HIT], counted=Away("It is down."))
    await buyer.ask(provider)

    await reconcile(buyer, provider)

    assert (await buyer.ask(provider)).state is StepState.FOUND


async def test_a_purchase_does_not_wait_for_a_counter_that_says_nothing_about_lost_calls(
    buyer: Buyer, restore: Restore
) -> None:
    provider, other = Metered([AnswerLost("Cut.")]), Metered([HIT])
    other.spec = replace(other.spec, name="other", family=provider.spec.family)
    await buyer.till.price(source="other")
    await buyer.ask(provider)
    await restore()

    assert (await buyer.ask(other)).state is StepState.WAITING
    await reconcile(buyer, provider, other)

    assert (await buyer.ask(other)).state is StepState.FOUND


async def test_a_source_without_a_counter_does_not_wait(buyer: Buyer, restore: Restore) -> None:
    await restore()
    assert (await buyer.ask(Provider([HIT], Repeat.NEVER))).state is StepState.FOUND
