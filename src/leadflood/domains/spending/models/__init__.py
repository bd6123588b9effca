"""Nouns of spending: budgets and their windows, purchases, and transfers. Amounts are in millionths ("micros")."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

MICROS: Final = 1_000_000
"""Micros of one unit of a currency, such as one euro."""
MAX_AMOUNT: Final = 10**15
"""Maximum of a limit or a price: a billion, in micros."""
MAX_UNITS: Final = 1_000_000


class Scope(StrEnum):
    """Purchases that a budget limits. `LEAD`: those about each lead or company, one by one. The values are stored."""

    WORKSPACE = "workspace"
    SOURCE = "source"
    BATCH = "batch"
    LEAD = "lead"


class Period(StrEnum):
    """Time after which a budget is full again, in the workspace's time zone. The values are stored."""

    TOTAL = "total"
    MONTH = "month"
    DAY = "day"


class BudgetState(StrEnum):
    """State of a budget. `CLOSED`: it does not apply any longer. The values are stored."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class PurchaseState(StrEnum):
    """State of a purchase. The values are stored.

    `IN_DOUBT`: whether it was charged is not known, because the answer was lost. `RELEASED`: it cost nothing.
    `WRITTEN_OFF`: its maximum counts as spent, because there is no evidence of what it cost.
    """

    RESERVED = "reserved"
    IN_DOUBT = "in_doubt"
    SETTLED = "settled"
    RELEASED = "released"
    WRITTEN_OFF = "written_off"


class BookAccount(StrEnum):
    """Account of a window in the books. The values are stored."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    IN_DOUBT = "in_doubt"
    SPENT = "spent"
    WRITTEN_OFF = "written_off"


class TransferKind(StrEnum):
    """Reason of a transfer. The values are stored. `OVERRUN`: the provider charged more than its maximum."""

    RESERVE = "reserve"
    SETTLE = "settle"
    RELEASE = "release"
    HOLD = "hold"
    OVERRUN = "overrun"
    WRITE_OFF = "write_off"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Price:
    """Price of one unit of a source.

    Attributes:
        micros: of the currency, for one unit.
        currency: ISO 4217.
        most_per_hit: micros that a found answer may cost on average, or the source is paused; None: no limit.
        pause_reason: why nothing is purchased until the price is set again; empty: it is.
    """

    source: str
    micros: int
    currency: str
    most_per_hit: int | None = None
    pause_reason: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A call that is to be purchased.

    Attributes:
        id: of the purchase, made by the buyer.
        reference: what it is for; opaque here.
        source: the provider's name.
        most_units: that it can cost.
        subject_id: the lead or company that it is about.
        batch_id: the batch that it belongs to.
        actor_id: the user who asked for it, if one did.
    """

    id: UUID
    reference: UUID
    source: str
    most_units: int
    subject_id: UUID
    batch_id: UUID | None = None
    actor_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AvoidedCall:
    """A call that was not made because its answer could change nothing.

    Attributes:
        source: the provider's name.
        units: that it would have cost at most.
        subject_id: the lead or company that it would have been about.
        batch_id: the batch that it belongs to.
        reason: why, for users.
        kept_for: as long as its answer would have been kept.
    """

    source: str
    units: int
    subject_id: UUID
    batch_id: UUID | None
    reason: str
    kept_for: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Declined:
    """A purchase that was not made. `sentence`: why, for users. `until`: when it can be made, if that is known."""

    sentence: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """A purchase that was made: its maximum is reserved. `price`: micros for one unit."""

    purchase_id: UUID
    price: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """Answer to repeating a lost call. `open`: whether its purchase has not ended. `declined`: why it may not."""

    open: bool
    declined: Declined | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """End of a purchase: the units that the provider charged. `hit`: whether it had an answer."""

    purchase_id: UUID
    units: int
    hit: bool


@dataclass(frozen=True, slots=True)
class ChargedPurchase:
    """A settled purchase. `charged`: micros. `pause_reason`: why the source was paused because of it, or empty."""

    purchase_id: UUID
    charged: int
    pause_reason: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget. `subject`: the source or the ID of the batch; empty for other scopes. `limit`: micros."""

    id: UUID
    scope: Scope
    subject: str
    period: Period
    limit: int
