"""HTTP connections: each goes to addresses that were checked for its feature, and is kept for the next request."""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpcore2

from leadflood.kernel.door.addresses import IPAddress
from leadflood.kernel.door.dialer import Dialer, dial_first
from leadflood.kernel.door.targets import RequestTarget

KEPT_SECONDS: Final = 15.0
MAX_KEPT: Final = 100
"""Idle connections of a process."""


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Network backend of httpcore2 that is given a name and connects to its checked addresses only.

    It opens no sockets of this machine: the base class refuses them.
    """

    def __init__(self, dialer: Dialer, target: RequestTarget, addresses: Sequence[IPAddress]) -> None:
        self._dialer = dialer
        self._target = target
        self._addresses = addresses
        self.address: IPAddress | None = None
        """The address that the connection goes to, once it is open."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the signature of httpcore2; the door has a deadline of its own
        local_address: str | None = None,
        socket_options: "Iterable[httpcore2.SOCKET_OPTION] | None" = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the checked addresses. Raises: as `dial_first`."""
        if (host, port) != (self._target.host, self._target.port) or local_address or socket_options or timeout:
            raise RuntimeError("httpcore2 asked for another connection than the one that was checked.")
        self.address, stream = await dial_first(self._dialer, self._addresses, port)
        return stream


class OutgoingConnection:
    """A connection to one origin for one feature."""

    def __init__(
        self, dialer: Dialer, target: RequestTarget, addresses: Sequence[IPAddress], ssl_context: ssl.SSLContext
    ) -> None:
        self._backend = CheckedBackend(dialer, target, addresses)
        scheme, host = target.scheme.encode("ascii"), target.host.encode("ascii")
        self.origin = httpcore2.Origin(scheme, host, target.port)
        self.http = httpcore2.AsyncHTTPConnection(self.origin, ssl_context=ssl_context, network_backend=self._backend)

    @property
    def address(self) -> IPAddress | None:
        """The address of the server, once connected."""
        return self._backend.address


class IdleConnections:
    """Connections that wait for the next request, for a short while. Those of one feature serve no other."""

    def __init__(self) -> None:
        self._idle: OrderedDict[Hashable, tuple[OutgoingConnection, asyncio.TimerHandle]] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def take(self, key: Hashable) -> OutgoingConnection | None:
        """An open connection, which is the caller's from now on; None where there is none."""
        found = self._idle.pop(key, None)
        if found is None:
            return None
        connection, timer = found
        timer.cancel()
        if connection.http.is_available() and not connection.http.has_expired():
            return connection
        self._close(connection)
        return None

    @asynccontextmanager
    async def kept(self, key: Hashable, connection: OutgoingConnection) -> AsyncIterator[None]:
        """Use a connection; afterwards it waits for the next request if its answer was read to the end."""
        try:
            yield
        finally:
            if connection.http.is_idle() and not connection.http.is_closed() and key not in self._idle:
                timer = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._expire, key)
                self._idle[key] = connection, timer
                if len(self._idle) > MAX_KEPT:
                    self._expire(next(iter(self._idle)))
            else:
                await connection.http.aclose()

    @asynccontextmanager
    async def closed(self, connection: OutgoingConnection) -> AsyncIterator[None]:
        """Use a connection that serves one request."""
        try:
            yield
        finally:
            await connection.http.aclose()

    async def aclose(self) -> None:
        """Close all of them."""
        while self._idle:
            self._expire(next(iter(self._idle)))
        await asyncio.gather(*self._closing)

    def _expire(self, key: Hashable) -> None:
        connection, timer = self._idle.pop(key)
        timer.cancel()
        self._close(connection)

    def _close(self, connection: OutgoingConnection) -> None:
        task = asyncio.get_running_loop().create_task(connection.http.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
