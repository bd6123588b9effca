"""Rates and breakers of sources with keys: each key has its own, so that no workspace blocks another one."""

from collections.abc import Callable, Mapping
from datetime import datetime

from leadflood.domains.enrichment.engine.ports import Breakers, Rates
from leadflood.domains.enrichment.models.breakers import Breaker
from leadflood.domains.enrichment.models.sources import Rate


class NamedRates:
    """See `leadflood.domains.enrichment.engine.ports.Rates`."""

    def __init__(self, rates: Rates, names: Mapping[str, str]) -> None:
        """Args: names: of gates by source; a missing source has a gate of its own name."""
        self._rates = rates
        self._names = names

    async def reserve(self, source: str, rate: Rate, *, now: datetime, most_wait: float) -> float:
        """See `Rates.reserve`."""
        return await self._rates.reserve(self._names.get(source, source), rate, now=now, most_wait=most_wait)


class NamedBreakers:
    """See `leadflood.domains.enrichment.engine.ports.Breakers`."""

    def __init__(self, breakers: Breakers, names: Mapping[str, str]) -> None:
        """Args: names: as of `NamedRates`."""
        self._breakers = breakers
        self._names = names

    async def all(self) -> dict[str, Breaker]:
        """See `Breakers.all`: by source."""
        found = await self._breakers.all()
        own = {source: found[gate] for source, gate in self._names.items() if gate in found}
        return {**{name: breaker for name, breaker in found.items() if name not in self._names}, **own}

    async def admit(self, source: str, *, now: datetime) -> Breaker | None:
        """See `Breakers.admit`."""
        return await self._breakers.admit(self._names.get(source, source), now=now)

    async def change(self, source: str, change: Callable[[Breaker], Breaker]) -> None:
        """See `Breakers.change`."""
        await self._breakers.change(self._names.get(source, source), change)
