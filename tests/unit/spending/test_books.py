"""The books under any sequence of purchases: sums to zero, no limit passed, nothing settled twice."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from leadflood.domains.spending.models import (
    BookAccount,
    BudgetState,
    Declined,
    Period,
    PurchaseState,
    Scope,
    TransferKind,
)
from leadflood.domains.spending.models.books import Window, refusal, settle
from leadflood.kernel.ids import new_id
from tests.support.memory_books import Books

TONIGHT = datetime(2026, 12, 2, tzinfo=UTC)
AMOUNTS = st.integers(1, 60)


def window(limit: int, *, used: int = 0, scope: Scope = Scope.WORKSPACE, ends_at: datetime | None = None) -> Window:
    period = Period.TOTAL if ends_at is None else Period.DAY
    return Window(new_id(), scope, period, limit, spent=used, ends_at=ends_at)


class BooksMachine(RuleBasedStateMachine):
    """Purchases of three windows, two of which each draws on, in any order of events."""

    purchases = Bundle("purchases")

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.ids: list[UUID] = []
        for limit in (100, 150, 60):
            made = window(limit)
            self.books.windows[made.id] = made
            self.ids.append(made.id)
        self.overrun = False

    @rule(target=purchases, most=AMOUNTS, left_out=st.integers(0, 2))
    def reserve(self, most: int, left_out: int) -> UUID:
        purchase_id = new_id()
        windows = [each for place, each in enumerate(self.ids) if place != left_out]
        fits = all(self.books.windows[each].used + most <= self.books.windows[each].limit for each in windows)
        declined = self.books.reserve(purchase_id, most, windows)
        assert (declined is None) == fits
        return purchase_id

    @rule(purchase_id=purchases)
    def lose(self, purchase_id: UUID) -> None:
        if purchase_id in self.books.purchases:
            before = self.books.purchases[purchase_id].state
            assert self.books.hold(purchase_id) == (before is PurchaseState.RESERVED)

    @rule(purchase_id=purchases, charged=st.integers(0, 80))
    def settle(self, purchase_id: UUID, charged: int) -> None:
        if purchase_id in self.books.purchases:
            before = self.books.purchases[purchase_id]
            done = self.books.settle(purchase_id, charged)
            assert done == (before.state in {PurchaseState.RESERVED, PurchaseState.IN_DOUBT})
            self.overrun |= done and charged > before.most

    @rule(purchase_id=purchases)
    def write_off(self, purchase_id: UUID) -> None:
        if purchase_id in self.books.purchases:
            before = self.books.purchases[purchase_id].state
            assert self.books.write_off(purchase_id) == (before is PurchaseState.IN_DOUBT)

    @rule(purchase_id=consumes(purchases), amount=AMOUNTS)
    def refund(self, purchase_id: UUID, amount: int) -> None:
        if purchase_id in self.books.purchases:
            charged = self.books.purchases[purchase_id].charged
            assert self.books.refund(purchase_id, amount) == (amount <= charged)

    @invariant()
    def entries_sum_to_zero_and_to_the_windows(self) -> None:
        assert sum(amount for _, _, amount in self.books.entries) == 0
        for each in self.books.windows.values():
            sums = dict.fromkeys(BookAccount, 0)
            for window_id, account, amount in self.books.entries:
                if window_id == each.id:
                    sums[account] += amount
            spent = sums[BookAccount.SPENT] + sums[BookAccount.WRITTEN_OFF]
            assert (sums[BookAccount.RESERVED], sums[BookAccount.IN_DOUBT], spent) == (
                each.reserved,
                each.in_doubt,
                each.spent,
            )
            assert -sums[BookAccount.AVAILABLE] == each.used

    @invariant()
    def no_limit_is_passed_but_by_what_a_provider_charged_beyond_its_maximum(self) -> None:
        for each in self.books.windows.values():
            assert each.used <= each.limit + each.overrun
            assert self.overrun or each.used <= each.limit
            assert min(each.reserved, each.in_doubt, each.spent) >= 0

    @invariant()
    def what_was_spent_is_what_the_purchases_cost(self) -> None:
        for each in self.books.windows.values():
            mine = [one for one in self.books.purchases.values() if each.id in one.windows]
            assert each.spent == sum(one.charged for one in mine)
            assert each.reserved == sum(one.most for one in mine if one.state is PurchaseState.RESERVED)
            assert each.in_doubt == sum(one.most for one in mine if one.state is PurchaseState.IN_DOUBT)


TestBooks = BooksMachine.TestCase
TestBooks.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


def test_the_budget_that_opens_last_says_when_a_purchase_can_be_made() -> None:
    tonight, later = window(10, used=8, ends_at=TONIGHT), window(10, used=9, ends_at=TONIGHT + timedelta(days=30))

    declined = refusal(5, [tonight, later, window(100)])

    assert declined == Declined("The budget of the workspace for today is used up.", TONIGHT + timedelta(days=30))


@pytest.mark.parametrize("state", [BudgetState.PAUSED, BudgetState.CLOSED])
def test_a_budget_that_is_not_open_declines_whatever_is_left(state: BudgetState) -> None:
    stopped = Window(new_id(), Scope.BATCH, Period.TOTAL, 100, state)

    assert refusal(1, [window(100), stopped]) == Declined(f"The budget of this enrichment is {state}.")


def test_a_budget_of_less_than_one_call_says_so() -> None:
    declined = refusal(5, [window(4, scope=Scope.LEAD)])

    assert declined == Declined("It can cost more than the budget for one lead or company.")


def test_a_charge_beyond_the_maximum_is_an_overrun() -> None:
    kinds = {move.kind: move.amount for move in settle(PurchaseState.IN_DOUBT, 10, 13)}

    assert kinds == {TransferKind.SETTLE: 10, TransferKind.OVERRUN: 3}
