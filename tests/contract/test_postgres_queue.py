"""Further requirements for the queue backend on PostgreSQL: transactions, notifications, and a lost server."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import asyncpg
import pytest

from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Priority, QueueMessage
from leadflood.kernel.queue.postgres import INSTALL, RECEIVE, PostgresQueueBackend
from tests.support.postgres import Cluster
from tests.support.queues import (
    BEAT,
    DATABASE,
    ENRICH,
    LOGIN,
    NEVER,
    REDELIVERY,
    ROLE,
    WORKSPACE,
    emptied,
    opened,
    queue_cluster,
    soon,
    ticket,
)

T = TypeVar("T")
BACKLOG = """
INSERT INTO leadflood_queue.tickets (kind, workspace_id, job_id, attempt, priority, due_at, visible_at, ready)
SELECT $1, CASE WHEN n > 1000 THEN $2 ELSE gen_random_uuid() END, gen_random_uuid(), 1, n % 2, now(), now(), true
FROM generate_series(1, 51000) AS n
"""
ACTUAL = re.compile(r"rows=([0-9.]+) loops=([0-9]+)")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with queue_cluster() as cluster:
        yield cluster


@pytest.fixture
async def admin(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    async with emptied(cluster) as connection:
        yield connection


@pytest.fixture
async def queue_backend(cluster: Cluster, admin: asyncpg.Connection) -> AsyncIterator[PostgresQueueBackend]:
    async with opened(cluster) as queue_backend:
        yield queue_backend


async def test_a_ticket_appears_with_the_commit_of_the_transaction_it_was_published_in(
    cluster: Cluster, queue_backend: PostgresQueueBackend
) -> None:
    sent = ticket()
    connection = await asyncpg.connect(cluster.url(DATABASE, LOGIN))
    try:
        async with connection.transaction():
            await queue_backend.publish(connection, [sent])
            assert await queue_backend.receive([ENRICH], 10) == []
    finally:
        await connection.close()

    assert await queue_backend.receive([ENRICH], 10) == [sent]


async def test_a_rolled_back_transaction_leaves_no_ticket(
    queue_backend: PostgresQueueBackend, admin: asyncpg.Connection
) -> None:
    transaction = admin.transaction()
    await transaction.start()
    await queue_backend.publish(admin, [ticket(), ticket()])
    await transaction.rollback()

    assert await queue_backend.depth() == {}


async def blocked(admin: asyncpg.Connection, since: object) -> None:
    """Return when the carrier has asked for the next due ticket after `since`, and so is waiting for a notification."""
    asked = (
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = $1 AND state = 'idle' AND query_start > $2 "
        "AND query LIKE '%visible_at - clock_timestamp()%'"
    )
    while not await admin.fetchval(asked, LOGIN, since):
        pass


async def wakes_by_notification(queue_backend: PostgresQueueBackend, admin: asyncpg.Connection) -> None:
    since = await admin.fetchval("SELECT clock_timestamp()")
    waiting = asyncio.create_task(queue_backend.wait([ENRICH], NEVER))
    async with soon():
        await blocked(admin, since)
        assert not waiting.done()
        await queue_backend.publish(None, [ticket()])
        await waiting


async def test_a_consumer_is_woken_by_the_notification_of_another_connection(
    queue_backend: PostgresQueueBackend, admin: asyncpg.Connection
) -> None:
    await wakes_by_notification(queue_backend, admin)


async def until_available(call: Callable[[], Awaitable[T]]) -> T:
    async with soon():
        while True:
            try:
                return await call()
            except Unavailable:
                continue


async def test_a_carrier_whose_connections_were_killed_carries_on(
    queue_backend: PostgresQueueBackend, admin: asyncpg.Connection
) -> None:
    sent = ticket()
    await queue_backend.publish(None, [sent])
    await queue_backend.wait([ENRICH], 0.001)

    killed = await admin.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", LOGIN)

    assert len(killed) == 2
    received = await until_available(lambda: queue_backend.receive([ENRICH], 10))
    assert received == [sent]
    await until_available(lambda: queue_backend.wait([ENRICH], 0.001))
    await wakes_by_notification(queue_backend, admin)


async def test_losing_the_listening_connection_ends_the_wait(
    queue_backend: PostgresQueueBackend, admin: asyncpg.Connection
) -> None:
    since = await admin.fetchval("SELECT clock_timestamp()")
    waiting = asyncio.create_task(queue_backend.wait([ENRICH], NEVER))

    async with soon():
        await blocked(admin, since)
        await admin.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", LOGIN)
        await waiting


async def test_a_server_that_is_down_is_unavailable_and_its_return_is_noticed(cluster: Cluster) -> None:
    sent = [ticket(), ticket()]
    calls: dict[str, Callable[[], Awaitable[object]]] = {}
    async with opened(cluster) as queue_backend:
        await queue_backend.publish(None, sent)
        received = await queue_backend.receive([ENRICH], 1)
        await queue_backend.wait([ENRICH], 0.001)
        calls["publish"] = lambda: queue_backend.publish(None, [ticket()])
        calls["receive"] = lambda: queue_backend.receive([ENRICH], 10)
        calls["acknowledge"] = lambda: queue_backend.acknowledge(received)
        calls["wait"] = lambda: queue_backend.wait([ENRICH], NEVER)
        calls["depth"] = queue_backend.depth
        calls["check"] = queue_backend.check

        await asyncio.to_thread(cluster.server.stop)
        try:
            async with soon():
                with suppress(Unavailable):
                    await queue_backend.wait([ENRICH], NEVER)
                for call in calls.values():
                    with pytest.raises(Unavailable):
                        await call()
        finally:
            await asyncio.to_thread(cluster.server.start)

        assert await until_available(lambda: queue_backend.receive([ENRICH], 10)) == sent[1:]
        await until_available(lambda: queue_backend.wait([ENRICH], 0.001))
        admin = await asyncpg.connect(cluster.url(DATABASE))
        await wakes_by_notification(queue_backend, admin)
        await admin.close()


async def test_a_carrier_can_be_opened_and_closed_while_the_server_is_away() -> None:
    queue_backend = PostgresQueueBackend("postgresql://nobody@/nowhere?host=/nonexistent")
    async with soon():
        await queue_backend.open()
        with pytest.raises(Unavailable):
            await queue_backend.check()
        await queue_backend.close()


async def test_the_check_says_that_the_tables_are_missing(cluster: Cluster) -> None:
    queue_backend = PostgresQueueBackend(cluster.url())
    await queue_backend.open()
    with pytest.raises(Unavailable, match="leadflood migrate"):
        await queue_backend.check()
    await queue_backend.close()


async def test_nothing_is_left_behind_of_tickets_that_were_acknowledged(
    queue_backend: PostgresQueueBackend, admin: asyncpg.Connection
) -> None:
    await queue_backend.publish(None, [ticket() for _ in range(10)])
    await queue_backend.acknowledge(await queue_backend.receive([ENRICH], 10))

    assert await admin.fetch("SELECT job_id FROM leadflood_queue.tickets") == []


async def test_a_batch_is_taken_from_an_index_though_the_table_was_empty_when_it_was_analysed(
    queue_backend: PostgresQueueBackend, admin: asyncpg.Connection
) -> None:
    await admin.execute("VACUUM ANALYZE leadflood_queue.tickets")
    await admin.execute(BACKLOG, ENRICH, WORKSPACE)

    args = (100, [ENRICH, BEAT], new_id(), timedelta(seconds=REDELIVERY), list(Priority))

    plan = [
        line for (line,) in await queue_backend._fetch(queue_backend._consuming, "EXPLAIN ANALYZE " + RECEIVE, *args)
    ]

    assert not any("Seq Scan" in line or "Hash" in line or "Merge" in line for line in plan), plan
    read = [line for line in plan if " on tickets" in line and "never executed" not in line]
    assert all("tickets_ready_idx" in line or "tickets_pkey" in line for line in read if "Scan" in line), plan
    assert all(float(rows) * int(loops) <= 1000 for line in read for rows, loops in ACTUAL.findall(line)), plan


OLD_TABLE = """
CREATE SCHEMA leadflood_queue;
CREATE TYPE leadflood_queue.pgqueuer_status AS ENUM ('queued', 'picked');
CREATE TABLE leadflood_queue.pgqueuer (
    id bigserial PRIMARY KEY, priority integer NOT NULL, execute_after timestamptz NOT NULL DEFAULT now(),
    status leadflood_queue.pgqueuer_status NOT NULL, entrypoint text NOT NULL, dedupe_key text, payload bytea);
