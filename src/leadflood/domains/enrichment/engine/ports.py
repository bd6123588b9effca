"""Ports of the engine: stored lookups, rates and breakers of sources, and the way to the sources.

`tests/contract/test_engine_ports.py` has what every implementation promises.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Protocol, TypeAlias

from leadflood.domains.enrichment.models.breakers import Breaker
from leadflood.domains.enrichment.models.lookups import (
    LookupClaim,
    LookupDeclined,
    LookupInDoubt,
    LookupInProgress,
    LookupKey,
    LookupOutcome,
    LookupUncounted,
    PaidCall,
)
from leadflood.domains.enrichment.models.sources import Fetcher, Rate
from leadflood.kernel.clock import utc_now

Claimed: TypeAlias = LookupClaim | LookupOutcome | LookupInProgress | LookupDeclined | LookupInDoubt | LookupUncounted
"""The claim of a question, or why there is none."""


class Lookups(Protocol):
    """Lookups: answers that are still good, and single flight for questions that are being asked."""

    async def claim(
        self,
        key: LookupKey,
        *,
        now: datetime,
        until: datetime,
        newer_than: datetime | None = None,
        paid: PaidCall | None = None,
    ) -> Claimed:
        """Claim a question. One of several callers gets the claim; an answer that is still good comes instead.

        Args:
            key: the question.
            now: the present time.
            until: end of the claim, should its holder never answer.
            newer_than: ask again although there is a good answer, if it is a hit from before that time, or if the
                source could not be reached.
            paid: of a call that can cost money. The claim is its purchase, too: both, or neither. `newer_than` does
                not apply to it: nothing is paid for twice.
        """
        ...

    async def answer(self, key: LookupKey, claim: LookupClaim, outcome: LookupOutcome) -> bool:
        """Store the answer. False, and nothing is stored, for a claim that is over and was taken by another caller."""
        ...

    async def release(self, key: LookupKey, claim: LookupClaim, *, units: int = 0) -> None:
        """End a claim without an answer: another caller may ask. Nothing happens for a claim that is over.

        Args: units: that the provider charged nevertheless.
        """
        ...

    async def doubt(self, key: LookupKey, claim: LookupClaim, *, sentence: str) -> None:
        """The answer of a paid call was lost: whether it was charged is not known. An answer may still come."""
        ...

    async def stored(self, key: LookupKey, *, now: datetime) -> LookupOutcome | None:
        """An answer that is still good. Nothing is claimed."""
        ...

    async def pending(self, source: str) -> LookupKey | None:
        """The question about this subject to which the source gave a ticket whose answer is not there yet."""
        ...

    async def wait(self, key: LookupKey, *, seconds: float) -> None:
        """Wait until the question is not being asked any longer, or for some seconds."""
        ...


class Rates(Protocol):
    """Rates of sources, shared by all that ask them."""

    async def reserve(self, source: str, rate: Rate, *, now: datetime, most_wait: float) -> float:
        """Reserve the next call. Returns the seconds until then.

        If that is longer than `most_wait`, nothing is reserved.
        """
        ...


class Breakers(Protocol):
    """Circuit breakers of sources."""

    async def all(self) -> dict[str, Breaker]:
        """Those that are not in their initial state, by source."""
        ...

    async def admit(self, source: str, *, now: datetime) -> Breaker | None:
        """Let a call pass (`Breaker.admitted`). Returns the breaker that refuses it, or None."""
        ...

    async def change(self, source: str, change: Callable[[Breaker], Breaker]) -> None:
        """Replace the breaker of a source by a function of it."""
        ...


@dataclass(frozen=True, slots=True)
class EnginePorts:
    """Ports of an engine.

    Attributes:
        fingerprint: a keyed hash of the parts of a question.
        now: the present time.
        sleep: waits for some seconds.
        most_wait: seconds that a run may wait for its turn at a source, or for a busy one, within its time.
    """

    lookups: Lookups
    rates: Rates
    breakers: Breakers
    fetcher: Fetcher
    fingerprint: Callable[..., Awaitable[bytes]]
    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], Awaitable[object]] = field(default=asyncio.sleep)
    most_wait: float = inf
