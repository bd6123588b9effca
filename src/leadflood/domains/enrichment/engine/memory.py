"""The engine's ports in the memory of one process, for a command that runs without a database."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from leadflood.domains.enrichment.engine.ports import Claimed
from leadflood.domains.enrichment.models.breakers import Breaker
from leadflood.domains.enrichment.models.lookups import (
    NO_PRICE,
    LookupClaim,
    LookupDeclined,
    LookupInProgress,
    LookupKey,
    LookupOutcome,
    LookupState,
    PaidCall,
)
from leadflood.domains.enrichment.models.sources import Rate
from leadflood.kernel.crypto import keyed_hash, new_fingerprint_key
from leadflood.kernel.ids import new_id

MAX_OUTCOMES: Final = 10_000
"""Stored answers; those that were used longest ago are dropped."""


@dataclass(slots=True)
class _Asking:
    claim: LookupClaim
    until: datetime
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class MemoryLookups:
    """See `leadflood.domains.enrichment.engine.ports.Lookups`."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[LookupKey, LookupOutcome] = OrderedDict()
        self._asking: dict[LookupKey, _Asking] = {}

    async def claim(
        self,
        key: LookupKey,
        *,
        now: datetime,
        until: datetime,
        newer_than: datetime | None = None,
        paid: PaidCall | None = None,
    ) -> Claimed:
        """See `Lookups.claim`."""
        asking = self._asking.get(key)
        if asking is not None and asking.until > now:
            return LookupInProgress(asking.until)
        known = self._outcomes.get(key)
        if known is not None and known.is_good(now, None if paid else newer_than):
            self._outcomes.move_to_end(key)
            return known
        if paid is not None:
            return LookupDeclined(NO_PRICE)
        if asking is not None:
            asking.ended.set()
        claim = LookupClaim(new_id(), known)
        self._asking[key] = _Asking(claim, until)
        return claim

    async def answer(self, key: LookupKey, claim: LookupClaim, outcome: LookupOutcome) -> bool:
        """See `Lookups.answer`. Pages are not kept: they would fill the memory."""
        if not self._end(key, claim):
            return False
        self._outcomes[key] = replace(outcome, pages=())
        self._outcomes.move_to_end(key)
        while len(self._outcomes) > MAX_OUTCOMES:
            self._outcomes.popitem(last=False)
        return True

    async def release(self, key: LookupKey, claim: LookupClaim, *, units: int = 0) -> None:  # noqa: ARG002  port
        """See `Lookups.release`."""
        self._end(key, claim)

    async def doubt(self, key: LookupKey, claim: LookupClaim, *, sentence: str) -> None:  # noqa: ARG002  port
        """See `Lookups.doubt`. Nothing is purchased here."""
        self._end(key, claim)

    async def stored(self, key: LookupKey, *, now: datetime) -> LookupOutcome | None:
        """See `Lookups.stored`."""
        known = self._outcomes.get(key)
        return known if known is not None and known.is_good(now, None) else None

    async def pending(self, source: str) -> LookupKey | None:
        """See `Lookups.pending`. They are all about one subject, or about subjects that have no tickets."""
        waiting = (key for key, outcome in self._outcomes.items() if outcome.state is LookupState.WAITING)
        return next((key for key in waiting if key.source == source), None)

    async def wait(self, key: LookupKey, *, seconds: float) -> None:
        """See `Lookups.wait`."""
        asking = self._asking.get(key)
        if asking is not None and seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await asking.ended.wait()
            except TimeoutError:
                return

    def _end(self, key: LookupKey, claim: LookupClaim) -> bool:
        asking = self._asking.get(key)
        if asking is None or asking.claim.token != claim.token:
            return False
        del self._asking[key]
        asking.ended.set()
        return True


class MemoryRates:
    """See `leadflood.domains.enrichment.engine.ports.Rates`: the generic cell rate algorithm (GCRA)."""

    def __init__(self) -> None:
        self._arrivals: dict[str, datetime] = {}

    async def reserve(self, source: str, rate: Rate, *, now: datetime, most_wait: float) -> float:
        """See `Rates.reserve`."""
        interval = timedelta(seconds=rate.seconds / rate.calls)
        arrival = max(self._arrivals.get(source, now), now)
        wait = max(0.0, (arrival - interval * (rate.calls - 1) - now).total_seconds())
        if wait <= most_wait:
            self._arrivals[source] = arrival + interval
        return wait


class MemoryBreakers:
    """See `leadflood.domains.enrichment.engine.ports.Breakers`."""

    def __init__(self) -> None:
        self._breakers: dict[str, Breaker] = {}

    async def all(self) -> dict[str, Breaker]:
        """See `Breakers.all`."""
        return dict(self._breakers)

    async def admit(self, source: str, *, now: datetime) -> Breaker | None:
        """See `Breakers.admit`."""
        breaker = self._breakers.get(source)
        if breaker is None:
            return None
        admitted = breaker.admitted(now)
        if admitted is None:
            return breaker
        self._breakers[source] = admitted
        return None

    async def change(self, source: str, change: Callable[[Breaker], Breaker]) -> None:
        """See `Breakers.change`."""
        changed = change(self._breakers.get(source, Breaker()))
        if changed == Breaker():
            self._breakers.pop(source, None)
        else:
            self._breakers[source] = changed


class MemoryFingerprints:
    """Keyed hashes whose key lives as long as the process."""

    def __init__(self) -> None:
        self._key = new_fingerprint_key()

    async def hash(self, *parts: bytes) -> bytes:
        """A 32-byte hash of the parts in order."""
        return keyed_hash(self._key, *parts)
