"""Calls that cost money: purchased before, settled with their answer, in doubt without one, and stopped exactly."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from leadflood.domains.enrichment.engine.postgres import PostgresLookups
from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Busy,
    Fetcher,
    Missed,
    Question,
    Refused,
    Repeat,
    Ticket,
)
from leadflood.domains.enrichment.models.answers import AnswerLost
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.spending.models import BudgetState
from leadflood.kernel.clock import utc_now
from leadflood.kernel.hold import EffectsOnHold
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.buyer import HIT, LATER, Buyer, Provider
from tests.integration.spending.till import PRICE


async def test_an_answer_is_settled_by_its_units_and_never_paid_for_twice(buyer: Buyer) -> None:
    provider, budget_id = Provider([HIT]), await buyer.till.budget(100)

    first, second = await buyer.ask(provider), await buyer.ask(provider)
    third = await buyer.ask(provider, fresh=True)

    assert (first.state, second.stored, third.stored) == (StepState.FOUND, True, True)
    assert len(provider.calls) == 1
    assert await buyer.till.sums(budget_id) == (0, 0, 2 * PRICE)
    assert await buyer.till.violations() == []


@pytest.mark.parametrize(
    ("answer", "spent"),
    [
        (Missed("Nothing.", units=1), PRICE),
        (Missed("Nothing."), 0),
        (Refused("No."), 0),
        (Away("It has a problem of its own."), 0),
        (Busy("Too many requests.", utc_now() + LATER), 0),
        (Busy("Still verifying.", utc_now() + LATER, charged=True), 3 * PRICE),
    ],
    ids=["charged miss", "free miss", "refused", "away", "busy", "busy and charged"],
)
async def test_each_kind_of_end_costs_what_the_provider_charged(
    buyer: Buyer, answer: Answer | Exception, spent: int
) -> None:
    budget_id = await buyer.till.budget(100)

    await buyer.ask(Provider([answer]))

    assert await buyer.till.sums(budget_id) == (0, 0, spent)
    assert await buyer.till.violations() == []


async def test_a_declined_call_is_a_skipped_step_and_leaves_no_trace(buyer: Buyer) -> None:
    provider = Provider([HIT])
    budget_id = await buyer.till.budget(29)

    step = await buyer.ask(provider)

    assert (step.state, step.sentence) == (StepState.SKIPPED, "It can cost more than the budget of the workspace.")
    assert provider.calls == []
    await buyer.till.change(budget_id, limit=30)
    assert (await buyer.ask(provider)).state is StepState.FOUND


@pytest.mark.parametrize("lost", [AnswerLost("It sent no JSON."), ValueError("a fault of ours"), TimeoutError()])
async def test_a_lost_answer_is_in_doubt_and_not_asked_for_again(buyer: Buyer, lost: Exception) -> None:
    provider, budget_id = Provider([lost]), await buyer.till.budget(100)

    await buyer.ask(provider)
    again = await buyer.ask(provider)

    assert await buyer.till.sums(budget_id) == (0, 3 * PRICE, 0)
    assert len(provider.calls) == 1
    assert again.state is StepState.WAITING
    assert again.until is not None
    assert again.until > utc_now() + timedelta(hours=23)
    assert await buyer.till.violations() == []


@pytest.mark.parametrize("repeat", [Repeat.FREE, Repeat.IDEMPOTENT])
async def test_a_lost_call_that_may_be_repeated_is_the_same_purchase(buyer: Buyer, repeat: Repeat) -> None:
    provider, budget_id = Provider([AnswerLost("Cut."), HIT], repeat), await buyer.till.budget(30)

    await buyer.ask(provider)
    step = await buyer.ask(provider)

    assert step.state is StepState.FOUND
    assert provider.calls[0] == provider.calls[1] is not None
    assert await buyer.till.sums(budget_id) == (0, 0, 2 * PRICE)
    assert await buyer.till.violations() == []


async def test_a_worker_that_was_killed_leaves_a_doubt(buyer: Buyer) -> None:
    budget_id = await buyer.till.budget(100)
    called = asyncio.Event()

    class Hanging(Provider):
        async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
            called.set()
            await asyncio.Event().wait()
            raise AssertionError

    lookups = PostgresLookups(buyer.till.database, buyer.asker)
    stopped = asyncio.create_task(buyer.ask(Hanging([])))
    await called.wait()
    await buyer.lose_lease()
    provider = Provider([HIT])
    assert (await buyer.ask(provider)).state is StepState.WAITING
    assert await buyer.till.sums(budget_id) == (0, 3 * PRICE, 0)
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped

    assert (await buyer.ask(provider)).state is StepState.WAITING
    assert provider.calls == []
    assert await buyer.till.sums(budget_id) == (0, 3 * PRICE, 0)
    assert lookups.used == set()


async def test_the_late_answer_of_a_zombie_resolves_the_doubt_and_is_settled_once(buyer: Buyer) -> None:
    budget_id = await buyer.till.budget(100)
    wakes, called = asyncio.Event(), asyncio.Event()

    class Slow(Provider):
        async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
            called.set()
            await wakes.wait()
            return HIT

    zombie = asyncio.create_task(buyer.ask(Slow([])))
    await called.wait()
    await buyer.lose_lease()
    assert (await buyer.ask(Provider([]))).state is StepState.WAITING
    wakes.set()
    await zombie

    assert await buyer.till.sums(budget_id) == (0, 0, 2 * PRICE)
    assert (await buyer.ask(Provider([]))).stored
    assert await buyer.till.violations() == []


async def test_a_ticket_is_submitted_once_polled_without_a_purchase_and_settled_by_its_answer(buyer: Buyer) -> None:
    provider = Provider([Ticket("r1", utc_now()), Away("Down."), HIT], Repeat.NEVER)
    budget_id = await buyer.till.budget(30)

    assert (await buyer.ask(provider)).state is StepState.WAITING
    await buyer.ask(provider)
    assert await buyer.till.sums(budget_id) == (3 * PRICE, 0, 0)
    assert (await buyer.ask(provider)).state is StepState.FOUND

    assert provider.polls == 2
    assert await buyer.till.sums(budget_id) == (0, 0, 2 * PRICE)
    assert await buyer.till.violations() == []


async def test_a_pause_stops_the_next_call_even_a_repeated_one(buyer: Buyer) -> None:
    provider, budget_id = Provider([AnswerLost("Cut."), HIT], Repeat.IDEMPOTENT), await buyer.till.budget(100)
    await buyer.ask(provider)
    await buyer.till.change(budget_id, state=BudgetState.PAUSED)

    step = await buyer.ask(provider)

    assert (step.state, step.sentence) == (StepState.SKIPPED, "The budget of the workspace is paused.")
    assert len(provider.calls) == 1
    await buyer.till.change(budget_id, state=BudgetState.OPEN)
    assert (await buyer.ask(provider)).state is StepState.FOUND


async def test_a_call_of_a_job_that_does_not_run_is_not_purchased(buyer: Buyer) -> None:
    provider, budget_id = Provider([HIT]), await buyer.till.budget(100)
    stopped = Buyer(buyer.till, replace(buyer.asker, job_id=new_id()), buyer.fingerprint)

    step = await stopped.ask(provider)

    assert (step.state, step.sentence) == (StepState.SKIPPED, "It was stopped before it was asked.")
    assert (provider.calls, await buyer.till.sums(budget_id)) == ([], (0, 0, 0))


async def test_the_hold_on_outgoing_effects_costs_nothing(buyer: Buyer) -> None:
    budget_id = await buyer.till.budget(100)

    with pytest.raises(EffectsOnHold):
        await buyer.ask(Provider([EffectsOnHold()]))

    assert await buyer.till.sums(budget_id) == (0, 0, 0)


async def test_eight_runs_of_one_question_purchase_one_call(buyer: Buyer) -> None:
    provider, budget_id = Provider([HIT]), await buyer.till.budget(1000)

    steps = await asyncio.gather(*(buyer.ask(provider) for _ in range(8)))

    assert {step.state for step in steps} == {StepState.FOUND}
    assert len(provider.calls) == 1
    assert await buyer.till.sums(budget_id) == (0, 0, 2 * PRICE)
