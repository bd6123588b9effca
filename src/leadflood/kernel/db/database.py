"""Connections and transactions.

Every statement runs inside a `Transaction`, which is bound to one workspace (row-level security) or, for the few verbs
that work across workspaces, to the system role. Errors that mean "the database is away or overloaded" become
`Unavailable`; constraint violations stay `sqlalchemy.exc.IntegrityError`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import AdaptedConnection, CursorResult, Executable, Row, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from leadflood.kernel.db.roles import APP_ROLE, SYSTEM_ROLE
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.queue.ports import Publisher, Ticket

# PostgreSQL error classes and codes after which the same request may succeed: connection, rollback by conflict,
# resources, shutdown, cancelled by a timeout, not yet accepting connections (PostgreSQL manual, appendix A).
_PASSING = ("08", "40", "53", "57", "55P03", "25P03")
_CONNECTION_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg calls a connection that is cut between two messages
    PoolTimeoutError,
    PendingRollbackError,  # the connection was lost earlier in this transaction
)

_log = structlog.get_logger()

RELAY_CHANNEL = "leadflood_outbox"
"""NOTIFY channel on which relays hear that an event waits to be published."""

_SCOPE = text("SELECT set_config('app.workspace_id', :workspace_id, true)")
# A plan made for any status or owner at all was seen to read 30 times more than one made for those given. Writes go by
# keys, for which any plan is the same.
_READ_SCOPE = text("""
SELECT set_config('app.workspace_id', :workspace_id, true), set_config('plan_cache_mode', 'force_custom_plan', true)
""")
_ASSUME = text("SELECT set_config('role', :role, true)")
_NOTIFY = text("SELECT pg_notify(:channel, '')")


@contextmanager
def passing_errors() -> Iterator[None]:
    """Turn errors of an absent or overloaded database into `Unavailable`; let all others through."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or ""
        if error.connection_invalidated or state.startswith(_PASSING) or not state:
            raise Unavailable("The database is away or busy. Try again shortly.") from error
        raise
    except asyncpg.PostgresError as error:
        if (error.sqlstate or "").startswith(_PASSING):
            raise Unavailable("The database is away or busy. Try again shortly.") from error
        raise
    except _CONNECTION_ERRORS as error:
        raise Unavailable("The database cannot be reached. Try again shortly.") from error


def constraint_of(error: IntegrityError) -> str | None:
    """The name of the constraint or unique index that was violated."""
    name = getattr(error.orig.__cause__, "constraint_name", None) if error.orig else None
    return name if isinstance(name, str) else None


class Transaction:
    """One database transaction: what stores and queries are handed."""

    def __init__(self, connection: AsyncConnection, publisher: Publisher | None) -> None:
        self._connection = connection
        self._publisher = publisher
        self.relay_wanted = False
        self.sound = True

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run one statement, once for each of several mappings. Raises: Unavailable, sqlalchemy.exc.IntegrityError."""
        self.sound = False
        with passing_errors():
            result = await self._connection.execute(statement, parameters)
        self.sound = True
        return result

    async def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """All rows of a query."""
        return (await self.execute(statement, parameters)).all()

    async def first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """The first row of a query, or None."""
        return (await self.execute(statement, parameters)).first()

    async def scalar(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  the caller knows the column
        """The first column of the first row, or None."""
        return (await self.execute(statement, parameters)).scalar()

    async def changed(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> int:
        """How many rows a write touched."""
        return (await self.execute(statement, parameters)).rowcount

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that can fail and be rolled back without ending the transaction."""
        with passing_errors():
            part = await self._connection.begin_nested()
        try:
            yield
            with passing_errors():
                await part.commit()
        finally:
            if part.is_active:
                with passing_errors():
                    await part.rollback()
                self.sound = True

    @property
    def carries_queue(self) -> bool:
        """Whether the queue lives in this database, so that tickets commit together with the rows."""
        return self._publisher is not None

    async def publish(self, tickets: Sequence[Ticket]) -> None:
        """Put tickets on the queue in this very transaction. Only where `carries_queue`."""
        if self._publisher is None:
            message = "This database does not carry the queue; leave it to the relay."
            raise RuntimeError(message)
        self.sound = False
        with passing_errors():
            raw = await self._connection.get_raw_connection()
            await self._publisher.publish(raw.driver_connection, tickets)
        self.sound = True

    def wake_relay(self) -> None:
        """Tell the relays, once this is on disk, that an event waits. A hint: they look for themselves, too."""
        self.relay_wanted = True


