"""Health of a source: whether it works, why not and until when, and what it answered of late. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from leadflood.domains.enrichment.models.breakers import Breaker, BreakerState
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.models.sources import Rate

PERIOD: Final = timedelta(hours=24)
"""Time that is looked at."""
FAILED: Final = frozenset({StepState.AWAY, StepState.FAILED})
ANSWERED: Final = frozenset({StepState.FOUND, StepState.MISSED, StepState.REFUSED})
_FEW: Final = 3
"""Questions below which a share of failures says nothing."""
_MANY_FAILURES: Final = 0.5
_LONG: Final = timedelta(seconds=1)
"""A wait that is worth mentioning."""


class SourceState(StrEnum):
    """State of a source.

    `OFF`: the workspace has no key, or has not enabled it. `BLOCKED`: only another key helps. `UNAVAILABLE`: it failed
    several times in a row, and is not asked until a time. `LIMITED`: it was asked as often as it permits. `FAILING`: it
    fails, but is still asked. `IDLE`: it was not asked.
    """

    WORKING = "working"
    FAILING = "failing"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"
    BLOCKED = "blocked"
    IDLE = "idle"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class SourceGate:
    """Rate and breaker of a source. `next_at`: see `store.gates`."""

    breaker: Breaker = field(default_factory=Breaker)
    next_at: datetime | None = None

    def limited_until(self, rate: Rate | None) -> datetime | None:
        """The time of the next call that the rate permits."""
        if rate is None or self.next_at is None:
            return None
        return self.next_at - timedelta(seconds=rate.seconds - rate.seconds / rate.calls)


@dataclass(frozen=True, slots=True)
class SourceStanding:
    """State of a source, with the reason in a sentence, and the time at which it is asked again."""

    state: SourceState
    reason: str = ""
    until: datetime | None = None


def standing_of(
    gate: SourceGate, outcomes: Mapping[StepState, int], rate: Rate | None, now: datetime
) -> SourceStanding:
    """The state of a source. Args: outcomes: of its questions in the period."""
    breaker = gate.breaker
    if breaker.keyed:
        return SourceStanding(SourceState.BLOCKED, breaker.reason)
    if breaker.state(now) is BreakerState.OPEN:
        return SourceStanding(SourceState.UNAVAILABLE, breaker.reason, breaker.open_until)
    limited = gate.limited_until(rate)
    if limited is not None and limited - now > _LONG:
        return SourceStanding(SourceState.LIMITED, "Rate limit reached.", limited)
    asked = sum(outcomes.values())
    failed = sum(outcomes.get(state, 0) for state in FAILED)
    if breaker.failures or (asked >= _FEW and failed >= _MANY_FAILURES * asked):
        return SourceStanding(SourceState.FAILING, breaker.reason or f"{failed} of {asked} questions failed.")
    return SourceStanding(SourceState.WORKING if asked else SourceState.IDLE)
