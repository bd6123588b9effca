"""Opening connections to addresses that have been checked."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import httpcore2

from leadflood.kernel.door.addresses import IPAddress, parse_address
from leadflood.kernel.door.errors import ConnectFailed, TargetRefused

STAGGER_SECONDS: Final = 0.25
"""Between the beginnings of attempts at the addresses of a host (RFC 8305, 5)."""
MAX_ADDRESSES: Final = 6
"""Addresses of a host that are tried."""


class Dialer(Protocol):
    """Opens a TCP connection to one address."""

    async def dial(self, address: IPAddress, port: int) -> httpcore2.AsyncNetworkStream:
        """The open connection. Raises: ConnectFailed, TargetRefused: it leads to another address."""


class InternetDialer:
    """Connects to the address itself."""

    async def dial(self, address: IPAddress, port: int) -> httpcore2.AsyncNetworkStream:
        """The open connection. Raises: ConnectFailed, TargetRefused."""
        stream = await open_stream(str(address), port)
        peer = stream.get_extra_info("server_addr")
        if peer is None or parse_address(str(peer[0])) != address:
            await stream.aclose()
            raise TargetRefused(f"The connection to {address} led elsewhere.")
        return stream


async def open_stream(address: str, port: int) -> httpcore2.AsyncNetworkStream:
    """A TCP connection to an address that is written as numbers. Raises: ConnectFailed."""
    try:
        return await httpcore2.AnyIOBackend().connect_tcp(address, port)
    except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
        raise ConnectFailed("The server refused the connection or is not reachable.") from error


async def dial_first(
    dialer: Dialer, addresses: Sequence[IPAddress], port: int
) -> tuple[IPAddress, httpcore2.AsyncNetworkStream]:
    """The first connection that opens, and its address. An attempt begins while those before it go on.

    Raises: ConnectFailed, TargetRefused: what the last attempt raised.
    """
    attempts: dict[asyncio.Task[httpcore2.AsyncNetworkStream], IPAddress] = {}
    waiting = list(addresses[:MAX_ADDRESSES])
    failure: Exception = ConnectFailed("The server has no address.")
    try:
        while waiting or attempts:
            if waiting:
                address = waiting.pop(0)
                attempts[asyncio.create_task(dialer.dial(address, port))] = address
            done, _ = await asyncio.wait(
                attempts, timeout=STAGGER_SECONDS if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                address, error = attempts.pop(task), task.exception()
                if error is None:
                    return address, task.result()
                if not isinstance(error, ConnectFailed | TargetRefused):
                    raise error
                failure = error
        raise failure
    finally:
        await _abandon(list(attempts))


async def _abandon(attempts: Sequence["asyncio.Task[httpcore2.AsyncNetworkStream]"]) -> None:
    """Cancel attempts that are not needed any more, and close what they have opened."""
    for task in attempts:
        task.cancel()
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(result, httpcore2.AsyncNetworkStream):
            await result.aclose()
