"""Connections to one database, each lent to one borrower at a time."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from pydantic_core import from_json

from leadflood.kernel.db.errors import translated_errors, unanswered
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.errors import Unavailable

_CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 5.0
STATEMENT_MARGIN = 1.0
"""Seconds to wait beyond a statement's own timeout: a server that is not hung has cancelled it by then."""
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))
_USER_TIMEOUT_MS = 30_000


class Row(asyncpg.Record):
    """A row of a result: columns by name as attributes or by position. It stays inside its store."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the statement decides
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


_SERVER_SETTINGS = {
    "search_path": "leadflood, public",
    "TimeZone": "UTC",
    "jit": "off",
    "idle_in_transaction_session_timeout": "20s",  # a frozen worker must not hold its locks longer
    # For a lost client: its statement ends within a second, its idle connection within a minute.
    "client_connection_check_interval": "1s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": str(_USER_TIMEOUT_MS),
}


class ConnectionPool:
    """Up to `size` connections that act as `role`, opened on demand, in autocommit mode."""

    def __init__(
        self,
        url: str,
        *,
        application_name: str,
        size: int,
        statement_timeout: float,
        lock_timeout: float | None = None,
        role: str = APP_ROLE,
    ) -> None:
        """`url`: a `postgresql://` address, Unix sockets included. Timeouts are in seconds.

        `lock_timeout`: how long a statement waits for a lock, half of `statement_timeout` unless given.

        Needs direct connections or session pooling: the role is set once a connection.
        """
        self._limits = statement_timeout, lock_timeout
        self.acquire_timeout = 5.0
        """Seconds that a borrower waits for a connection."""
        self._turns = asyncio.Semaphore(size)
        self._lock = asyncio.Lock()
        self._pool: asyncpg.Pool | None = None
        self._options: dict[str, Any] = {
            "dsn": url,
            "min_size": 0,
            "max_size": size,
            "max_queries": 0x7FFFFFFF,  # a connection is reused for its whole lifetime
            "max_inactive_connection_lifetime": 0,
            "timeout": _CONNECT_SECONDS,
            "command_timeout": statement_timeout + STATEMENT_MARGIN,
            "record_class": Row,
            "init": _initialise,
            "reset": _keep_as_is,
            "server_settings": {
                **_SERVER_SETTINGS,
                "application_name": application_name,
                "role": role,
                "statement_timeout": f"{statement_timeout:.3f}s",
                "lock_timeout": f"{lock_timeout or statement_timeout / 2:.3f}s",
            },
        }

    def sibling(self, *, role: str, size: int) -> "ConnectionPool":
        """A pool of its own for the same database, whose connections act as another role."""
        statement_timeout, lock_timeout = self._limits
        return ConnectionPool(
            self._options["dsn"],
            application_name=self._options["server_settings"]["application_name"],
            size=size,
            statement_timeout=statement_timeout,
            lock_timeout=lock_timeout,
            role=role,
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection, first come, first served: the driver's pool lets newcomers overtake waiting callers.

        One that does not respond is terminated and replaced. Raises: Unavailable: none was free or could be opened in
        time.
        """
        with translated_errors():
            async with asyncio.timeout(self.acquire_timeout):
                await self._turns.acquire()
        try:
            with translated_errors():
                pool = self._pool or await self._opened()
                connection: Any = await pool.acquire()  # a proxy with all of its methods
            try:
                yield connection
            except (asyncio.CancelledError, Unavailable) as error:
                if unanswered(error):
                    terminate(connection)
                raise
            finally:
                with translated_errors():
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


def terminate(connection: asyncpg.Connection) -> None:
    """Discard a connection without waiting for the server."""
    with suppress(asyncpg.InterfaceError):  # closed, and returned to the pool
        connection.terminate()


async def _initialise(connection: asyncpg.Connection) -> None:
    """Enable TCP keepalive, and let the driver decode `jsonb`, whose parameters are JSON text."""
    wire = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001  there is no option
    if wire.family != socket.AF_UNIX:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
        for option, value in _KEEPALIVE:
            wire.setsockopt(socket.IPPROTO_TCP, option, value)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_jsonb, decoder=lambda value: from_json(value[1:]), format="binary"
    )


def _jsonb(text: str) -> bytes:
    """JSON text in the binary format, which COPY needs: a version number goes first (PostgreSQL, jsonb_recv)."""
    return b"\x01" + text.encode()


async def _keep_as_is(_connection: asyncpg.Connection) -> None:
    """No session state is changed outside a transaction, so there is nothing to reset."""
