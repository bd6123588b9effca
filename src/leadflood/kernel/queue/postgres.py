"""The queue in PostgreSQL: one table, in the application's database or in a separate one, and NOTIFY.

`docs/decisions/0024-tickets-of-our-own.md` has the reasons and the measurements.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from importlib.resources import files
from uuid import UUID

import asyncpg

from leadflood.kernel.db.errors import AWAY
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.queue.ports import Connection, Priority, QueueDepth, QueueMessage

CHANNEL = "leadflood_queue"
"""The NOTIFY channel. It belongs to the database, not to a schema, so its name contains the program's."""

_CONNECT_TIMEOUT = 2.0
_COMMAND_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 2.0
_POOL_SIZE = 4
_MIN_WAIT = 0.05
"""Seconds that `wait` takes if there are due messages that no `receive` got, such as locked ones."""

_HERE = files("leadflood.kernel.queue")

INSTALL = _HERE.joinpath("install.sql").read_text()
"""The queue's schema: many statements, run by the owner in one transaction if it is missing."""

RECEIVE = _HERE.joinpath("receive.sql").read_text()

# A message for an attempt that already has one is skipped.
_PUBLISH = """
INSERT INTO leadflood_queue.tickets (kind, workspace_id, job_id, attempt, priority, due_at, visible_at, ready)
SELECT kind, workspace_id, job_id, attempt, priority, due_at, due_at, due_at <= now()
FROM (SELECT *, now() + make_interval(secs => delay) AS due_at
      FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::integer[], $5::smallint[], $6::float8[])
           AS t (kind, workspace_id, job_id, attempt, priority, delay)) AS ticket
ON CONFLICT (job_id, attempt) DO NOTHING
"""

_NOTIFY = "SELECT pg_notify($1, '')"

# Messages whose delay has passed, and those not acknowledged in time, can be delivered (again).
_MAKE_READY = """
UPDATE leadflood_queue.tickets SET ready = true
WHERE (job_id, attempt) IN (
    SELECT job_id, attempt FROM leadflood_queue.tickets
    WHERE NOT ready AND visible_at <= now()
    ORDER BY visible_at LIMIT 1000
    FOR UPDATE SKIP LOCKED)
"""

_ACKNOWLEDGE = """
DELETE FROM leadflood_queue.tickets AS ticket
USING unnest($1::uuid[], $2::integer[]) AS done (job_id, attempt)
WHERE ticket.job_id = done.job_id AND ticket.attempt = done.attempt
"""

# Two index probes, for any number of messages.
_NEXT_DUE = """
SELECT CASE
    WHEN EXISTS (SELECT FROM leadflood_queue.tickets WHERE ready AND kind = ANY($1)) THEN 0
    ELSE (SELECT extract(epoch FROM visible_at - clock_timestamp()) FROM leadflood_queue.tickets
          WHERE NOT ready AND kind = ANY($1) ORDER BY visible_at LIMIT 1)
END::float8
"""

_DEPTH = """
SELECT kind,
       count(*) FILTER (WHERE due_at <= now()) AS waiting,
       count(*) FILTER (WHERE due_at > now()) AS deferred,
       greatest(extract(epoch FROM now() - min(due_at)), 0)::float8 AS oldest_age
FROM leadflood_queue.tickets
GROUP BY kind
"""

_CHECK = "SELECT job_id FROM leadflood_queue.tickets LIMIT 1"

# The server is unavailable, a standby, or refuses the login (PostgreSQL manual, appendix A).
_AWAY = (*AWAY, "25006", "28", "3D000")

# For receiving, acknowledging and waiting. The planner mostly knows a queue table as the empty one it was when it was
# last analysed, and would then sort or hash the whole backlog for every batch, when an index has it in order.
# A ticket whose receipt or acknowledgement is undone by a crash of the server is only delivered once more, so neither
# waits for the disk. Publishing does.
_CONSUMER_SETTINGS = {
    **dict.fromkeys(("enable_sort", "enable_seqscan", "enable_hashjoin", "enable_mergejoin"), "off"),
    "synchronous_commit": "off",
}


