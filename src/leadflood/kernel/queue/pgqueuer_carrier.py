"""The queue in PostgreSQL: PgQueuer's tables, statements and NOTIFY channel, without its worker.

`docs/decisions/0003-queue-carrier.md` says which parts of PgQueuer are used, and why not the others.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import asyncpg
import structlog
from asyncpg.pgproto import pgproto
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pydantic_core import from_json

from leadflood.kernel.errors import Unavailable
from leadflood.kernel.faults import describe
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Connection, Delivery, QueueDepth, Ticket

CHANNEL = "leadflood_queue"
"""The NOTIFY channel. It belongs to the database, not to a schema, hence the program's name in it."""

_CONNECT_TIMEOUT = 2.0
_COMMAND_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 2.0
_POOL_SIZE = 4
_SHORTEST_WAIT = 0.05
"""Seconds that `wait` takes where tickets are due that no `receive` got, such as those another consumer has locked."""

# Every name is given: PgQueuer reads the others from variables of the environment, some as common as CHANNEL.
_NAMES = DBSettings(
    prefix="",
    db_schema="leadflood_queue",
    channel=Channel(CHANNEL),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)

# Our own record is job_executions. PgQueuer's would be three rows with five index entries each for every ticket.
_KEEP_NO_LOG = """
CREATE FUNCTION leadflood_queue.keep_no_log() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

CREATE TRIGGER keep_no_log BEFORE INSERT ON leadflood_queue.pgqueuer_log
FOR EACH ROW EXECUTE FUNCTION leadflood_queue.keep_no_log();
"""

# The trigger notifies inside the publishing transaction, and PostgreSQL makes all commits that notify wait for each
# other, disk included. Whoever publishes notifies after the commit instead. The indexes serve statements that are not
# ours, and each ticket would pay for them three times.
UPGRADE_SQL = """
DROP TRIGGER IF EXISTS tg_pgqueuer_changed ON leadflood_queue.pgqueuer;
DROP INDEX IF EXISTS leadflood_queue.pgqueuer_priority_id_id1_idx;
DROP INDEX IF EXISTS leadflood_queue.pgqueuer_updated_id_id1_idx;
DROP INDEX IF EXISTS leadflood_queue.pgqueuer_queue_manager_id_idx;
"""
"""The DDL that an installation of an earlier release still needs; it may run again."""

_GRANTS = """
GRANT USAGE ON SCHEMA leadflood_queue TO :role;
GRANT SELECT, INSERT, UPDATE, DELETE ON leadflood_queue.pgqueuer TO :role;
GRANT INSERT ON leadflood_queue.pgqueuer_log TO :role;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA leadflood_queue TO :role;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA leadflood_queue TO :role;
"""

_PUBLISH = """
INSERT INTO leadflood_queue.pgqueuer (priority, status, entrypoint, payload, execute_after, dedupe_key)
SELECT 0, 'queued', t.kind, t.payload, now() + make_interval(secs => t.delay), t.dedupe_key
FROM unnest($1::text[], $2::bytea[], $3::float8[], $4::text[]) AS t (kind, payload, delay, dedupe_key)
ON CONFLICT (dedupe_key) WHERE status = ANY (ARRAY['queued'::leadflood_queue.pgqueuer_status,
                                                   'picked'::leadflood_queue.pgqueuer_status])
                           AND dedupe_key IS NOT NULL DO NOTHING
"""

_NOTIFY = "SELECT pg_notify($1, '')"

