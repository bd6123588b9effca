"""Hearing NOTIFY: a connection of its own that sets an event, and comes back by itself after a loss."""

import asyncio
from contextlib import suppress

import asyncpg

from leadflood.kernel.db.database import passing_errors
from leadflood.kernel.errors import Unavailable

_CONNECT_TIMEOUT = 5.0


class Listener:
    """Waits for notifications on one channel. A notification is a hint: the waiter looks for itself in any case."""

    def __init__(self, url: str, channel: str, *, application_name: str) -> None:
        self._url = url
        self._channel = channel
        self._settings = {"application_name": application_name}
        self._connection: asyncpg.Connection | None = None
        self._heard = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Return at a notification, or after `seconds` at the latest. True if there was one.

        What was notified since the last call counts. Without a connection it only waits.
        """
        with suppress(Unavailable):
            await self._connect()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        heard = self._heard.is_set()
        self._heard.clear()
        return heard

    async def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connect(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            return
        with passing_errors():
            connection = await asyncpg.connect(self._url, timeout=_CONNECT_TIMEOUT, server_settings=self._settings)
            await connection.add_listener(self._channel, self._notified)
        connection.add_termination_listener(self._lost)
        self._connection = connection

    def _notified(self, *_: object) -> None:
        self._heard.set()

    def _lost(self, _connection: object) -> None:
        self._heard.set()
