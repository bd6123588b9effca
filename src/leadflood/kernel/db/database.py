"""Transactions.

Every statement runs inside a `Transaction`, which is bound to one workspace (row-level security) or, for the few verbs
that work across workspaces, to the system role. A transaction declares whether it writes: one that does notifies the
pages of its workspace, after the commit, that something changed.
"""

import asyncio
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import asyncpg
import structlog

from leadflood.kernel.db.change_publisher import CHANGES_CHANNEL, ChangePublisher
from leadflood.kernel.db.errors import CONNECTION_ERRORS, READ_ONLY_TRANSACTION, WRITES_REFUSED, sqlstate, unanswered
from leadflood.kernel.db.pool import ConnectionPool, terminate
from leadflood.kernel.db.roles import SYSTEM_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import StatementLimits, Transaction, run_script
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.events import NO_LISTENERS, Subscribers
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID
from leadflood.kernel.queue.ports import Publisher

_log = structlog.get_logger()

_ROLLBACK_SECONDS = 2.0
_SYSTEM_CONNECTIONS = 2
"""Connections of a process for single statements across workspaces, opened on demand."""
_READ_ONLY = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"  # the whole page reads one snapshot
_READ_WRITE = "BEGIN;"
_ASSUME_SYSTEM = "SET LOCAL ROLE leadflood_system;"
# Wake subscribers of these channels. A hint: it need not wait for the disk, and is lost at worst with the server's
# memory.
_NOTIFY = sql("""
SELECT set_config('synchronous_commit', 'off', true), pg_notify(channel, '') FROM unnest(:channels::text[]) AS channel
""")
# Notify pages of the workspaces that changed. A hint, as above.
_NOTIFY_CHANGES = sql("SELECT set_config('synchronous_commit', 'off', true), pg_notify(:channel, :payload)")


def _scope(begin: str, workspace_id: UUID, limits: StatementLimits | None) -> str:
    """The script that begins a transaction in a workspace, in one round trip."""
    scope = f"{begin} SELECT set_config('app.workspace_id', '{workspace_id.hex}'::uuid::text, true)"
    if begin == _READ_ONLY:
        # Generic plans ignore the given status or owner and read up to 30 times more rows. Writes use keys.
        scope = f"{scope}, set_config('plan_cache_mode', 'force_custom_plan', true)"
    if limits is not None:
        scope = f"{scope}, set_config('lock_timeout', '{limits.lock:.3f}s', true)"
        scope = f"{scope}, set_config('statement_timeout', '{limits.statement:.3f}s', true)"
    return scope