# As PgQueuer's own, without limits for a kind and without its log; it gives back what a ticket is read from, no more.
RECEIVE = """
WITH waiting AS (
    SELECT next.id FROM unnest($2::text[]) AS kind
    CROSS JOIN LATERAL (
        SELECT id FROM leadflood_queue.pgqueuer
        WHERE status = 'queued' AND entrypoint = kind AND execute_after < now()
        ORDER BY priority DESC, id
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    ) AS next
), abandoned AS (
    SELECT id FROM leadflood_queue.pgqueuer
    WHERE status = 'picked' AND entrypoint = ANY($2) AND heartbeat < now() - $4::interval AND execute_after < now()
    ORDER BY heartbeat
    LIMIT $1
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE leadflood_queue.pgqueuer
    SET status = 'picked', updated = now(), heartbeat = now(), queue_manager_id = $3
    WHERE id IN (SELECT id FROM (TABLE waiting UNION ALL TABLE abandoned) AS due ORDER BY id LIMIT $1)
    RETURNING id, entrypoint, payload
)
SELECT id, entrypoint, payload FROM taken ORDER BY id
"""

_ACKNOWLEDGE = "DELETE FROM leadflood_queue.pgqueuer WHERE id = ANY($1::bigint[])"

# One index probe per kind, however many tickets wait; PgQueuer's own statement sorts them all.
_NEXT_DUE = """
SELECT extract(epoch FROM min(next.execute_after) - clock_timestamp())::float8
FROM unnest($1::text[]) AS kind
CROSS JOIN LATERAL (
    SELECT execute_after FROM leadflood_queue.pgqueuer
    WHERE status = 'queued' AND entrypoint = kind
    ORDER BY execute_after LIMIT 1
) AS next
"""

_DEPTH = """
SELECT entrypoint,
       count(*) FILTER (WHERE execute_after <= now()) AS waiting,
       count(*) FILTER (WHERE execute_after > now()) AS deferred,
       greatest(extract(epoch FROM now() - min(execute_after)), 0)::float8 AS oldest_age
FROM leadflood_queue.pgqueuer
GROUP BY entrypoint
"""

_CHECK = "SELECT id FROM leadflood_queue.pgqueuer LIMIT 1"

# PostgreSQL manual, appendix A. The database is away, full, shutting down, a standby, or refuses the login.
_AWAY = ("08", "25006", "28", "3D000", "53", "57")

# For receiving, acknowledging and waiting. The planner mostly knows a queue table as the empty one it was when it was
# last analysed, and would then sort the whole backlog for every batch, when an index has it in order.
# A ticket whose receipt or acknowledgement is undone by a crash of the server is only delivered once more, so neither
# waits for the disk. Publishing does.
_CONSUMER_SETTINGS = {"enable_sort": "off", "enable_seqscan": "off", "synchronous_commit": "off"}

_log = structlog.get_logger()


def install_sql(*roles: str) -> str:
    """The DDL of the queue for a database that does not have it: many statements, to be run as the owner.

    Args:
        roles: who publishes and consumes. They get what the carrier needs and no more.
    """
    schema = QueryBuilderEnvironment(_NAMES)
    quoted = ('"' + role.replace('"', '""') + '"' for role in roles)
    grants = [_GRANTS.replace(":role", role) for role in quoted]
    installed = [schema.build_install_query(), schema.build_optimize_autovacuum_query(), _KEEP_NO_LOG]
    return "\n".join([*installed, UPGRADE_SQL, *grants])


