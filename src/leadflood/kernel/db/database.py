"""Connections and transactions.

Every statement runs inside a `Transaction`, which is bound to one workspace (row-level security) or, for the few verbs
that work across workspaces, to the system role. Errors of an absent or overloaded database become `Unavailable`;
constraint violations stay `sqlalchemy.exc.IntegrityError`. None of them quotes a value.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, cast
from uuid import UUID

import asyncpg
import structlog
from pydantic_core import from_json
from sqlalchemy import ARRAY, AdaptedConnection, Executable, Result, Row, Text, TextClause, bindparam, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from leadflood.kernel.db.constant_sql import compiled, errors_of_sqlalchemy, rows_of
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.signals import CHANGES_CHANNEL, Signals, writes
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.faults import forget_values
from leadflood.kernel.queue.ports import Publisher, Ticket

# PostgreSQL error classes and codes after which the same request may succeed: connection, rollback by conflict,
# resources, shutdown, cancelled by a timeout, not yet accepting connections (PostgreSQL manual, appendix A).
_PASSING = ("08", "40", "53", "57", "55P03", "25P03")
_CONTENDED = ("40", "55P03", "57014")
_WRITES_REFUSED = {
    "53100": "The database's disk is full. Nothing is lost; free some space on it.",
    "25006": "The database is read-only. Nothing is lost; it must be made writable, or its standby promoted.",
}
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


class Contended(Unavailable):
    """What others did at the same time was in the way: a deadlock, or a lock held for too long. Nothing was written."""


class WritesRefused(Unavailable):
    """The database answers, and accepts no writes: its disk is full, or it is read-only."""


RELAY_CHANNEL = "leadflood_outbox"
"""NOTIFY channel on which relays hear that an event waits to be published."""

_ROLLBACK_SECONDS = 5.0
_READ_ONLY = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"  # all of a page as of one moment
_READ_WRITE = "BEGIN;"
_ASSUME_SYSTEM = "SET LOCAL ROLE leadflood_system;"
# A hint: it need not wait for the disk, and is lost with the server's memory at worst.
_NOTIFY = text("""
SELECT set_config('synchronous_commit', 'off', true), pg_notify(channel, '') FROM unnest(:channels) AS channel
""").bindparams(bindparam("channels", type_=ARRAY(Text)))
_TELL = text("SELECT set_config('synchronous_commit', 'off', true), pg_notify(:channel, :payload)")


def _scope(begin: str, workspace_id: UUID) -> str:
    """The script that begins a transaction in a workspace, in one exchange."""
    scope = f"{begin} SELECT set_config('app.workspace_id', '{workspace_id.hex}'::uuid::text, true)"
    # A plan for any status or owner read up to 30 times more than one for those given. Writes go by keys.
    return f"{scope}, set_config('plan_cache_mode', 'force_custom_plan', true)" if begin == _READ_ONLY else scope


@contextmanager
def passing_errors() -> Iterator[None]:
    """Turn errors of an absent or overloaded database into `Unavailable`; let all others through."""
    try:
        yield
    except (DBAPIError, asyncpg.PostgresError) as error:
        forget_values(error)
        invalidated = isinstance(error, DBAPIError) and error.connection_invalidated
        unavailable = _unavailable(_sqlstate(error), invalidated=invalidated)
        if unavailable is None or isinstance(error, IntegrityError):
            raise
        raise unavailable from error
    except _CONNECTION_ERRORS as error:
        forget_values(error)
        if isinstance(error, ValueError):  # a parameter that does not fit, told by the driver: a fault of ours
            raise
        raise Unavailable("The database cannot be reached. Try again shortly.") from error


def _sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE of an error of the driver, also of one that SQLAlchemy wraps; empty where there is none."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) or ""


def _unavailable(state: str, *, invalidated: bool) -> Unavailable | None:
    """The error that callers get for an SQLSTATE; None for one that a repeated request would meet again."""
    if state in _WRITES_REFUSED:
        return WritesRefused(_WRITES_REFUSED[state], retry_after=5)
    if state.startswith(_CONTENDED):
        return Contended("The database is busy. Try again shortly.")
    if invalidated or state.startswith(_PASSING) or not state:
        return Unavailable("The database is away or busy. Try again shortly.")
    return None


def constraint_of(error: IntegrityError) -> str | None:
    """The name of the constraint or unique index that was violated."""
    cause = error.orig if isinstance(error.orig, asyncpg.PostgresError) else getattr(error.orig, "__cause__", None)
    name = getattr(cause, "constraint_name", None)
    return name if isinstance(name, str) else None


class Transaction:
    """One database transaction: what stores and queries are handed."""

    def __init__(
        self,
        connection: AsyncConnection,
        driver: asyncpg.Connection,
        publisher: Publisher | None,
        workspace_id: UUID | None = None,
    ) -> None:
        """`workspace_id`: the one whose pages are told, after the commit, of what is written here."""
        self._connection = connection
        self._driver = driver
        self._publisher = publisher
        self._workspace_id = workspace_id
        self.marked: set[UUID] = set()
        """Workspaces in which something changed."""
        self.bells: set[str] = set()
        """Channels on which somebody waits for what this transaction writes."""

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> Result[Any]:
        """Run one statement, once for each of several mappings. Raises: Unavailable, sqlalchemy.exc.IntegrityError."""
        self._note(statement)
        if isinstance(statement, TextClause) and not isinstance(parameters, Sequence):
            constant = compiled(statement)
            with passing_errors(), errors_of_sqlalchemy(constant.sql):
                return rows_of(await self._driver.fetch(constant.sql, *constant.arguments(parameters or {})))
        with passing_errors():
            return await self._connection.execute(statement, parameters)

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
        self._note(statement)
        if isinstance(statement, TextClause):
            constant = compiled(statement)
            with passing_errors(), errors_of_sqlalchemy(constant.sql):
                tag = await self._driver.execute(constant.sql, *constant.arguments(parameters or {}))
            return int(tag.rpartition(" ")[2])
        with passing_errors():
            return (await self._connection.execute(statement, parameters)).rowcount

    async def copy(self, table: str, columns: Sequence[str], records: Sequence[Sequence[Any]]) -> None:
        """Put rows into a temporary table by COPY, which PostgreSQL refuses on tables with row-level security."""
        with passing_errors():
            await self._driver.copy_records_to_table(table, columns=columns, records=records)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that can fail and be rolled back without ending the transaction."""
        await _run(self._driver, "SAVEPOINT part;")
        kept = False
        try:
            yield
            await _run(self._driver, "RELEASE part;")
            kept = True
        finally:
            if not kept:
                await _run(self._driver, "ROLLBACK TO part; RELEASE part;")

    @property
    def carries_queue(self) -> bool:
        """Whether the queue lives in this database, so that tickets commit together with the rows."""
        return self._publisher is not None

    async def publish(self, tickets: Sequence[Ticket]) -> None:
        """Put tickets on the queue in this very transaction. Only where `carries_queue`."""
        if self._publisher is None:
            raise RuntimeError("This database does not carry the queue; leave it to the relay.")
        with passing_errors():
            await self._publisher.publish(self._driver, tickets)
        self.bells.add(self._publisher.channel)

    def wake_relay(self) -> None:
        """Tell the relays, once this is on disk, that an event waits. A hint: they look for themselves, too."""
        self.bells.add(RELAY_CHANNEL)

    def mark(self, *workspace_ids: UUID) -> None:
        """Tell the pages of these workspaces, once this is on disk, that something changed. A hint, as above.

        Only for transactions across workspaces: what is written in a transaction of one workspace marks it by itself.
        """
        self.marked.update(workspace_ids)

    def _note(self, statement: Executable) -> None:
        if self._workspace_id is not None and not self.marked and writes(statement):
            self.marked.add(self._workspace_id)


