"""Lookups: one question to one source, with its answer, for as long as the answer is good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.models.answers import Ticket
from leadflood.domains.enrichment.models.facts import Fact
from leadflood.domains.enrichment.models.read_pages import ReadPage
from leadflood.domains.enrichment.models.sources import Charge, Repeat, SourceSpec

NO_PRICE: Final = "No price is set for it."
_AWAY: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
"""Time after which a question is asked again that could not be asked, by number of failures in a row."""


class LookupState(StrEnum):
    """State of an answered lookup. The values are stored. `WAITING`: the provider answers later, to a ticket."""

    FOUND = "found"
    MISSED = "missed"
    REFUSED = "refused"
    AWAY = "away"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class LookupKey:
    """A source and the fingerprint of a question to it (`question_parts`). `version`: of the source, for receipts."""

    source: str
    fingerprint: bytes
    version: str = "1"


@dataclass(frozen=True, slots=True)
class LookupOutcome:
    """The answer to a lookup.

    Attributes:
        state: kind of answer.
        answered_at: when it came.
        expires_at: from then on, the question may be asked again.
        facts: of `FOUND`.
        sentence: why there are no facts, or a note on them.
        ticket: of `WAITING`.
        failures: of `AWAY`, in a row.
        units: charged by the provider.
        provider_ref: the provider's reference.
        pages: that were read, where they are kept.
    """

    state: LookupState
    answered_at: datetime
    expires_at: datetime
    facts: Sequence[Fact] = ()
    sentence: str = ""
    ticket: Ticket | None = None
    failures: int = 0
    units: int = 0
    provider_ref: str | None = None
    pages: Sequence[ReadPage] = ()

    def is_good(self, now: datetime, newer_than: datetime | None) -> bool:
        """Whether the question need not be asked. Args: newer_than: as in `Lookups.claim`."""
        if self.expires_at <= now or self.state is LookupState.WAITING:
            return False
        if newer_than is None or self.state in (LookupState.MISSED, LookupState.REFUSED):
            return True
        return self.state is LookupState.FOUND and self.answered_at >= newer_than


@dataclass(frozen=True, slots=True)
class LookupClaim:
    """The right to ask a question: no other caller asks it until it is answered or released, or its time is over.

    Attributes:
        token: of this claim.
        former: the last outcome, which has expired, or has the ticket to poll.
        purchase_id: of a call that costs money: the same if a lost call is repeated.
    """

    token: UUID
    former: LookupOutcome | None = None
    purchase_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class LookupInProgress:
    """Another caller is asking this question. `until`: when its claim ends at the latest."""

    until: datetime


@dataclass(frozen=True, slots=True)
class PaidCall:
    """A call that can cost money: at most that many units, and whether it may be repeated if its answer is lost."""

    most_units: int
    repeat: Repeat

    @classmethod
    def of(cls, spec: SourceSpec) -> "PaidCall | None":
        """The call of a source; None if it never charges."""
        return None if spec.charges is Charge.NEVER else cls(spec.most_units, spec.repeat)

    @property
    def repeatable(self) -> bool:
        """Whether the same purchase may be asked for again."""
        return self.repeat in (Repeat.FREE, Repeat.IDEMPOTENT)


@dataclass(frozen=True, slots=True)
class LookupInDoubt:
    """The last call's answer was lost, and what it cost is not known. It is not asked again before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class LookupUncounted:
    """Nothing is purchased before the provider's usage counter is read. `until`: when to look again."""

    until: datetime


DOUBT_KEPT: Final = timedelta(hours=24)
"""Time after which a purchase whose cost cannot be known is written off."""
_EVIDENCE: Final = timedelta(minutes=15)
"""Time until the provider's usage counter was read."""


def doubt_until(doubted_at: datetime, repeat: Repeat) -> datetime:
    """The time at which a question in doubt is looked at again."""
    return doubted_at + (_EVIDENCE if repeat is Repeat.RECONCILE else DOUBT_KEPT)


@dataclass(frozen=True, slots=True)
class LookupDeclined:
    """The question costs money, and may not be asked. `sentence`: why, for users. `until`: when it may, if known."""

    sentence: str
    until: datetime | None = None


def away_for(failures: int) -> timedelta:
    """Time after which a question is asked again after this many failures in a row, 1 or more."""
    return _AWAY[min(failures, len(_AWAY)) - 1]
