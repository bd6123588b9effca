"""A queue on a real server, and small change for its tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.pgqueuer_carrier import PgQueuerCarrier, install_sql
from leadflood.kernel.queue.ports import Delivery, Ticket
from tests.support.postgres import Cluster, temporary_cluster

ENRICH, BEAT = "leads.enrich.v1", "system.heartbeat.v1"
REDELIVERY = 10.0
NEVER = 3600.0
"""Seconds: whoever waits that long was not woken, and `soon` fails the test."""
LOGIN, ROLE, DATABASE = "queue login", "queue's role", "queue"


@asynccontextmanager
async def soon() -> AsyncIterator[None]:
    """Fail instead of hanging."""
    async with asyncio.timeout(30):
        yield


def ticket(kind: str = ENRICH, *, attempt: int = 1, delay: float = 0.0) -> Ticket:
    """A ticket for a new job."""
    return Ticket(kind, new_id(), new_id(), attempt, delay)


def tickets_of(deliveries: Sequence[Delivery]) -> list[Ticket]:
    """What was delivered, without receipts."""
    return [delivery.ticket for delivery in deliveries]


@contextmanager
def queue_cluster() -> Iterator[Cluster]:
    """A server with the queue's tables, owned by its superuser, and a login that may act as the queue's role."""
    with temporary_cluster() as cluster:
        cluster.create_database(DATABASE)
        cluster.run('CREATE ROLE :"role"; CREATE ROLE :"login" LOGIN IN ROLE :"role"', role=ROLE, login=LOGIN)
        cluster.run(install_sql(ROLE), DATABASE)
        yield cluster


@asynccontextmanager
async def emptied(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    """The superuser's connection to a queue without tickets."""
    connection = await asyncpg.connect(cluster.url(DATABASE))
    await connection.execute("TRUNCATE leadflood_queue.pgqueuer")
    yield connection
    await connection.close()


@asynccontextmanager
async def opened(cluster: Cluster) -> AsyncIterator[PgQueuerCarrier]:
    """A carrier on the queue, as a login that owns nothing."""
    carrier = PgQueuerCarrier(cluster.url(DATABASE, LOGIN), role=ROLE, redelivery=REDELIVERY)
    await carrier.open()
    try:
        yield carrier
    finally:
        await carrier.close()
