"""Receiving NOTIFY: separate connections, and the objects that wait for them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import structlog

from leadflood.kernel.db.errors import translated_errors
from leadflood.kernel.errors import Unavailable

_CONNECT_TIMEOUT = 5.0


async def listen(
    url: str, channel: str, *, application_name: str, heard: Callable[[str], None], lost: Callable[[], None]
) -> asyncpg.Connection:
    """A connection that calls `heard` with the payload of each notification, and `lost` when it is closed.

    Raises: Unavailable.
    """
    with translated_errors():
        settings = {"application_name": application_name}
        connection = await asyncpg.connect(
            url, timeout=_CONNECT_TIMEOUT, command_timeout=_CONNECT_TIMEOUT, server_settings=settings
        )
        listening = False
        try:
            await connection.add_listener(channel, lambda _connection, _pid, _channel, payload: heard(str(payload)))
            listening = True
        finally:
            if not listening:
                connection.terminate()
    connection.add_termination_listener(lambda _connection: lost())
    return connection


class WakeEvent:
    """An event set by anyone and awaited by one."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def set(self) -> None:
        """Wake the current waiter, or the next one."""
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        """Return when set, or after `seconds` at the latest. True if it was set since the last call."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        rung = self._rung.is_set()
        self._rung.clear()
        return rung


class Listener:
    """Waits for notifications on one channel. A notification is a hint: the waiter also polls."""

    def __init__(self, url: str, channel: str, *, application_name: str) -> None:
        self._url = url
        self._channel = channel
        self._application_name = application_name
        self._connection: asyncpg.Connection | None = None
        self._bell = WakeEvent()
        self._is_away = False
        self._log = structlog.get_logger()

    async def wait(self, seconds: float) -> bool:
        """Return at a notification, or after `seconds` at the latest. True if there was one.

        What was notified since the last call counts, and so do the loss of the connection and a new one, which cannot
        have heard what was notified before it. Without one it only waits.
        """
        try:
            await self._connect()
        except Unavailable as error:
            if not self._is_away:
                self._log.warning("listener.unavailable", channel=self._channel, error=error.detail)
            self._is_away = True
        else:
            if self._is_away:
                self._log.info("listener.connected", channel=self._channel)
            self._is_away = False
        return await self._bell.wait(seconds)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connect(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            return
        self._connection = await listen(
            self._url,
            self._channel,
            application_name=self._application_name,
            heard=lambda _payload: self._bell.set(),
            lost=self._bell.set,
        )
        self._bell.set()