class Database:
    """The database that opens transactions. The driver is in autocommit mode; this class begins and ends them."""

    def __init__(
        self, pool: ConnectionPool, publisher: Publisher | None, subscribers: Subscribers = NO_LISTENERS
    ) -> None:
        """Args: publisher: the queue backend if it uses this database. subscribers: to domain events."""
        self.pool = pool
        self.system_pool = pool.sibling(role=SYSTEM_ROLE, size=_SYSTEM_CONNECTIONS)
        self.subscribers = subscribers
        self._publisher = publisher
        self._pending_channels: set[str] = set()
        self._notifying: asyncio.Task[None] | None = None
        self._signals = ChangePublisher(self._notify_pages)
        self.writes_refused = False
        """Whether the database refused a write since the last successful probe. `kernel.db.writability` resets it."""

    async def close(self) -> None:
        """Close all connections."""
        if self._notifying is not None:
            await self._notifying
        await self._signals.close()
        await self.system_pool.close()
        await self.pool.close()

    @asynccontextmanager
    async def transaction(
        self, workspace_id: UUID, *, read_only: bool = False, limits: StatementLimits | None = None
    ) -> AsyncIterator[Transaction]:
        """A transaction in one workspace. Commits on leaving, rolls back on an error.

        Args: limits: in place of those of the connection, without the round trip of `Transaction.limit`.
        """
        begin = _scope(_READ_ONLY if read_only else _READ_WRITE, workspace_id, limits)
        async with self._begin(begin, limits) as tx:
            yield tx
            if not read_only and workspace_id != SYSTEM_WORKSPACE_ID:  # it has no pages
                tx.mark(workspace_id)

    @asynccontextmanager
    async def system(self, *, read_only: bool = False) -> AsyncIterator[Transaction]:
        """A transaction across workspaces, for the worker's sweeps and for sign-in."""
        async with self._begin(f"{_READ_ONLY if read_only else _READ_WRITE} {_ASSUME_SYSTEM}") as tx:
            yield tx

    @asynccontextmanager
    async def system_statement(self) -> AsyncIterator[Transaction]:
        """A connection in autocommit mode for one statement across workspaces: one round trip instead of three.

        For the worker's many small reads and writes in tables of the installation. It notifies no pages.
        """
        async with self.system_pool.connection() as driver:
            try:
                yield Transaction(driver, None)
            except Unavailable as error:
                self.writes_refused |= sqlstate(error.__cause__) in WRITES_REFUSED
                raise

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Transaction]:
        """A connection in autocommit mode, for one statement without a workspace (one round trip)."""
        async with self.pool.connection() as driver:
            yield Transaction(driver, None)

    @asynccontextmanager
    async def _begin(self, begin: str, limits: StatementLimits | None = None) -> AsyncIterator[Transaction]:
        async with self.pool.connection() as driver:
            tx = Transaction(driver, self._publisher, self.subscribers, limits)
            done, answers = None, True
            try:
                await run_script(driver, begin)
                yield tx
                done = await run_script(driver, "COMMIT;")
            except asyncio.CancelledError:
                answers = False
                raise
            except Unavailable as error:
                answers = not unanswered(error)
                state = sqlstate(error.__cause__)
                if state == READ_ONLY_TRANSACTION and begin.startswith(_READ_ONLY):
                    raise error.__cause__ or error from None  # a bug of ours, not a failure of the database
                self.writes_refused |= state in WRITES_REFUSED
                raise
            finally:
                if done is None and answers:
                    await _roll_back(driver)
        if done != "COMMIT":
            raise RuntimeError("An error of this transaction was caught without a savepoint, so it cannot commit.")
        if tx.notify_channels:
            self._notify_later(tx.notify_channels)
        if tx.marked:
            self._signals.changed(tx.marked)

    def _notify_later(self, notify_channels: AbstractSet[str]) -> None:
        # Outside the transaction: a NOTIFY inside it would make all such commits of the server wait for each other.
        # A commit during a notification notifies again, as the first one may have been received before the commit.
        self._pending_channels |= notify_channels
        if self._notifying is None or self._notifying.done():
            self._notifying = asyncio.create_task(self._notify())

    async def _notify(self) -> None:
        while self._pending_channels:
            notify_channels, self._pending_channels = self._pending_channels, set()
            try:
                async with self.statement() as connection:
                    await connection.execute(_NOTIFY, {"channels": sorted(notify_channels)})
            except Unavailable:
                _log.info("notifications.wake_failed", channels=sorted(notify_channels))

    async def _notify_pages(self, payload: str) -> None:
        try:
            async with self.statement() as connection:
                await connection.execute(_NOTIFY_CHANGES, {"channel": CHANGES_CHANNEL, "payload": payload})
        except Unavailable:
            _log.info("notifications.publish_failed")


async def _roll_back(driver: asyncpg.Connection) -> None:
    """Roll back, even if a statement is running, or discard the connection."""
    clean = False
    try:
        with suppress(*CONNECTION_ERRORS, asyncpg.PostgresError):
            await driver.execute("ROLLBACK;", timeout=_ROLLBACK_SECONDS)
            clean = True
    finally:
        if not clean:
            terminate(driver)
