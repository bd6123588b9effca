"""What the carrier on PostgreSQL promises besides: transactions, notifications, and a server that goes away."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import asyncpg
import pytest

from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.pgqueuer_carrier import RECEIVE, PgQueuerCarrier, install_sql
from tests.support.postgres import Cluster
from tests.support.queues import (
    BEAT,
    DATABASE,
    ENRICH,
    LOGIN,
    NEVER,
    REDELIVERY,
    emptied,
    opened,
    queue_cluster,
    soon,
    ticket,
    tickets_of,
)

T = TypeVar("T")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with queue_cluster() as cluster:
        yield cluster


@pytest.fixture
async def admin(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    async with emptied(cluster) as connection:
        yield connection


@pytest.fixture
async def carrier(cluster: Cluster, admin: asyncpg.Connection) -> AsyncIterator[PgQueuerCarrier]:
    async with opened(cluster) as carrier:
        yield carrier


async def test_a_ticket_appears_with_the_commit_of_the_transaction_it_was_published_in(
    cluster: Cluster, carrier: PgQueuerCarrier
) -> None:
    sent = ticket()
    connection = await asyncpg.connect(cluster.url(DATABASE, LOGIN))
    try:
        async with connection.transaction():
            await carrier.publish(connection, [sent])
            assert await carrier.receive([ENRICH], 10) == []
    finally:
        await connection.close()

    assert tickets_of(await carrier.receive([ENRICH], 10)) == [sent]


async def test_a_rolled_back_transaction_leaves_no_ticket(carrier: PgQueuerCarrier, admin: asyncpg.Connection) -> None:
    transaction = admin.transaction()
    await transaction.start()
    await carrier.publish(admin, [ticket(), ticket()])
    await transaction.rollback()

    assert await carrier.depth() == {}


async def blocked(admin: asyncpg.Connection, since: object) -> None:
    """Return when the carrier has asked for the next due ticket after `since`, and so is waiting for a notification."""
    asked = (
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = $1 AND state = 'idle' AND query_start > $2 "
        "AND query LIKE '%min(next.execute_after)%'"
    )
    while not await admin.fetchval(asked, LOGIN, since):
        pass


async def wakes_by_notification(carrier: PgQueuerCarrier, admin: asyncpg.Connection) -> None:
    since = await admin.fetchval("SELECT clock_timestamp()")
    waiting = asyncio.create_task(carrier.wait([ENRICH], NEVER))
    async with soon():
        await blocked(admin, since)
        assert not waiting.done()
        await carrier.publish(None, [ticket()])
        await waiting


async def test_a_consumer_is_woken_by_the_notification_of_another_connection(
    carrier: PgQueuerCarrier, admin: asyncpg.Connection
) -> None:
    await wakes_by_notification(carrier, admin)


async def until_available(call: Callable[[], Awaitable[T]]) -> T:
    async with soon():
        while True:
            try:
                return await call()
            except Unavailable:
                continue


async def test_a_carrier_whose_connections_were_killed_carries_on(
    carrier: PgQueuerCarrier, admin: asyncpg.Connection
) -> None:
    sent = ticket()
    await carrier.publish(None, [sent])
    await carrier.wait([ENRICH], 0.001)

    killed = await admin.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", LOGIN)

    assert len(killed) == 2
    received = await until_available(lambda: carrier.receive([ENRICH], 10))
    assert tickets_of(received) == [sent]
    await until_available(lambda: carrier.wait([ENRICH], 0.001))
    await wakes_by_notification(carrier, admin)


async def test_losing_the_listening_connection_ends_the_wait(
    carrier: PgQueuerCarrier, admin: asyncpg.Connection
) -> None:
    since = await admin.fetchval("SELECT clock_timestamp()")
    waiting = asyncio.create_task(carrier.wait([ENRICH], NEVER))

    async with soon():
        await blocked(admin, since)
        await admin.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", LOGIN)
        await waiting


async def test_a_server_that_is_down_is_unavailable_and_its_return_is_noticed(cluster: Cluster) -> None:
    sent = [ticket(), ticket()]
    calls: dict[str, Callable[[], Awaitable[object]]] = {}
    async with opened(cluster) as carrier:
        await carrier.publish(None, sent)
        received = await carrier.receive([ENRICH], 1)
        await carrier.wait([ENRICH], 0.001)
        calls["publish"] = lambda: carrier.publish(None, [ticket()])
        calls["receive"] = lambda: carrier.receive([ENRICH], 10)
        calls["acknowledge"] = lambda: carrier.acknowledge(received)
        calls["wait"] = lambda: carrier.wait([ENRICH], NEVER)
        calls["depth"] = carrier.depth
        calls["check"] = carrier.check

        await asyncio.to_thread(cluster.server.stop)
        try:
            async with soon():
                with suppress(Unavailable):
                    await carrier.wait([ENRICH], NEVER)
                for call in calls.values():
                    with pytest.raises(Unavailable):
                        await call()
        finally:
            await asyncio.to_thread(cluster.server.start)

        assert tickets_of(await until_available(lambda: carrier.receive([ENRICH], 10))) == sent[1:]
        await until_available(lambda: carrier.wait([ENRICH], 0.001))
        admin = await asyncpg.connect(cluster.url(DATABASE))
        await wakes_by_notification(carrier, admin)
        await admin.close()


async def test_a_carrier_can_be_opened_and_closed_while_the_server_is_away() -> None:
    carrier = PgQueuerCarrier("postgresql://nobody@/nowhere?host=/nonexistent")
    async with soon():
        await carrier.open()
        with pytest.raises(Unavailable):
            await carrier.check()
        await carrier.close()


async def test_the_check_says_that_the_tables_are_missing(cluster: Cluster) -> None:
    carrier = PgQueuerCarrier(cluster.url())
    await carrier.open()
    with pytest.raises(Unavailable, match="leadflood migrate"):
        await carrier.check()
    await carrier.close()


async def test_a_ticket_that_cannot_be_read_stays_and_holds_up_no_other(
    carrier: PgQueuerCarrier, admin: asyncpg.Connection
) -> None:
    for payload in (None, b"", b"[]", b"\xff", b'{"job_id": 1}'):
        await admin.execute(
            "INSERT INTO leadflood_queue.pgqueuer (priority, status, entrypoint, payload) VALUES (0, 'queued', $1, $2)",
            ENRICH,
            payload,
        )
    sent = ticket()
    await carrier.publish(None, [sent])

    received = await carrier.receive([ENRICH], 10)
    await carrier.acknowledge(received)

    assert tickets_of(received) == [sent]
    assert (await carrier.depth())[ENRICH].waiting == 5


async def test_nothing_is_left_behind_of_tickets_that_were_acknowledged(
    carrier: PgQueuerCarrier, admin: asyncpg.Connection
) -> None:
    await carrier.publish(None, [ticket() for _ in range(10)])
    await carrier.acknowledge(await carrier.receive([ENRICH], 10))

    assert await admin.fetch("SELECT id FROM leadflood_queue.pgqueuer") == []
    assert await admin.fetch("SELECT id FROM leadflood_queue.pgqueuer_log") == []


async def test_a_batch_is_taken_from_an_index_though_the_table_was_empty_when_it_was_analysed(
    carrier: PgQueuerCarrier, admin: asyncpg.Connection
) -> None:
    await admin.execute("VACUUM ANALYZE leadflood_queue.pgqueuer")
    await admin.execute(
        "INSERT INTO leadflood_queue.pgqueuer (priority, status, entrypoint, execute_after) "
        "SELECT 0, 'queued', $1, now() - make_interval(secs => n / 500) FROM generate_series(1, 60000) AS n",
        ENRICH,
    )

    args = (100, [ENRICH, BEAT], new_id(), timedelta(seconds=REDELIVERY))

    plan = [line for (line,) in await carrier._fetch(carrier._consuming, "EXPLAIN " + RECEIVE, *args)]

    for index in ("pgqueuer_ep_prio_id_idx", "pgqueuer_picked_heartbeat_idx"):
        assert any(f"using {index}" in line for line in plan), plan
    assert not any("Sort Key: pgqueuer" in line or "Seq Scan" in line for line in plan), plan


def test_the_names_in_the_database_do_not_depend_on_the_environment() -> None:
    names = ["CHANNEL", "TRIGGER", "FUNCTION", "QUEUE_TABLE", "PGQUEUER_PREFIX", "PGQUEUER_SCHEMA", "PGQUEUER_CHANNEL"]
    program = "from leadflood.kernel.queue.pgqueuer_carrier import install_sql; print(install_sql('app'), end='')"

    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **dict.fromkeys(names, "foreign"), "DURABILITY": "volatile"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert printed.stdout == install_sql("app")
