"""Connections to the small internet: public-looking addresses lead to servers on the loopback interface."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Final

import httpcore2

from leadflood.kernel.config import Settings
from leadflood.kernel.door.addresses import IPAddress
from leadflood.kernel.door.dialer import open_stream
from leadflood.kernel.door.errors import ConnectFailed
from leadflood.kernel.errors import AppError

NETWORK: Final = ip_network("25.0.0.0/8")
"""The addresses of all names. They count as public, but no network announces them."""
SILENT: Final = ip_network("25.255.0.0/24")
"""Addresses at which nothing answers: a connection never opens."""
CLOSED: Final = ip_network("25.255.1.0/24")
"""Addresses that refuse connections."""


class DemoInternetRefused(AppError):
    """The demo's internet is for development only."""

    code = "demo_internet_refused"
    status = 403
    title = "Demo refused"


@dataclass(frozen=True, slots=True)
class LoopbackDialer:
    """Connects to 127.0.0.1 instead, at the port that stands for the one of the server.

    Attributes:
        ports: the port on the loopback interface for each port of the internet.
        dialed: what was asked for, in order.
    """

    ports: Mapping[int, int]
    dialed: list[tuple[IPAddress, int]] = field(default_factory=list)

    async def dial(self, address: IPAddress, port: int) -> httpcore2.AsyncNetworkStream:
        """See `leadflood.kernel.door.dialer.Dialer`."""
        self.dialed.append((address, port))
        if address in SILENT:
            await asyncio.Event().wait()
        if address not in NETWORK or address in CLOSED or port not in self.ports:
            raise ConnectFailed("The server refused the connection or is not reachable.")
        return await open_stream("127.0.0.1", self.ports[port])


def demo_dialer(settings: Settings, ports: Mapping[int, int]) -> LoopbackDialer:
    """The dialer of `leadflood up --demo`. Raises: DemoInternetRefused: in production."""
    if settings.is_production:
        raise DemoInternetRefused("The demo's internet is refused with LEADFLOOD_ENV=production.")
    return LoopbackDialer(ports)
