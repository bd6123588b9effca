"""The addresses of this machine and of its database, which nothing that users supply may make us contact."""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import psutil

from leadflood.kernel.clock import monotonic
from leadflood.kernel.door.addresses import IPAddress, parse_address

_KEPT_SECONDS: Final = 60.0


class OwnAddresses:
    """Reads the addresses of all network interfaces, and those of the hosts of given URLs, at most once a minute."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Args: urls: of servers of this installation, such as the database."""
        self._hosts = sorted({host for url in urls for host in _hosts_of(url)})
        self._known: frozenset[IPAddress] = frozenset()
        self._read_at = -_KEPT_SECONDS
        self._reading = asyncio.Lock()

    async def __call__(self) -> frozenset[IPAddress]:
        """The addresses as they are now."""
        async with self._reading:  # requests that come together read them once
            if monotonic() - self._read_at >= _KEPT_SECONDS:
                found = [parse_address(item.address) for each in psutil.net_if_addrs().values() for item in each]
                for host in self._hosts:
                    found += await _resolved(host)
                self._known = frozenset(address for address in found if address is not None)
                self._read_at = monotonic()
            return self._known


def _hosts_of(url: str) -> list[str]:
    """The hosts of a PostgreSQL URL, which may be several, or in its query; none for a Unix socket."""
    parts = urlsplit(url)
    named = [item.rpartition("@")[2] for item in parts.netloc.split(",")]
    hosts = [item.partition("]")[0].removeprefix("[") if "[" in item else item.partition(":")[0] for item in named]
    hosts += [host for value in parse_qs(parts.query).get("host", []) for host in value.split(",")]
    return [unquote(host) for host in hosts if host and not unquote(host).startswith("/")]


async def _resolved(host: str) -> list[IPAddress | None]:
    """As the system resolves it, /etc/hosts included: that is how the database is reached."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except OSError:
        return []
    return [parse_address(str(item[4][0])) for item in found]
