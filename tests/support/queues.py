"""A queue on a real server, and small change for its tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import asyncpg

from leadflood.kernel.db.roles import APP_ROLE, ROLES_SQL
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Priority, QueueMessage
from leadflood.kernel.queue.postgres import INSTALL, PostgresQueueBackend
from tests.support.postgres import Cluster, temporary_cluster

ENRICH, BEAT = "leads.enrich.v1", "system.heartbeat.v1"
REDELIVERY = 10.0
NEVER = 3600.0
"""Seconds: whoever waits that long was not woken, and `soon` fails the test."""
LOGIN, ROLE, DATABASE = "queue login", APP_ROLE, "queue"
WORKSPACE = new_id()


@asynccontextmanager
async def soon() -> AsyncIterator[None]:
    """Fail instead of hanging."""
    async with asyncio.timeout(30):
        yield


def ticket(
    kind: str = ENRICH,
    *,
    workspace_id: UUID = WORKSPACE,
    attempt: int = 1,
    delay: float = 0.0,
    priority: Priority = Priority.NORMAL,
) -> QueueMessage:
    """A ticket for a new job."""
    return QueueMessage(kind, workspace_id, new_id(), attempt, priority, delay)


@contextmanager
def queue_cluster() -> Iterator[Cluster]:
    """A server with the queue's tables, owned by its superuser, and a login that may act as the queue's role."""
    with temporary_cluster() as cluster:
        cluster.create_database(DATABASE)
        cluster.run(ROLES_SQL.partition("GRANT leadflood_app,")[0])
        cluster.run('CREATE ROLE :"login" LOGIN IN ROLE :"role"', role=ROLE, login=LOGIN)
        cluster.run(INSTALL, DATABASE)
        yield cluster


@asynccontextmanager
async def emptied(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    """The superuser's connection to a queue without tickets."""
    connection = await asyncpg.connect(cluster.url(DATABASE))
    await connection.execute("TRUNCATE leadflood_queue.tickets")
    yield connection
    await connection.close()


@asynccontextmanager
async def opened(cluster: Cluster) -> AsyncIterator[PostgresQueueBackend]:
    """A carrier on the queue, as a login that owns nothing."""
    queue_backend = PostgresQueueBackend(cluster.url(DATABASE, LOGIN), role=ROLE, redelivery=REDELIVERY)
    await queue_backend.open()
    try:
        yield queue_backend
    finally:
        await queue_backend.close()
