"""Connections to one database, each for one borrower at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from pydantic_core import from_json

from leadflood.kernel.db.errors import passing_errors
from leadflood.kernel.db.roles import APP_ROLE

_CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 5.0


class Row(asyncpg.Record):
    """A row of a result: columns by name as attributes or by position. It stays inside its store."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the statement decides
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


class ConnectionPool:
    """Up to `size` connections that act as `role`, opened when they are first needed, in autocommit."""

    def __init__(
        self, url: str, *, application_name: str, size: int, statement_timeout: float, role: str = APP_ROLE
    ) -> None:
        """`url`: a `postgresql://` address, Unix sockets included. `statement_timeout`: in seconds.

        Needs direct connections or session pooling: the role is set once a connection.
        """
        self.patience = 5.0
        """Seconds that a borrower waits for its turn."""
        self._turns = asyncio.Semaphore(size)
        self._lock = asyncio.Lock()
        self._pool: asyncpg.Pool | None = None
        self._options: dict[str, Any] = {
            "dsn": url,
            "min_size": 0,
            "max_size": size,
            "max_queries": 0x7FFFFFFF,  # a connection is used for as long as it lives
            "max_inactive_connection_lifetime": 0,
            "timeout": _CONNECT_SECONDS,
            "record_class": Row,
            "init": _read_json,
            "reset": _keep_as_is,
            "server_settings": {
                "application_name": application_name,
                "role": role,
                "search_path": "leadflood, public",
                "TimeZone": "UTC",
                "jit": "off",
                "statement_timeout": f"{statement_timeout:.3f}s",
                "lock_timeout": f"{statement_timeout / 2:.3f}s",
                "idle_in_transaction_session_timeout": "20s",  # a frozen worker must not keep its locks for longer
            },
        }

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection, in the order of asking: the driver's pool lets newcomers overtake those that wait.

        One that is terminated meanwhile is replaced. Raises: Unavailable: none was free or could be opened in time.
        """
        with passing_errors():
            async with asyncio.timeout(self.patience):
                await self._turns.acquire()
        try:
            with passing_errors():
                pool = self._pool or await self._opened()
                connection: Any = await pool.acquire()  # a proxy with all of its methods
            try:
                yield connection
            finally:
                with passing_errors():
                    await pool.release(connection)
        finally:
            self._turns.release()

    async def close(self) -> None:
        """Close all connections: those in use when they are returned, or after five seconds."""
        if self._pool is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _opened(self) -> asyncpg.Pool:
        async with self._lock:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(**self._options)
        return self._pool


async def _read_json(connection: asyncpg.Connection) -> None:
    """Let the driver decode `jsonb`. Parameters of this type are JSON text."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_jsonb, decoder=lambda value: from_json(value[1:]), format="binary"
    )


def _jsonb(text: str) -> bytes:
    """JSON text in the binary format, which COPY needs: a version number goes first (PostgreSQL, jsonb_recv)."""
    return b"\x01" + text.encode()


async def _keep_as_is(_connection: asyncpg.Connection) -> None:
    """Nothing of a session is changed outside a transaction, so there is nothing to reset."""
