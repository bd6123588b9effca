"""The books of spending in memory, of the same functions as those in the database, for tests that compare both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from uuid import UUID

from leadflood.domains.spending.models import BookAccount, Declined, PurchaseState
from leadflood.domains.spending.models.books import (
    HELD,
    Move,
    Window,
    deltas_of,
    hold,
    refund,
    refusal,
    reserve,
    settle,
    write_off,
)

_Moves: TypeAlias = Callable[[int], list[Move]]


@dataclass(frozen=True, slots=True)
class BookedPurchase:
    """A purchase in the books in memory. `charged`: micros, refunds subtracted."""

    state: PurchaseState
    most: int
    windows: tuple[UUID, ...]
    charged: int = 0


@dataclass(slots=True)
class Books:
    """Windows, purchases and entries of transfers."""

    windows: dict[UUID, Window] = field(default_factory=dict)
    purchases: dict[UUID, BookedPurchase] = field(default_factory=dict)
    entries: list[tuple[UUID, BookAccount, int]] = field(default_factory=list)

    def reserve(self, purchase_id: UUID, most: int, windows: Sequence[UUID]) -> Declined | None:
        """Reserve the maximum of a new purchase in all of the windows, or in none."""
        declined = refusal(most, [self.windows[each] for each in windows])
        if declined is None:
            self._post(windows, reserve(most))
            self.purchases[purchase_id] = BookedPurchase(PurchaseState.RESERVED, most, tuple(windows))
        return declined

    def hold(self, purchase_id: UUID) -> bool:
        """See `hold`. False for a purchase that is not reserved."""
        return self._change(purchase_id, {PurchaseState.RESERVED}, hold, PurchaseState.IN_DOUBT)

    def settle(self, purchase_id: UUID, charged: int) -> bool:
        """See `settle`. False for a purchase that is settled."""
        state = self.purchases[purchase_id].state

        def moves(most: int) -> list[Move]:
            return settle(state, most, charged)

        end = PurchaseState.SETTLED if charged else PurchaseState.RELEASED
        return self._change(purchase_id, set(HELD), moves, end, charged)

    def write_off(self, purchase_id: UUID) -> bool:
        """See `write_off`. False for a purchase that is not in doubt."""
        most = self.purchases[purchase_id].most
        return self._change(purchase_id, {PurchaseState.IN_DOUBT}, write_off, PurchaseState.WRITTEN_OFF, most)

    def refund(self, purchase_id: UUID, amount: int) -> bool:
        """See `refund`. False for more than was charged."""
        purchase = self.purchases[purchase_id]
        if not 0 < amount <= purchase.charged:
            return False
        self._post(purchase.windows, refund(purchase.state, amount))
        self.purchases[purchase_id] = replace(purchase, charged=purchase.charged - amount)
        return True

    def _change(
        self,
        purchase_id: UUID,
        expected: set[PurchaseState],
        moves: _Moves,
        state: PurchaseState,
        charged: int = 0,
    ) -> bool:
        purchase = self.purchases[purchase_id]
        if purchase.state not in expected:
            return False
        self._post(purchase.windows, moves(purchase.most))
        self.purchases[purchase_id] = replace(purchase, state=state, charged=charged)
        return True

    def _post(self, windows: Sequence[UUID], moves: Sequence[Move]) -> None:
        for window_id in windows:
            self.windows[window_id] = self.windows[window_id].after(deltas_of(moves))
            self.entries += [(window_id, account, amount) for move in moves for account, amount in move.entries]
