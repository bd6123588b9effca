"""A person decides that a lost call is asked again, once, though it may be charged twice."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from leadflood.domains.enrichment.models import Answer, Fetcher, Found, Question, Refused
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.service.asking_again import ask_again
from leadflood.domains.spending.contracts import PurchaseView
from leadflood.domains.spending.errors import PurchaseNotReady
from leadflood.domains.spending.models import PurchaseState
from leadflood.domains.spending.permissions import SPENDING_READ
from leadflood.domains.spending.queries import list_purchases
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Forbidden
from tests.integration.enrichment.buyer import HIT, Buyer, Provider
from tests.integration.enrichment.test_doubts import AGE, LOST, Metered, pass_time, reconcile
from tests.integration.spending.till import PRICE

ENTRIES = sql("""
SELECT count(*) FROM audit_events
WHERE workspace_id = :workspace_id AND action = 'enrichment.purchase_asked_again'
""")


async def purchases(buyer: Buyer) -> list[PurchaseView]:
    """The purchases, oldest first."""
    async with buyer.till.database.transaction(buyer.asker.workspace_id) as tx:
        return [*(await list_purchases(tx, buyer.till.actor, limit=10)).items][::-1]


async def decide(buyer: Buyer, purchase_id: UUID, actor: Actor | None = None) -> PurchaseView:
    async with buyer.till.database.transaction(buyer.asker.workspace_id) as tx:
        return await ask_again(tx, actor or buyer.till.actor, purchase_id=purchase_id)


async def entries(buyer: Buyer) -> int:
    async with buyer.till.database.transaction(buyer.asker.workspace_id) as tx:
        return int(await tx.scalar(ENTRIES, {"workspace_id": buyer.asker.workspace_id}))


async def test_a_doubt_is_written_off_and_its_question_asked_again_once(buyer: Buyer) -> None:
    provider, budget_id = Provider([LOST, LOST, HIT]), await buyer.till.budget(1000)
    await buyer.ask(provider)
    (first,) = await purchases(buyer)

    assert (await decide(buyer, first.id)).state is PurchaseState.WRITTEN_OFF
    await decide(buyer, first.id)
    assert await buyer.till.sums(budget_id) == (0, 0, 3 * PRICE)
    await buyer.ask(provider)
    await decide(buyer, first.id)
    await buyer.ask(provider)
    assert len(provider.calls) == 2, "the answer was lost again, which needs another decision"
    assert await entries(buyer) == 1

    _, second = await purchases(buyer)
    await decide(buyer, second.id)
    assert (await buyer.ask(provider)).state is StepState.FOUND
    assert len({*provider.calls}) == 3, "each is a purchase of its own"
    for purchase_id in (first.id, second.id):
        await decide(buyer, purchase_id)
    assert (await buyer.ask(provider)).stored
    assert await entries(buyer) == 2
    assert await buyer.till.sums(budget_id) == (0, 0, 8 * PRICE)
    assert await buyer.till.violations() == []


async def test_what_was_written_off_after_a_day_can_be_asked_again(buyer: Buyer) -> None:
    provider, budget_id = Provider([LOST, HIT]), await buyer.till.budget(1000)
    await buyer.ask(provider)
    await pass_time(buyer, AGE)
    await reconcile(buyer, provider)
    assert (await buyer.ask(provider)).state is StepState.REFUSED

    (purchase,) = await purchases(buyer)
    await decide(buyer, purchase.id)

    assert (await buyer.ask(provider)).state is StepState.FOUND
    assert await buyer.till.sums(budget_id) == (0, 0, 5 * PRICE)


async def test_what_evidence_has_settled_stays_settled(buyer: Buyer) -> None:
    provider, budget_id = Metered([LOST, HIT]), await buyer.till.budget(1000)
    await reconcile(buyer, provider)
    await buyer.ask(provider)
    provider.counted = 2
    await reconcile(buyer, provider)

    (purchase,) = await purchases(buyer)
    decided = await decide(buyer, purchase.id)

    assert (decided.state, decided.charged_micros) == (PurchaseState.SETTLED, 2 * PRICE)
    assert (await buyer.ask(provider)).state is StepState.FOUND
    assert await buyer.till.sums(budget_id) == (0, 0, 4 * PRICE)


@pytest.mark.parametrize(
    ("answer", "state", "spent"),
    [(HIT, PurchaseState.SETTLED, 2 * PRICE), (Refused("No."), PurchaseState.RELEASED, 0)],
    ids=["found", "refused"],
)
async def test_an_answer_that_came_late_is_not_asked_for_again(
    buyer: Buyer, answer: Found | Refused, state: PurchaseState, spent: int
) -> None:
    budget_id = await buyer.till.budget(1000)
    wakes, called = asyncio.Event(), asyncio.Event()

    class Slow(Provider):
        async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
            called.set()
            await wakes.wait()
            if isinstance(answer, Refused):
                raise answer
            return answer

    slow = asyncio.create_task(buyer.ask(Slow([])))
    await called.wait()
    (purchase,) = await purchases(buyer)
    with pytest.raises(PurchaseNotReady):
        await decide(buyer, purchase.id)
    await buyer.lose_lease()
    await buyer.ask(Provider([]))
    wakes.set()
    await slow

    assert (await decide(buyer, purchase.id)).state is state
    assert (await buyer.ask(Provider([]))).stored
    assert await entries(buyer) == 0
    assert await buyer.till.sums(budget_id) == (0, 0, spent)


async def test_only_who_may_change_budgets_decides(buyer: Buyer) -> None:
    await buyer.till.budget(1000)
    await buyer.ask(Provider([LOST]))
    (purchase,) = await purchases(buyer)
    member = replace(buyer.till.actor, permissions=frozenset({SPENDING_READ}))

    with pytest.raises(Forbidden):
        await decide(buyer, purchase.id, member)
    assert (await purchases(buyer))[0].state is PurchaseState.IN_DOUBT
