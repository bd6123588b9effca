"""Lookups: one question to one source, with its answer, for as long as the answer is good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.models.answers import Ticket
from leadflood.domains.enrichment.models.facts import Fact

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
    """

    token: UUID
    former: LookupOutcome | None = None


@dataclass(frozen=True, slots=True)
class LookupInProgress:
    """Another caller is asking this question. `until`: when its claim ends at the latest."""

    until: datetime


@dataclass(frozen=True, slots=True)
class LookupDeclined:
    """The question costs money, and may not be asked. `sentence`: why, for users. `until`: when it may, if known."""

    sentence: str
    until: datetime | None = None


def away_for(failures: int) -> timedelta:
    """Time after which a question is asked again after this many failures in a row, 1 or more."""
    return _AWAY[min(failures, len(_AWAY)) - 1]