class PostgresQueueBackend:
    """The `QueueBackend` on a table. One carrier serves one consumer loop and any number of publishers.

    Its connections: up to four to consume, up to four to publish without a caller's connection and to look, made as
    needed, and one that listens, from the first `wait` on. None may pass a transaction pooler, which loses LISTEN.
    """

    def __init__(
        self, dsn: str, *, role: str | None = None, redelivery: float = 10.0, application_name: str = "leadflood-queue"
    ) -> None:
        """Args: dsn: `postgresql://…`. role: to act as, unless the login is it. redelivery: seconds, see `receive`."""
        self._dsn = dsn
        self._settings = {"application_name": application_name, **({"role": role} if role else {})}
        self._redelivery = timedelta(seconds=redelivery)
        self._first_workspace = UUID(int=0)
        self._consuming: asyncpg.Pool | None = None
        self._publishing: asyncpg.Pool | None = None
        self._listener: asyncpg.Connection | None = None
        self._listening = asyncio.Lock()
        self._published = asyncio.Event()

    @property
    def channel(self) -> str:
        """See `Publisher.channel`."""
        return CHANNEL

    async def open(self) -> None:
        """See `QueueBackend.open`."""
        self._consuming = await self._pool(self._settings | _CONSUMER_SETTINGS)
        self._publishing = await self._pool(self._settings)

    async def close(self) -> None:
        """See `QueueBackend.close`."""
        self._drop_listener()
        for pool in (self._consuming, self._publishing):
            if pool is not None:
                try:
                    async with asyncio.timeout(_CLOSE_TIMEOUT):
                        await pool.close()
                except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    pool.terminate()
        self._consuming = self._publishing = None

    async def publish(self, connection: Connection | None, tickets: Sequence[QueueMessage]) -> None:
        """See `Publisher.publish`."""
        if not tickets:
            return
        columns = (
            [ticket.kind for ticket in tickets],
            [ticket.workspace_id for ticket in tickets],
            [ticket.job_id for ticket in tickets],
            [ticket.attempt for ticket in tickets],
            [ticket.priority for ticket in tickets],
            [ticket.delay for ticket in tickets],
        )
        if connection is None:
            await self._fetch(self._publishing, _PUBLISH, *columns)
            await self._fetch(self._publishing, _NOTIFY, CHANNEL)
            return
        with _away_is_unavailable():
            await connection.fetch(_PUBLISH, *columns)

    async def receive(self, kinds: Sequence[str], limit: int) -> Sequence[QueueMessage]:
        """See `QueueBackend.receive`. The next call begins with the workspace after the last one served."""
        self._published.clear()
        await self._fetch(self._consuming, _MAKE_READY)
        args = (limit, list(kinds), self._first_workspace, self._redelivery, list(Priority))
        rows = await self._fetch(self._consuming, RECEIVE, *args)
        tickets = [
            QueueMessage(row["kind"], row["workspace_id"], row["job_id"], row["attempt"], Priority(row["priority"]))
            for row in rows
        ]
        if tickets:
            self._first_workspace = UUID(int=(tickets[-1].workspace_id.int + 1) % 2**128)
        return tickets

    async def acknowledge(self, tickets: Sequence[QueueMessage]) -> None:
        """See `QueueBackend.acknowledge`."""
        if tickets:
            keys = ([ticket.job_id for ticket in tickets], [ticket.attempt for ticket in tickets])
            await self._fetch(self._consuming, _ACKNOWLEDGE, *keys)

    async def wait(self, kinds: Sequence[str], timeout: float) -> None:  # noqa: ASYNC109  it is the caller's poll interval
        """See `QueueBackend.wait`."""
        if not self._published.is_set():
            due = await self._next_due(kinds)
            delay = timeout if due is None else min(timeout, max(due, _MIN_WAIT))
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._published.wait()
        self._published.clear()

    async def depth(self) -> Mapping[str, QueueDepth]:
        """See `QueueBackend.depth`."""
        rows = await self._fetch(self._publishing, _DEPTH)
        return {row["kind"]: QueueDepth(row["waiting"], row["deferred"], row["oldest_age"]) for row in rows}

    async def check(self) -> None:
        """See `QueueBackend.check`."""
        try:
            await self._fetch(self._publishing, _CHECK)
        except asyncpg.PostgresError as error:
            raise Unavailable(f"The queue's tables cannot be read. Run `leadflood migrate`. ({error})") from error

    async def _pool(self, settings: dict[str, str]) -> asyncpg.Pool:
        return await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=_POOL_SIZE,
            timeout=_CONNECT_TIMEOUT,
            command_timeout=_COMMAND_TIMEOUT,
            server_settings=settings,
            reset=_leave_as_is,
        )

    async def _fetch(self, pool: asyncpg.Pool | None, query: str, *args: object) -> Sequence[asyncpg.Record]:
        if pool is None:
            raise RuntimeError("The carrier is not open.")
        with _away_is_unavailable():
            async with pool.acquire(timeout=_COMMAND_TIMEOUT) as connection:
                try:
                    rows: Sequence[asyncpg.Record] = await connection.fetch(query, *args)
                except (TimeoutError, asyncio.CancelledError):
                    connection.terminate()  # the server may not respond for long
                    raise
                return rows

    async def _next_due(self, kinds: Sequence[str]) -> float | None:
        """Seconds until the next ticket of these kinds falls due, past ones included; None without any.

        Asked over the listening connection, which is thereby known to be alive, and listens before the answer is made.
        """
        async with self._listening:
            with _away_is_unavailable():
                try:
                    if self._listener is None or self._listener.is_closed():
                        self._listener = await self._listen()
                    due: float | None = await self._listener.fetchval(_NEXT_DUE, list(kinds))
                except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError):
                    self._drop_listener()
                    raise
                return due

    async def _listen(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=_CONNECT_TIMEOUT,
            command_timeout=_COMMAND_TIMEOUT,
            server_settings=self._settings | _CONSUMER_SETTINGS,
        )
        try:
            await connection.add_listener(CHANNEL, self._notified)
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError, asyncio.CancelledError):
            connection.terminate()
            raise
        connection.add_termination_listener(self._lost)
        return connection

    def _drop_listener(self) -> None:
        if self._listener is not None:
            self._listener.terminate()
            self._listener = None

    def _notified(self, _connection: object, _pid: int, _channel: str, _payload: object) -> None:
        self._published.set()

    def _lost(self, _connection: object) -> None:
        self._published.set()


async def _leave_as_is(_connection: object) -> None:
    """Nothing here changes a session, so the pool need not spend a round trip on resetting it."""


@contextmanager
def _away_is_unavailable() -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as error:
        if (error.sqlstate or "").startswith(_AWAY):
            raise Unavailable("The queue is temporarily unavailable. Try again shortly.") from error
        raise
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        if isinstance(error, ValueError):  # asyncpg.DataError and the like: a bug of ours, not of the connection
            raise
        raise Unavailable("The queue is temporarily unavailable. Try again shortly.") from error
