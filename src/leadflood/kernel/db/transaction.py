"""One database transaction, as passed to stores and queries."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from leadflood.kernel.db.errors import translated_errors, unanswered
from leadflood.kernel.db.pool import STATEMENT_MARGIN, Row
from leadflood.kernel.db.sql import Sql, sql
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.events import NO_LISTENERS, Subscribers
from leadflood.kernel.queue.ports import Publisher, QueueMessage

RELAY_CHANNEL = "leadflood_outbox"
"""NOTIFY channel on which relays learn of waiting events."""

_NOTHING: Mapping[str, Any] = {}
# Lock timeout and statement timeout of this transaction; null keeps a value.
_LIMIT = sql("""
SELECT set_config('lock_timeout', coalesce(:lock, current_setting('lock_timeout')), true),
       set_config('statement_timeout', coalesce(:statement, current_setting('statement_timeout')), true)
""")


@dataclass(frozen=True, slots=True)
class StatementLimits:
    """Timeouts in seconds of a transaction: for a lock, and for one statement."""

    lock: float
    statement: float


class Transaction:
    """Runs statements on one connection. Parameters are given by name.

    Every call raises `Unavailable` where the database is away or busy, and asyncpg.IntegrityConstraintViolationError
    for a violated constraint.
    """

    def __init__(
        self,
        driver: asyncpg.Connection,
        publisher: Publisher | None,
        subscribers: Subscribers = NO_LISTENERS,
        limits: StatementLimits | None = None,
    ) -> None:
        self._driver = driver
        self._publisher = publisher
        self.subscribers = subscribers
        """Subscriptions to the domain events that this transaction records."""
        self._timeout = None if limits is None else limits.statement + STATEMENT_MARGIN
        self.marked: set[UUID] = set()
        """Workspaces with changes."""
        self.notify_channels: set[str] = set()
        """Channels to notify after the commit."""

    async def limit(self, *, lock: float | None = None, statement: float | None = None) -> None:
        """Set the lock timeout and statement timeout of this transaction, in seconds."""
        limits = {"lock": lock, "statement": statement}
        await self.execute(_LIMIT, {name: None if value is None else f"{value:.3f}s" for name, value in limits.items()})
        if statement is not None:
            self._timeout = statement + STATEMENT_MARGIN

    async def all(self, statement: Sql, parameters: Mapping[str, Any] = _NOTHING) -> Sequence[Row]:
        """All rows of a statement."""
        text = _text_of(statement)
        with translated_errors():
            rows: Sequence[Any] = await self._driver.fetch(
                text, *statement.arguments(parameters), timeout=self._timeout
            )
        return rows

    async def first(self, statement: Sql, parameters: Mapping[str, Any] = _NOTHING) -> Row | None:
        """The first row of a statement, or None. All its rows are fetched: use LIMIT."""
        rows = await self.all(statement, parameters)
        return rows[0] if rows else None

    async def scalar(self, statement: Sql, parameters: Mapping[str, Any] = _NOTHING) -> Any:  # noqa: ANN401  the caller knows the column
        """The first column of the first row, or None."""
        rows = await self.all(statement, parameters)
        return rows[0][0] if rows else None

    async def changed(self, statement: Sql, parameters: Mapping[str, Any] = _NOTHING) -> int:
        """Number of rows that a statement wrote."""
        text = _text_of(statement)
        with translated_errors():
            tag = await self._driver.execute(text, *statement.arguments(parameters), timeout=self._timeout)
        return int(tag.rpartition(" ")[2])

    async def execute(self, statement: Sql, parameters: Mapping[str, Any] = _NOTHING) -> None:
        """Run a statement and ignore its result."""
        await self.all(statement, parameters)

    async def copy(self, table: str, columns: Sequence[str], records: Sequence[Sequence[Any]]) -> None:
        """Copy rows into a temporary table. PostgreSQL refuses COPY on tables with row-level security."""
        with translated_errors():
            await self._driver.copy_records_to_table(table, columns=columns, records=records, timeout=self._timeout)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A savepoint: this part can fail and be rolled back without ending the transaction."""
        await run_script(self._driver, "SAVEPOINT part;")
        kept, answers = False, True
        try:
            yield
            await run_script(self._driver, "RELEASE part;")
            kept = True
        except (asyncio.CancelledError, Unavailable) as error:
            answers = not unanswered(error)
            raise
        finally:
            if not kept and answers:
                await run_script(self._driver, "ROLLBACK TO part; RELEASE part;")

    @property
    def carries_queue(self) -> bool:
        """Whether the queue is in this database, so that messages commit together with the rows."""
        return self._publisher is not None

    async def publish(self, tickets: Sequence[QueueMessage]) -> None:
        """Publish queue messages in this transaction. Only if `carries_queue`."""
        if self._publisher is None:
            raise RuntimeError("This database does not carry the queue; leave it to the relay.")
        with translated_errors():
            await self._publisher.publish(self._driver, tickets)
        self.notify_channels.add(self._publisher.channel)

    def wake_relay(self) -> None:
        """Notify the relays after the commit that an event waits. A hint: they also poll."""
        self.notify_channels.add(RELAY_CHANNEL)

    def mark(self, *workspace_ids: UUID) -> None:
        """Notify the pages of these workspaces after the commit. A hint, like above.

        Only for transactions across workspaces: one in a workspace does this itself.
        """
        self.marked.update(workspace_ids)


def _text_of(statement: Sql) -> str:
    if not isinstance(statement, Sql):
        message = f"A statement is made by kernel.db.sql, not {type(statement).__name__}."
        raise TypeError(message)
    return statement.text


async def run_script(driver: asyncpg.Connection, script: str) -> str:
    """Run statements without parameters in one round trip. Returns the command tag of the last one."""
    with translated_errors():
        return str(await driver.execute(script))