class PgQueuerCarrier:
    """The `Carrier` on PgQueuer's tables. One carrier serves one consumer loop and any number of publishers.

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
        self._consumer_id = new_id()
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
        """See `Carrier.open`."""
        self._consuming = await self._pool(self._settings | _CONSUMER_SETTINGS)
        self._publishing = await self._pool(self._settings)

    async def close(self) -> None:
        """See `Carrier.close`."""
        self._drop_listener()
        for pool in (self._consuming, self._publishing):
            if pool is not None:
                try:
                    async with asyncio.timeout(_CLOSE_TIMEOUT):
                        await pool.close()
                except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    pool.terminate()
        self._consuming = self._publishing = None

    async def publish(self, connection: Connection | None, tickets: Sequence[Ticket]) -> None:
        """See `Publisher.publish`."""
        if not tickets:
            return
        columns = (
            [ticket.kind for ticket in tickets],
            _encoded(tickets),
            [ticket.delay for ticket in tickets],
            [ticket.dedupe_key for ticket in tickets],
        )
        if connection is None:
            await self._fetch(self._publishing, _PUBLISH, *columns)
            await self._fetch(self._publishing, _NOTIFY, CHANNEL)
            return
        with _away_is_unavailable():
            await connection.fetch(_PUBLISH, *columns)

    async def receive(self, kinds: Sequence[str], limit: int) -> Sequence[Delivery]:
        """See `Carrier.receive`. Oldest: by the order of publishing, also among those that were deferred."""
        self._published.clear()
        rows = await self._fetch(self._consuming, RECEIVE, limit, list(kinds), self._consumer_id, self._redelivery)
        return [
            Delivery(ticket, row["id"])
            for row in rows
            if (ticket := _decode(row["id"], row["entrypoint"], row["payload"])) is not None
        ]

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """See `Carrier.acknowledge`."""
        if deliveries:
            await self._fetch(self._consuming, _ACKNOWLEDGE, [delivery.receipt for delivery in deliveries])

    async def wait(self, kinds: Sequence[str], timeout: float) -> None:  # noqa: ASYNC109  it is the caller's poll interval
        """See `Carrier.wait`."""
        if not self._published.is_set():
            due = await self._next_due(kinds)
            delay = timeout if due is None else min(timeout, max(due, _SHORTEST_WAIT))
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._published.wait()
        self._published.clear()

    async def depth(self) -> Mapping[str, QueueDepth]:
        """See `Carrier.depth`."""
        rows = await self._fetch(self._publishing, _DEPTH)
        return {row["entrypoint"]: QueueDepth(row["waiting"], row["deferred"], row["oldest_age"]) for row in rows}

    async def check(self) -> None:
        """See `Carrier.check`."""
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
            # This timeout also bounds the release of a connection whose statement has run into its own.
            async with pool.acquire(timeout=_COMMAND_TIMEOUT) as connection:
                rows: Sequence[asyncpg.Record] = await connection.fetch(query, *args)
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
            raise Unavailable("The queue is away or busy. Try again shortly.") from error
        raise
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        if isinstance(error, ValueError):  # asyncpg.DataError and the like: a fault of ours, not of the connection
            raise
        raise Unavailable("The queue cannot be reached. Try again shortly.") from error


def _encoded(tickets: Sequence[Ticket]) -> list[bytes]:
    """The tickets as `_decode` reads them. Jobs that one request asks for share their trace."""
    # ASCII with escapes: NUL and lone surrogates in a trace survive, which PostgreSQL's own JSON would refuse.
    known = {id(trace): json.dumps(dict(trace)) for trace in {id(each.trace): each.trace for each in tickets}.values()}
    return [
        f'{{"workspace_id":"{each.workspace_id}","job_id":"{each.job_id}","attempt":{each.attempt},'
        f'"trace":{known[id(each.trace)]}}}'.encode("ascii")
        for each in tickets
    ]


def _content(payload: bytes) -> Any:  # noqa: ANN401  whatever JSON is on the queue
    try:
        return from_json(payload)
    except ValueError:
        return json.loads(payload)  # which takes lone surrogates, too


def _decode(receipt: int, kind: str, payload: bytes | None) -> Ticket | None:
    """The ticket, or None for one that this release cannot read.

    That one stays on the queue, for the consumer of a newer release or for an operator, and is logged at each delivery.
    """
    try:
        content = _content(payload or b"")
        return Ticket(
            kind,
            pgproto.UUID(content["workspace_id"]),
            pgproto.UUID(content["job_id"]),
            int(content["attempt"]),
            trace=dict(content["trace"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _log.error("queue.ticket_unreadable", receipt=receipt, kind=kind, error=describe(error))
        return None