class Database:
    """A pool of connections as the application's role. The driver is in autocommit: transactions are begun by us."""

    def __init__(self, engine: AsyncEngine, publisher: Publisher | None) -> None:
        """`publisher`: the carrier of the queue when it lives in this database, else None."""
        self._engine = engine
        self._publisher = publisher
        pool = cast("QueuePool", engine.pool)
        self._turns = asyncio.Semaphore(pool.size())
        self._patience = pool.timeout()
        self._bells: set[str] = set()
        self._ringing: asyncio.Task[None] | None = None
        self._signals = Signals(self._notify_pages)
        self.writes_refused = False
        """Whether the database refused a write since a probe wrote last. `kernel.db.writability` resets it."""

    async def close(self) -> None:
        """Close all connections."""
        if self._ringing is not None:
            await self._ringing
        await self._signals.close()
        await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self, workspace_id: UUID, *, read_only: bool = False) -> AsyncIterator[Transaction]:
        """A transaction that sees and writes one workspace only. Commits on leaving, rolls back on an error."""
        async with self._begin(_scope(_READ_ONLY if read_only else _READ_WRITE, workspace_id), workspace_id) as tx:
            yield tx

    @asynccontextmanager
    async def system(self, *, read_only: bool = False) -> AsyncIterator[Transaction]:
        """A transaction across workspaces, for the worker's sweeps and for sign-in."""
        async with self._begin(f"{_READ_ONLY if read_only else _READ_WRITE} {_ASSUME_SYSTEM}") as tx:
            yield tx

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Transaction]:
        """A connection in autocommit, for one statement that needs no workspace (one round trip)."""
        async with self._connection() as connection:
            yield Transaction(connection, await _driver_of(connection), None)

    @asynccontextmanager
    async def _begin(self, begin: str, workspace_id: UUID | None = None) -> AsyncIterator[Transaction]:
        async with self._connection() as connection:
            driver = await _driver_of(connection)
            tx = Transaction(connection, driver, self._publisher, workspace_id)
            done = None
            try:
                await _run(driver, begin)
                yield tx
                done = await _run(driver, "COMMIT;")
            except Unavailable as error:
                state = _sqlstate(error.__cause__)
                if state == "25006" and begin.startswith(_READ_ONLY):  # the fault is ours, not the database's
                    raise error.__cause__ or error from None
                self.writes_refused |= state in _WRITES_REFUSED
                raise
            finally:
                if done is None:
                    await _undo(connection, driver)
        if done != "COMMIT":
            raise RuntimeError("An error of this transaction was caught without a savepoint, so it cannot commit.")
        if tx.bells:
            self._ring(tx.bells)
        if tx.marked:
            self._signals.changed(tx.marked)

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

    def _ring(self, bells: AbstractSet[str]) -> None:
        # Outside the transaction: a NOTIFY inside it would make all such commits of the server wait for each other.
        # What commits while one is under way rings once more: that one may have been heard before there was anything.
        self._bells |= bells
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._notify())

    async def _notify(self) -> None:
        while self._bells:
            bells, self._bells = self._bells, set()
            try:
                async with self.statement() as connection:
                    await connection.execute(_NOTIFY, {"channels": sorted(bells)})
            except Unavailable:
                _log.info("database.bell_silent", channels=sorted(bells))

    async def _notify_pages(self, payload: str) -> None:
        try:
            async with self.statement() as connection:
                await connection.execute(_TELL, {"channel": CHANGES_CHANNEL, "payload": payload})
        except Unavailable:
            _log.info("changes.not_told")


async def _driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    with passing_errors():
        return cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)


async def _run(driver: asyncpg.Connection, script: str) -> str:
    """Run statements without parameters in one exchange. Returns what the last one is told to have done."""
    with passing_errors(), errors_of_sqlalchemy(script):
        return str(await driver.execute(script))


async def _undo(connection: AsyncConnection, driver: asyncpg.Connection) -> None:
    """Roll back, whatever was under way, or throw the connection away."""
    clean = False
    try:
        with suppress(*_CONNECTION_ERRORS, asyncpg.PostgresError):
            await driver.execute("ROLLBACK;", timeout=_ROLLBACK_SECONDS)
            clean = True
    finally:
        if not clean:
            driver.terminate()
            await connection.invalidate()


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
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        json_deserializer=from_json,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def discard_closed(dbapi_connection: AdaptedConnection, _record: object, _proxy: object) -> None:
        # The driver hears of a closed socket by itself: cheaper than a ping before each use.
        if dbapi_connection.driver_connection.is_closed():
            raise DisconnectionError

    return engine
