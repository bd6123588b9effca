"""One database transaction: what stores and queries are handed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
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
"""NOTIFY channel on which relays hear that an event waits to be published."""

_NOTHING: Mapping[str, Any] = {}
# How long this transaction waits for a lock, and how long each of its statements may take; null leaves what is set.
_LIMIT = sql("""
SELECT set_config('lock_timeout', coalesce(:lock, current_setting('lock_timeout')), true),
       set_config('statement_timeout', coalesce(:statement, current_setting('statement_timeout')), true)
""")


class Transaction:
    """Runs statements on one connection. Parameters are given by name.

    Every call raises `Unavailable` where the database is away or busy, and asyncpg.IntegrityConstraintViolationError
    for a violated constraint.
    """

    def __init__(
        self, driver: asyncpg.Connection, publisher: Publisher | None, subscribers: Subscribers = NO_LISTENERS
    ) -> None:
        self._driver = driver
        self._publisher = publisher
        self.subscribers = subscribers
        """Who hears of domain events that this transaction records."""
        self._timeout: float | None = None
        self.marked: set[UUID] = set()
        """Workspaces in which something changed."""
        self.notify_channels: set[str] = set()
        """Channels to notify after the commit."""

    async def limit(self, *, lock: float | None = None, statement: float | None = None) -> None:
        """Set the seconds that a statement of this transaction waits for a lock, and those that it may take in all."""
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
        """The first row of a statement, or None. All of its rows are made: it says LIMIT itself."""
        rows = await self.all(statement, parameters)
        return rows[0] if rows else None

    async def scalar(self, statement: Sql, parameters: Mapping[str, Any] = _NOTHING) -> Any:  # noqa: ANN401  the caller knows the column
        """The first column of the first row, or None."""
        rows = await self.all(statement, parameters)
        return rows[0][0] if rows else None

    async def changed(self, statement: Sql, parameters: Mapping[str, Any] = _NOTHING) -> int:
        """How many rows a statement wrote."""
        text = _text_of(statement)
        with translated_errors():
            tag = await self._driver.execute(text, *statement.arguments(parameters), timeout=self._timeout)
        return int(tag.rpartition(" ")[2])

    async def execute(self, statement: Sql, parameters: Mapping[str, Any] = _NOTHING) -> None:
        """Run a statement of whose outcome nothing needs to be known."""
        await self.all(statement, parameters)

    async def copy(self, table: str, columns: Sequence[str], records: Sequence[Sequence[Any]]) -> None:
        """Put rows into a temporary table by COPY, which PostgreSQL refuses on tables with row-level security."""
        with translated_errors():
            await self._driver.copy_records_to_table(table, columns=columns, records=records, timeout=self._timeout)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that can fail and be rolled back without ending the transaction."""
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
        """Whether the queue lives in this database, so that tickets commit together with the rows."""
        return self._publisher is not None

    async def publish(self, tickets: Sequence[QueueMessage]) -> None:
        """Put tickets on the queue in this very transaction. Only where `carries_queue`."""
        if self._publisher is None:
            raise RuntimeError("This database does not carry the queue; leave it to the relay.")
        with translated_errors():
            await self._publisher.publish(self._driver, tickets)
        self.notify_channels.add(self._publisher.channel)

    def wake_relay(self) -> None:
        """Notify the relays, once this is on disk, that an event waits. A hint: they look for themselves, too."""
        self.notify_channels.add(RELAY_CHANNEL)

    def mark(self, *workspace_ids: UUID) -> None:
        """Notify the pages of these workspaces, once this is on disk, that something changed. A hint, as above.

        Only for transactions across workspaces: one that writes in a workspace marks it by itself.
        """
        self.marked.update(workspace_ids)


def _text_of(statement: Sql) -> str:
    if not isinstance(statement, Sql):
        message = f"A statement is made by kernel.db.sql, not {type(statement).__name__}."
        raise TypeError(message)
    return statement.text


async def run_script(driver: asyncpg.Connection, script: str) -> str:
    """Run statements without parameters in one exchange. Returns the command tag of the last one."""
    with translated_errors():
        return str(await driver.execute(script))