GRANT USAGE ON SCHEMA leadflood_queue TO leadflood_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON leadflood_queue.pgqueuer TO leadflood_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA leadflood_queue TO leadflood_app;
"""
OLD_PUBLISH = """
INSERT INTO leadflood_queue.pgqueuer (priority, status, entrypoint, payload, execute_after, dedupe_key)
VALUES (0, 'queued', $1, $2, now() + make_interval(secs => $3), $4)
"""


async def test_what_the_previous_release_has_published_and_still_publishes_is_delivered(cluster: Cluster) -> None:
    cluster.create_database("upgraded")
    cluster.run(OLD_TABLE, "upgraded")
    before, later, after, foreign = ticket(), ticket(attempt=3, delay=3600), ticket(), ticket(BEAT)
    old = await asyncpg.connect(cluster.url("upgraded", LOGIN))
    queue_backend = PostgresQueueBackend(cluster.url("upgraded", LOGIN), role=ROLE, redelivery=REDELIVERY)
    await queue_backend.open()

    for sent in (before, later):
        await old.execute(OLD_PUBLISH, *as_published_before(sent))
    cluster.run(INSTALL, "upgraded")
    await old.execute(OLD_PUBLISH, *as_published_before(after))
    await old.execute(OLD_PUBLISH, BEAT, b'{"job_id": 1, "trace": "\\ud800"}', 0.0, f"{foreign.job_id}:1")

    assert await queue_backend.receive([ENRICH, BEAT], 10) == [before, after]
    assert (await queue_backend.depth())[ENRICH].deferred == 1
    assert await old.fetchval("SELECT count(*) FROM leadflood_queue.pgqueuer") == 4, "its own workers still get them"
    await old.close()
    await queue_backend.close()


def as_published_before(sent: QueueMessage) -> tuple[str, bytes, float, str]:
    """A ticket as the previous release wrote it, with a trace that PostgreSQL's JSON refuses."""
    payload = (
        f'{{"workspace_id":"{sent.workspace_id}","job_id":"{sent.job_id}","attempt":{sent.attempt},'
        '"trace":{"request_id": "\\u0000 \\ud800"}}'
    )
    return sent.kind, payload.encode("ascii"), sent.delay, f"{sent.job_id}:{sent.attempt}"
