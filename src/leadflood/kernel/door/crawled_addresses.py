"""Addresses of hosts that are crawled: several pages of one are read within seconds, and need one look-up."""

from collections.abc import Awaitable, Callable
from typing import Final

from leadflood.kernel.clock import monotonic
from leadflood.kernel.door.addresses import IPAddress
from leadflood.kernel.door.connections import KEPT_SECONDS
from leadflood.kernel.door.targets import RequestTarget

_MAX_KEPT: Final = 1000


class CrawledAddresses:
    """Checked addresses, kept for as long as connections to them are.

    Other features look up and check the addresses before each connection.
    """

    def __init__(
        self,
        find: Callable[[RequestTarget], Awaitable[tuple[IPAddress, ...]]],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Args: find: looks up and checks the addresses of a target."""
        self._find = find
        self._clock = clock
        self._known: dict[tuple[str, bool], tuple[float, tuple[IPAddress, ...]]] = {}

    async def addresses(self, target: RequestTarget) -> tuple[IPAddress, ...]:
        """The addresses of a target, all of which may be contacted. Raises: as `find`."""
        key = target.host, target.internal  # those of an internal host are not checked
        until, known = self._known.get(key, (0.0, ()))
        if until > self._clock():
            return known
        found = await self._find(target)
        self._known.pop(key, None)
        self._known[key] = self._clock() + KEPT_SECONDS, found
        if len(self._known) > _MAX_KEPT:
            del self._known[next(iter(self._known))]
        return found
