"""State of crawled hosts: the time of the next request, robots.txt, and opt-outs.

It belongs to the installation, not to a workspace, so that no customer can see which hosts another one looked up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from leadflood.kernel.clock import monotonic

HOST_SECONDS: Final = 1.0
"""Between two requests to a host, at least."""
ADDRESS_SECONDS: Final = 0.25
"""Between two requests to an address, which may serve many hosts."""
MAX_WAIT_SECONDS: Final = 10.0
"""A request that would have to wait for longer is refused (`HostBusy`)."""
ROBOTS_SECONDS: Final = 86_400
"""Lifetime of a stored robots.txt (RFC 9309, 2.4)."""
ROBOTS_ERROR_SECONDS: Final = 3600
"""Lifetime of a failed attempt to fetch a robots.txt."""
MAX_REMEMBERED: Final = 2000
"""Hosts of which `MemoryHosts` keeps robots.txt, and reservations after which it drops those that have passed."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """A host or address, and the seconds between two requests to it."""

    key: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StoredRobots:
    """The robots.txt of an origin.

    Attributes:
        text: of the file; empty where there is none.
        reachable: whether the server said so. Where it did not, everything is disallowed (RFC 9309, 2.3.1.4).
    """

    text: str
    reachable: bool


class Hosts(Protocol):
    """The store of what is known of hosts."""

    async def reserve(self, spacings: Sequence[Spacing]) -> float:
        """Reserve the next place for a request at each of them. Returns the seconds until then.

        More than `MAX_WAIT_SECONDS` means that there is no place now. Nothing is reserved at those that are so busy.
        """

    async def robots_of(self, origin: str) -> StoredRobots | None:
        """The stored robots.txt of an origin, unless it is too old."""

    async def store_robots(self, origin: str, robots: StoredRobots) -> None:
        """Store a robots.txt that was read now."""

    async def is_blocked(self, host: str) -> bool:
        """Whether the owner of the host, or of a domain above it, does not want to be visited."""


@dataclass(slots=True)
class MemoryHosts:
    """Hosts of one process, for a command that runs without a database."""

    clock: Callable[[], float] = monotonic
    blocked: frozenset[str] = frozenset()
    _next: dict[str, float] = field(default_factory=dict)
    _robots: dict[str, tuple[float, StoredRobots]] = field(default_factory=dict)
    _reservations: int = MAX_REMEMBERED

    async def reserve(self, spacings: Sequence[Spacing]) -> float:
        """See `Hosts.reserve`."""
        now, waits = self.clock(), [0.0]
        if len(self._next) > self._reservations:
            self._next = {key: at for key, at in self._next.items() if at > now}
            self._reservations = MAX_REMEMBERED + 2 * len(self._next)
        for spacing in spacings:
            at = max(now, self._next.get(spacing.key, now))
            waits.append(at - now)
            if at - now <= MAX_WAIT_SECONDS:
                self._next[spacing.key] = at + spacing.seconds
        return max(waits)

    async def robots_of(self, origin: str) -> StoredRobots | None:
        """See `Hosts.robots_of`."""
        until, robots = self._robots.get(origin, (0.0, None))
        return robots if until > self.clock() else None

    async def store_robots(self, origin: str, robots: StoredRobots) -> None:
        """See `Hosts.store_robots`."""
        seconds = ROBOTS_SECONDS if robots.reachable else ROBOTS_ERROR_SECONDS
        self._robots.pop(origin, None)
        self._robots[origin] = self.clock() + seconds, robots
        if len(self._robots) > MAX_REMEMBERED:
            del self._robots[next(iter(self._robots))]

    async def is_blocked(self, host: str) -> bool:
        """See `Hosts.is_blocked`."""
        return not self.blocked.isdisjoint(domains_of(host))


def domains_of(host: str) -> list[str]:
    """The host, and the domains above it."""
    labels = host.split(".")
    return [".".join(labels[place:]) for place in range(len(labels))]
