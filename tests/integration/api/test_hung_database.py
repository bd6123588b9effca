"""A database that does not answer ends no later than a request's deadline, and its connections are replaced."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import httpx

from leadflood.api.context import ApiContext
from leadflood.bootstrap import SUBSCRIBERS
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.conftest import DATABASE
from tests.support.api import Caller, client_of, toys_made
from tests.support.commit_proxy import CommitProxy
from tests.support.postgres import Cluster, temporary_home
from tests.support.waiting import eventually, soon, until

NAME = "hung database"
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = :'name'"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = :'name' AND state <> 'idle'"
LOCK = sql("SELECT id FROM leads FOR UPDATE")
TOY = {"name": "bear", "size": 3}


@asynccontextmanager
async def api(
    parts: ApiContext, url: str, queue_backend: PostgresQueueBackend, *, statement_timeout: float = 1.5
) -> AsyncIterator[httpx.AsyncClient]:
    """An API whose requests have two seconds, on connections of its own, those of its queue included."""
    settings = parts.settings.model_copy(update={"request_timeout_seconds": 2})
    pool = ConnectionPool(url, application_name=NAME, size=5, statement_timeout=statement_timeout)
    queue = PostgresQueueBackend(url, role=APP_ROLE, application_name=NAME)
    await queue.open()
    database = Database(pool, queue_backend, SUBSCRIBERS)
    own = replace(parts, settings=settings, database=database, queue_backend=queue, probe_timeout=1)
    async with client_of(own) as client:
        yield client
    await queue.close()
    await database.close()


@contextmanager
def frozen(cluster: Cluster) -> Iterator[set[int]]:
    """All server processes of this API stop where they are. Those that it gets later run."""
    pids = {int(pid) for pid in cluster.run(BACKENDS, name=NAME).split()}
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield pids
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_requests_end_while_the_database_hangs_and_are_served_again_before_it_goes_on(
    cluster: Cluster, parts: ApiContext, application_url: str, queue_backend: PostgresQueueBackend, caller: Caller
) -> None:
    async with api(parts, application_url, queue_backend) as client:

        async def ask() -> list[httpx.Response]:
            return list(
                await asyncio.gather(
                    client.get("/v1/leads", headers=caller.headers),
                    client.post("/v1/toys", json=TOY, headers=caller.headers),
                    client.post("/v1/leads", json={"email": "ada@acme.com"}, headers=caller.headers),
                    client.get("/ready"),
                )
            )

        await ask()
        with frozen(cluster) as pids:
            answers = await soon(ask())

            async def served() -> bool:
                return {answer.status_code for answer in await ask()} <= {200, 201, 409}

            await soon(eventually(served))
            alive = {int(pid) for pid in cluster.run(BACKENDS, name=NAME).split()} - pids

    assert [answer.status_code for answer in answers] == [503] * 4
    assert {answer.json()["code"] for answer in answers[:3]} <= {"deadline_exceeded", "unavailable"}
    assert {check["name"]: check["ok"] for check in answers[3].json()["checks"]}["database"] is False
    assert alive


async def test_a_request_that_ends_while_it_commits_gets_its_answer_when_it_is_sent_again(
    cluster: Cluster,
    parts: ApiContext,
    toys: httpx.AsyncClient,
    queue_backend: PostgresQueueBackend,
    caller: Caller,
    database: Database,
) -> None:
    sent = [("/v1/toys", {"name": "doubtful", "size": 3}), ("/v1/leads", {"email": "doubtful@acme.com"})]
    with temporary_home() as folder, CommitProxy(folder, cluster.server.socket_dir, b"doubtful") as proxy:
        async with api(parts, proxy.url(APP_ROLE, DATABASE), queue_backend) as client:
            proxy.mode = "hold"
            for path, body in sent:
                headers = {**caller.headers, "Idempotency-Key": path}
                lost = await soon(client.post(path, json=body, headers=headers))
                again = await soon(toys.post(path, json=body, headers=headers))

                assert (lost.status_code, lost.json()["code"]) == (503, "deadline_exceeded")
                assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
            assert proxy.held.acquire(blocking=False)
            proxy.let_go.set()
    assert await toys_made(database, caller.workspace_id) == ["doubtful"]


async def test_what_a_request_held_when_it_ended_is_free_again(
    cluster: Cluster,
    parts: ApiContext,
    application_url: str,
    queue_backend: PostgresQueueBackend,
    caller: Caller,
    database: Database,
) -> None:
    """Its statement ends on the server, too, although nobody waits for it."""
    async with api(parts, application_url, queue_backend, statement_timeout=60) as client:
        made = await client.post("/v1/leads", json={"email": "ada@acme.com"}, headers=caller.headers)
        address = made.headers["Location"]
        headers = {**caller.headers, "If-Match": '"1"'}
        async with database.transaction(caller.workspace_id) as holder:
            await holder.limit(lock=60, statement=60)
            await holder.execute(LOCK)
            late = await client.patch(address, json={"firstName": "Ada"}, headers=headers)
            await until(lambda: cluster.run(WAITING, name=NAME) == "0")
        again = await client.patch(address, json={"firstName": "Ada"}, headers=headers)

    assert (late.status_code, late.json()["code"]) == (503, "deadline_exceeded")
    assert again.status_code == 200