class Database:
    """A pool of connections as the application's role."""

    def __init__(self, engine: AsyncEngine, publisher: Publisher | None) -> None:
        """`publisher`: the carrier of the queue when it lives in this database, else None."""
        self._engine = engine
        self._publisher = publisher
        pool = cast("QueuePool", engine.pool)
        self._turns = asyncio.Semaphore(pool.size())
        self._patience = pool.timeout()
        self._ringing: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._ringing is not None:
            await self._ringing
        await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self, workspace_id: UUID, *, read_only: bool = False) -> AsyncIterator[Transaction]:
        """A transaction that sees and writes one workspace only. Commits on leaving, rolls back on an error."""
        async with self._begin(read_only=read_only) as tx:
            await tx.execute(_READ_SCOPE if read_only else _SCOPE, {"workspace_id": str(workspace_id)})
            yield tx

    @asynccontextmanager
    async def system(self, *, read_only: bool = False) -> AsyncIterator[Transaction]:
        """A transaction across workspaces, for the worker's sweeps and for sign-in."""
        async with self._begin(read_only=read_only) as tx:
            await tx.execute(_ASSUME, {"role": SYSTEM_ROLE})
            yield tx

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Transaction]:
        """A connection in autocommit, for one statement that needs no workspace (one round trip)."""
        async with self._connection() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield Transaction(connection, None)

    @asynccontextmanager
    async def _begin(self, *, read_only: bool) -> AsyncIterator[Transaction]:
        async with self._connection() as connection:
            if read_only:
                await connection.execution_options(postgresql_readonly=True)
            tx = Transaction(connection, self._publisher)
            yield tx
            if not tx.sound:  # PostgreSQL would answer COMMIT with a silent ROLLBACK
                message = "An error of this transaction was caught without a savepoint, so it cannot be committed."
                raise RuntimeError(message)
            with passing_errors():
                await connection.commit()
        if tx.relay_wanted:
            self._ring()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection of the pool, in the order of asking: the pool itself lets newcomers overtake who waits."""
        with passing_errors():
            async with asyncio.timeout(self._patience):
                await self._turns.acquire()
        try:
            with passing_errors():
                connection = await self._engine.connect()
            try:
                yield connection
            finally:
                with passing_errors():
                    await connection.close()
        finally:
            self._turns.release()

    def _ring(self) -> None:
        # Outside the transaction: a NOTIFY inside it would make all such commits of the server wait for each other.
        # While one is under way, a second would tell the relays nothing new once they look.
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._notify_relays())

    async def _notify_relays(self) -> None:
        try:
            async with self.statement() as connection:
                await connection.execute(_NOTIFY, {"channel": RELAY_CHANNEL})
        except Unavailable:
            _log.info("outbox.bell_silent")


def create_engine(
    url: str, *, application_name: str, pool_size: int, statement_timeout: float, role: str = APP_ROLE
) -> AsyncEngine:
    """A pool for `url` (a `postgresql://` URL, Unix sockets included) whose connections act as `role`.

    Needs direct connections or session pooling: the role is set once a connection.
    """

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            url,
            timeout=5,
            server_settings={
                "application_name": application_name,
                "role": role,
                "search_path": "leadflood, public",
                "TimeZone": "UTC",
                "jit": "off",
                "statement_timeout": f"{statement_timeout:.3f}s",
                "lock_timeout": f"{statement_timeout / 2:.3f}s",
                "idle_in_transaction_session_timeout": "20s",  # a frozen worker must not hold its jobs for longer
            },
        )

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_use_lifo=True,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def discard_closed(dbapi_connection: AdaptedConnection, _record: object, _proxy: object) -> None:
        # The driver hears of a closed socket by itself: cheaper than a ping before each use.
        if dbapi_connection.driver_connection.is_closed():
            raise DisconnectionError

    return engine
