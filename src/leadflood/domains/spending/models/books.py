"""The books: changes of the windows of budgets by purchases, as transfers that sum to zero. Pure.

`store.books` applies them to the database, under locks. The sums of a window are those of its entries: what is not
available is reserved, in doubt, spent or written off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from leadflood.domains.spending.models import (
    BookAccount,
    BudgetState,
    Declined,
    Period,
    PurchaseState,
    Scope,
    TransferKind,
)


@dataclass(frozen=True, slots=True)
class Window:
    """A budget in its present period.

    Attributes:
        limit: micros that may be reserved, in doubt or spent together.
        overrun: micros above the limit: charged beyond a maximum, or spent before the limit was lowered.
        ends_at: when its period ends; None: never.
    """

    id: UUID
    scope: Scope
    period: Period
    limit: int
    state: BudgetState = BudgetState.OPEN
    reserved: int = 0
    in_doubt: int = 0
    spent: int = 0
    overrun: int = 0
    ends_at: datetime | None = None

    @property
    def used(self) -> int:
        """Micros that are not available."""
        return self.reserved + self.in_doubt + self.spent

    @property
    def left(self) -> int:
        """Micros that are available; 0 for a window that is overrun."""
        return max(0, self.limit - self.used)

    def after(self, deltas: Mapping[BookAccount, int]) -> "Window":
        """The window after a change of its accounts."""
        reserved = self.reserved + deltas.get(BookAccount.RESERVED, 0)
        in_doubt = self.in_doubt + deltas.get(BookAccount.IN_DOUBT, 0)
        spent = self.spent + deltas.get(BookAccount.SPENT, 0) + deltas.get(BookAccount.WRITTEN_OFF, 0)
        overrun = max(self.overrun, reserved + in_doubt + spent - self.limit)
        return replace(self, reserved=reserved, in_doubt=in_doubt, spent=spent, overrun=overrun)


@dataclass(frozen=True, slots=True)
class Move:
    """An amount in micros that goes from one account of each window of a purchase to another one."""

    kind: TransferKind
    source: BookAccount
    target: BookAccount
    amount: int

    @property
    def entries(self) -> tuple[tuple[BookAccount, int], tuple[BookAccount, int]]:
        """Both sides, which sum to zero."""
        return (self.source, -self.amount), (self.target, self.amount)


HELD = {PurchaseState.RESERVED: BookAccount.RESERVED, PurchaseState.IN_DOUBT: BookAccount.IN_DOUBT}
"""The account that has the maximum of a purchase, by its state."""
_NAMES = {
    Scope.WORKSPACE: "budget of the workspace",
    Scope.SOURCE: "budget of the source",
    Scope.BATCH: "budget of this enrichment",
    Scope.LEAD: "budget for one lead or company",
}
_PERIODS = {Period.TOTAL: "", Period.MONTH: " for this month", Period.DAY: " for today"}


def name_of(scope: Scope, period: Period) -> str:
    """A budget in words, such as "budget of the workspace for today"."""
    return f"{_NAMES[scope]}{_PERIODS[period]}"


def refusal(amount: int, windows: Iterable[Window]) -> Declined | None:
    """The refusal of an amount that does not fit into all of the windows. The window that opens last decides."""
    refused = [window for window in windows if window.state is not BudgetState.OPEN or window.left < amount]
    if not refused:
        return None
    never = [window for window in refused if window.state is not BudgetState.OPEN or window.ends_at is None]
    last = never[0] if never else max(refused, key=_end)
    name = name_of(last.scope, last.period)
    if last.state is not BudgetState.OPEN:
        return Declined(f"The {name} is {last.state}.")
    if amount > last.limit:
        return Declined(f"It can cost more than the {name}.")
    return Declined(f"The {name} is used up.", last.ends_at)


def _end(window: Window) -> datetime:
    return window.ends_at or datetime.max.replace(tzinfo=UTC)


def reserve(most: int) -> list[Move]:
    """Reserve the maximum of a purchase."""
    return [Move(TransferKind.RESERVE, BookAccount.AVAILABLE, BookAccount.RESERVED, most)]


def hold(most: int) -> list[Move]:
    """Hold a purchase of which it is not known whether it was charged."""
    return [Move(TransferKind.HOLD, BookAccount.RESERVED, BookAccount.IN_DOUBT, most)]


def settle(state: PurchaseState, most: int, charged: int) -> list[Move]:
    """Settle a purchase by what it cost: perhaps nothing, perhaps more than its maximum."""
    held = HELD[state]
    moves = [
        Move(TransferKind.SETTLE, held, BookAccount.SPENT, min(charged, most)),
        Move(TransferKind.RELEASE, held, BookAccount.AVAILABLE, most - min(charged, most)),
        Move(TransferKind.OVERRUN, BookAccount.AVAILABLE, BookAccount.SPENT, max(0, charged - most)),
    ]
    return [move for move in moves if move.amount]


def write_off(most: int) -> list[Move]:
    """Write off a purchase: its maximum counts as spent."""
    return [Move(TransferKind.WRITE_OFF, BookAccount.IN_DOUBT, BookAccount.WRITTEN_OFF, most)]


def refund(state: PurchaseState, amount: int) -> list[Move]:
    """Return an amount of a purchase that the provider refunded."""
    account = BookAccount.WRITTEN_OFF if state is PurchaseState.WRITTEN_OFF else BookAccount.SPENT
    return [Move(TransferKind.REFUND, account, BookAccount.AVAILABLE, amount)]


def deltas_of(moves: Iterable[Move]) -> dict[BookAccount, int]:
    """The changes of accounts that moves add up to."""
    deltas: dict[BookAccount, int] = {}
    for move in moves:
        for account, amount in move.entries:
            deltas[account] = deltas.get(account, 0) + amount
    return deltas
