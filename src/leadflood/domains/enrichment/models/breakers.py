"""Circuit breakers: a source that is down, or that rejects our key, is not asked for a while. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

FAILURES: Final = 5
"""Failures in a row that open a breaker."""
_FIRST_MINUTES: Final = 1
_MAX_MINUTES: Final = 60
_TRIAL: Final = timedelta(minutes=2)
"""Time for which a half-open breaker waits for the answer to its one call."""
_UNKNOWN_RENEWAL: Final = timedelta(hours=1)
"""Until the next call to a provider whose quota is used up, and that does not say when it is renewed."""


class BreakerState(StrEnum):
    """State of a breaker. `HALF_OPEN`: one call is allowed, to see whether the source is back."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures of a source.

    Attributes:
        failures: in a row.
        openings: in a row, without a success in between.
        open_until: time of the next call; None where the breaker is closed.
        reason: a sentence for users, where it is open.
        keyed: whether only another key helps.
    """

    failures: int = 0
    openings: int = 0
    open_until: datetime | None = None
    reason: str = ""
    keyed: bool = False

    def state(self, now: datetime) -> BreakerState:
        """The state at a time."""
        if self.keyed:
            return BreakerState.OPEN
        if self.open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.open_until else BreakerState.HALF_OPEN

    def admitted(self, now: datetime) -> "Breaker | None":
        """The breaker after it let a call pass; None where it does not. A half-open one lets one pass."""
        state = self.state(now)
        if state is BreakerState.OPEN:
            return None
        return self if state is BreakerState.CLOSED else replace(self, open_until=now + _TRIAL)

    def succeeded(self) -> "Breaker":
        """After an answer of any kind."""
        return self if self == _NEW else _NEW

    def failed(self, now: datetime, reason: str) -> "Breaker":
        """After a call that the source did not answer: the fifth in a row opens for 1, 2, 4 … 60 minutes."""
        failures = self.failures + 1
        if failures < FAILURES:
            return replace(self, failures=failures, reason=reason)
        minutes = min(_FIRST_MINUTES * 2**self.openings, _MAX_MINUTES)
        until = now + timedelta(minutes=minutes)
        return replace(self, failures=failures, openings=min(self.openings + 1, 16), open_until=until, reason=reason)

    def out_of_credits(self, now: datetime, until: datetime | None, reason: str) -> "Breaker":
        """After the provider said that the quota is used up. Args: until: when it is renewed, if known."""
        return replace(self, open_until=until or now + _UNKNOWN_RENEWAL, reason=reason)

    def key_rejected(self, reason: str) -> "Breaker":
        """After the provider rejected the key: open until the breaker is replaced with the key."""
        return replace(self, keyed=True, reason=reason)


_NEW: Final = Breaker()
