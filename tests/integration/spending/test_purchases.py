"""Purchases on PostgreSQL: reserved and settled in budgets of every scope, under races, and as the books in memory."""

import asyncio
import random
from datetime import UTC, datetime
from uuid import UUID

import pytest

from leadflood.domains.spending import service
from leadflood.domains.spending.contracts import ChangeBudget, ChangeSpendingSettings, Refund
from leadflood.domains.spending.errors import BudgetClosed, BudgetVersionConflict, DuplicateBudget, PurchaseNotReady
from leadflood.domains.spending.models import BudgetState, Declined, Period, PurchaseState, Reserved, Scope
from leadflood.domains.spending.models.books import Window
from leadflood.domains.spending.queries import get_purchase, price_of
from leadflood.domains.spending.service.purchases import HITS_JUDGED, NO_BATCH_BUDGET, NO_BUDGET, NO_PRICE
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.spending.till import PRICE, SOURCE, Till
from tests.support.memory_books import Books

SEQUENCES, NIGHTLY_SEQUENCES = 25, 100
STEPS = 25
TASKS = 8


def sentences(answers: list[Reserved | Declined]) -> list[str]:
    return [answer.sentence if isinstance(answer, Declined) else "" for answer in answers]


async def test_without_price_or_budget_nothing_is_purchased(till: Till) -> None:
    unpriced = till.order(source="other")

    assert sentences(await till.buy(unpriced, till.order())) == [NO_PRICE, NO_BUDGET]
    await till.budget(100, scope=Scope.SOURCE, subject=SOURCE)
    await till.budget(100, scope=Scope.LEAD)
    assert sentences(await till.buy(till.order())) == [NO_BUDGET], "budgets that only limit further allow nothing"
    async with till.database.transaction(till.actor.workspace_id) as tx:
        assert await price_of(tx, till.actor, source="other") is None
        price = await price_of(tx, till.actor, source=SOURCE)
    assert price is not None
    assert (price.micros, price.currency) == (PRICE, "EUR")


async def test_a_group_is_admitted_in_order_while_every_budget_has_room(till: Till) -> None:
    budget_id = await till.budget(35)
    lead = new_id()
    await till.budget(20, scope=Scope.LEAD)

    answers = await till.buy(*(till.order(subject_id=lead) for _ in range(3)), till.order(), till.order())

    assert sentences(answers) == ["", "", "The budget for one lead or company is used up.", "",
                                  "The budget of the workspace is used up."]  # fmt: skip
    assert await till.sums(budget_id) == (30, 0, 0)
    assert await till.violations() == []


async def test_a_batch_purchases_within_its_own_budget_only(till: Till) -> None:
    await till.budget(100)
    batch_id = new_id()
    order = till.order(batch_id=batch_id)
    assert sentences(await till.buy(order)) == [NO_BATCH_BUDGET]
    async with till.database.transaction(till.actor.workspace_id) as tx:
        await service.open_batch_budget(tx, till.actor, batch_id=batch_id, limit=15)

    first, second = await till.buy(order, till.order(batch_id=batch_id))
    assert isinstance(first, Reserved)
    assert second == Declined("The budget of this enrichment is used up.")

    async with till.database.transaction(till.actor.workspace_id) as tx:
        await service.set_batch_state(tx, till.actor, batch_id=batch_id, state=BudgetState.PAUSED)
    assert sentences(await till.buy(till.order(batch_id=batch_id))) == ["The budget of this enrichment is paused."]


async def test_a_day_ends_in_the_time_zone_of_the_workspace(till: Till) -> None:
    async with till.database.transaction(till.actor.workspace_id) as tx:
        command = ChangeSpendingSettings.model_validate({"timeZone": "Pacific/Auckland"})
        await service.change_settings(tx, till.actor, command=command)
    budget_id = await till.budget(15, period=Period.DAY)

    _, declined = await till.buy(till.order(), till.order())

    window = (await till.show(budget_id)).window
    assert window is not None
    assert window.ends_at is not None
    assert isinstance(declined, Declined)
    assert declined.until == window.ends_at > datetime.now(UTC)
    assert window.ends_at.astimezone(UTC).hour in {11, 12}, "midnight in Auckland"


