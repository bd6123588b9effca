"""State of crawled hosts: the time of the next request, robots.txt, and opt-outs.

It belongs to the installation, not to a workspace, so that no customer can see which hosts another one looked up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

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
KEPT_SECONDS: Final = 30.0
"""Time for which a process relies on what it has read of a site: an opt-out takes effect after that."""
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


@dataclass(frozen=True, slots=True)
class KnownSite:
    """Stored state of a site.

    Attributes:
        blocked: whether the owner of its host, or of a domain above it, does not want to be visited.
        robots: its robots.txt; None where it is not known, or too old.
    """

    blocked: bool
    robots: StoredRobots | None


class Hosts(Protocol):
    """The store of what is known of hosts."""

    async def reserve(self, spacings: Sequence[Spacing]) -> float:
        """Reserve the next place for a request at each of them. Returns the seconds until then.

        More than `MAX_WAIT_SECONDS` means that there is no place now. Nothing is reserved at those that are so busy.
        """

    async def site(self, origin: str) -> KnownSite:
        """Stored state of the site of an origin, read at most `KEPT_SECONDS` ago."""

    async def store_robots(self, origin: str, robots: StoredRobots) -> None:
        """Store a robots.txt that was read now."""


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

    async def site(self, origin: str) -> KnownSite:
        """See `Hosts.site`."""
        until, robots = self._robots.get(origin, (0.0, None))
        blocked = not self.blocked.isdisjoint(domains_of(host_of(origin)))
        return KnownSite(blocked, robots if until > self.clock() else None)

    async def store_robots(self, origin: str, robots: StoredRobots) -> None:
        """See `Hosts.store_robots`."""
        seconds = ROBOTS_SECONDS if robots.reachable else ROBOTS_ERROR_SECONDS
        self._robots.pop(origin, None)
        self._robots[origin] = self.clock() + seconds, robots
        if len(self._robots) > MAX_REMEMBERED:
            del self._robots[next(iter(self._robots))]


def host_of(origin: str) -> str:
    """The host of an origin, such as `https://acme.com:8443`."""
    return urlsplit(origin).hostname or ""


def domains_of(host: str) -> list[str]:
    """The host, and the domains above it."""
    labels = host.split(".")
    return [".".join(labels[place:]) for place in range(len(labels))]