async def test_a_purchase_is_settled_once_by_what_it_cost(till: Till) -> None:
    budget_id = await till.budget(100)
    purchase_id = await till.bought(units=3)

    assert await till.settle(purchase_id, 2)
    assert await till.sums(budget_id) == (0, 0, 20)
    assert not await till.settle(purchase_id, 2)
    assert await till.sums(budget_id) == (0, 0, 20)

    nothing = await till.bought()
    assert await till.settle(nothing, 0, hit=False)
    assert await till.sums(budget_id) == (0, 0, 20)
    assert await till.violations() == []


async def test_a_doubt_counts_as_spent_until_evidence_or_a_write_off_ends_it(till: Till) -> None:
    budget_id = await till.budget(100)
    lost, late = await till.bought(), await till.bought()
    await till.hold(lost)
    await till.hold(late)
    assert await till.sums(budget_id) == (0, 20, 0)

    assert await till.settle(late, 1), "the answer came after all"
    assert await till.write_off(lost)
    assert not await till.write_off(lost)
    assert await till.sums(budget_id) == (0, 0, 20)

    async with till.database.transaction(till.actor.workspace_id) as tx:
        refunded = await service.refund(
            tx, till.actor, purchase_id=lost, command=Refund.model_validate({"amountMicros": 4})
        )
        with pytest.raises(PurchaseNotReady):
            await service.refund(tx, till.actor, purchase_id=lost, command=Refund.model_validate({"amountMicros": 7}))
    assert (refunded.state, refunded.charged_micros) == (PurchaseState.WRITTEN_OFF, 6)
    assert await till.sums(budget_id) == (0, 0, 16)
    assert await till.violations() == []


async def test_a_charge_beyond_the_maximum_is_booked_and_pauses_the_source(till: Till) -> None:
    budget_id = await till.budget(20)
    purchase_id = await till.bought()

    await till.settle(purchase_id, 3)

    window = (await till.show(budget_id)).window
    assert window is not None
    assert (window.spent_micros, window.overrun_micros, window.left_micros) == (30, 10, 0)
    reason = "It is paused: it charged 3 units for one call, and 1 at most were expected."
    assert sentences(await till.buy(till.order())) == [reason]
    await till.price()
    assert sentences(await till.buy(till.order())) == ["The budget of the workspace is used up."]
    assert await till.violations() == []


async def test_a_source_whose_answers_cost_too_much_on_average_is_paused(till: Till) -> None:
    await till.budget(10_000)
    await till.price(most_per_hit=40)
    for place in range(HITS_JUDGED - 1):
        await till.settle(await till.bought(), 1, hit=place % 5 == 0)
    assert sentences(await till.buy(till.order())) == [""], "too few to judge"

    await till.settle(await till.bought(), 1, hit=False)

    (declined,) = sentences(await till.buy(till.order()))
    assert declined.startswith("It is paused: 4 of its last 20 answers had something")


async def test_a_limit_below_what_is_spent_permits_nothing_and_a_higher_one_does(till: Till) -> None:
    budget_id = await till.budget(40)
    await till.settle(await till.bought(units=3), 3)

    await till.change(budget_id, limit=10)
    assert sentences(await till.buy(till.order())) == ["The budget of the workspace is used up."]
    await till.change(budget_id, limit=41)
    assert sentences(await till.buy(till.order())) == [""]
    async with till.database.transaction(till.actor.workspace_id) as tx:
        with pytest.raises(BudgetVersionConflict):
            await service.change_budget(
                tx,
                till.actor,
                budget_id=budget_id,
                command=ChangeBudget.model_validate({"limitMicros": 1}),
                expected_version=1,
            )


async def test_a_closed_budget_does_not_apply_and_makes_room_for_another_one(till: Till) -> None:
    budget_id = await till.budget(5)
    with pytest.raises(DuplicateBudget):
        await till.budget(100)

    await till.change(budget_id, state=BudgetState.CLOSED)

    assert sentences(await till.buy(till.order())) == [NO_BUDGET]
    with pytest.raises(BudgetClosed):
        await till.change(budget_id, state=BudgetState.OPEN)
    await till.budget(100)
    assert sentences(await till.buy(till.order())) == [""]


async def test_eight_tasks_through_one_budget_never_pass_its_limit(till: Till) -> None:
    total, day = await till.budget(470), await till.budget(400, period=Period.DAY)

    async def spend(seed: int) -> int:
        chance, count = random.Random(seed), 0  # noqa: S311  no secret
        for _ in range(12):
            orders = [till.order(chance.randint(1, 2)) for _ in range(chance.randint(1, 3))]
            for answer in await till.buy(*orders):
                if isinstance(answer, Reserved):
                    count += 1
                    if chance.random() < 0.2:
                        await till.hold(answer.purchase_id)
                    elif chance.random() < 0.9:
                        await till.settle(answer.purchase_id, chance.randint(0, 1))
        return count

    made = await asyncio.gather(*(spend(seed) for seed in range(TASKS)))

    assert sum(made) > TASKS
    assert sum(await till.sums(day)) <= 400
    assert sum(await till.sums(total)) <= 470
    assert await till.violations() == []


async def test_a_pause_that_has_committed_stops_the_next_purchase_of_every_task(till: Till) -> None:
    budget_id = await till.budget(100_000, period=Period.DAY)
    paused = asyncio.Event()
    after: list[Reserved | Declined] = []

    async def spend() -> None:
        late = False
        while not late:
            late = paused.is_set()
            answers = await till.buy(till.order())
            if late:
                after.extend(answers)

    async def pause() -> None:
        await till.change(budget_id, state=BudgetState.PAUSED)
        paused.set()

    await asyncio.gather(*(spend() for _ in range(TASKS)), pause())

    assert set(sentences(after)) == {"The budget of the workspace for today is paused."}
    assert await till.violations() == []


# An entry without its other side.
ONE_SIDED = sql("""
INSERT INTO transfer_entries (workspace_id, transfer_id, window_id, account, amount_micros)
SELECT e.workspace_id, e.transfer_id, e.window_id, 'in_doubt', 5 FROM transfer_entries e
WHERE e.workspace_id = :workspace_id LIMIT 1
""")
# A reservation beyond the limit.
BEYOND = sql("UPDATE budget_windows SET reserved_micros = limit_micros + 1 WHERE workspace_id = :workspace_id")


async def test_the_database_refuses_one_sided_transfers_and_windows_beyond_their_limit(till: Till) -> None:
    await till.budget(100)
    await till.bought()

    for statement in (ONE_SIDED, BEYOND):
        with pytest.raises(IntegrityError):
            async with till.database.transaction(till.actor.workspace_id) as tx:
                await tx.execute(statement, {"workspace_id": till.actor.workspace_id})


@pytest.mark.parametrize(
    "seed",
    [*range(SEQUENCES), *(pytest.param(each, marks=pytest.mark.long) for each in range(SEQUENCES, NIGHTLY_SEQUENCES))],
)
async def test_any_sequence_leaves_the_books_as_they_are_in_memory(till: Till, seed: int) -> None:
    chance, books, known = random.Random(seed), Books(), list[UUID]()  # noqa: S311  no secret
    total, day = await till.budget(300), await till.budget(200, period=Period.DAY)
    for budget_id, limit in ((total, 300), (day, 200)):
        books.windows[budget_id] = Window(budget_id, Scope.WORKSPACE, Period.TOTAL, limit)
    for _ in range(STEPS):
        action = chance.choice(("reserve", "reserve", "settle", "hold", "write_off", "refund"))
        if action == "reserve":
            order = till.order(chance.randint(1, 5))
            (answer,) = await till.buy(order)
            declined = books.reserve(order.id, PRICE * order.most_units, [total, day])
            assert isinstance(answer, Declined) == (declined is not None)
            known += [] if declined else [order.id]
        elif known:
            await _same(till, books, action, chance.choice(known), chance.randint(0, 4))
    for budget_id, window in books.windows.items():
        assert await till.sums(budget_id) == (window.reserved, window.in_doubt, window.spent)
    assert await till.violations() == []


async def _same(till: Till, books: Books, action: str, purchase_id: UUID, units: int) -> None:
    """The same change in the database and in memory."""
    most = books.purchases[purchase_id].most
    if action == "settle":
        charged = min(units * PRICE, most)
        assert await till.settle(purchase_id, charged // PRICE) == books.settle(purchase_id, charged)
    elif action == "hold":
        await till.hold(purchase_id)
        books.hold(purchase_id)
    elif action == "write_off":
        assert await till.write_off(purchase_id) == books.write_off(purchase_id)
    elif books.refund(purchase_id, units + 1):
        async with till.database.transaction(till.actor.workspace_id) as tx:
            await service.refund(
                tx, till.actor, purchase_id=purchase_id, command=Refund.model_validate({"amountMicros": units + 1})
            )
            shown = await get_purchase(tx, till.actor, purchase_id=purchase_id)
        assert shown.charged_micros == books.purchases[purchase_id].charged
