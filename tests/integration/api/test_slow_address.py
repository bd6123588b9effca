"""A lead that holds its group up delays none of the others."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
from structlog.testing import capture_logs

from leadflood.api.context import ApiContext
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.conftest import DATABASE
from tests.support.api import Caller, api_on
from tests.support.postgres import Cluster
from tests.support.waiting import soon

HELD = sql("""
INSERT INTO leads (workspace_id, id, email, email_norm, source, search_text)
VALUES (:workspace_id, :id, :email, :email, 'test', 'held')
""")


@asynccontextmanager
async def patient(
    application_url: str, queue_backend: PostgresQueueBackend, parts: ApiContext
) -> AsyncIterator[httpx.AsyncClient]:
    """An API whose database waits for ten minutes."""
    pool = ConnectionPool(application_url, application_name="patient", size=10, statement_timeout=600)
    async with api_on(pool, queue_backend, parts) as (client, _):
        yield client


async def create(client: httpx.AsyncClient, caller: Caller, email: str) -> httpx.Response:
    return await client.post("/v1/leads", json={"email": email}, headers=caller.headers)


SLOW = """
CREATE FUNCTION leadflood.be_slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE INSERT ON leadflood.leads FOR EACH ROW WHEN (NEW.email_norm = 'slow@acme.com')
EXECUTE FUNCTION leadflood.be_slow();
"""
FAST = "DROP TRIGGER slow ON leadflood.leads; DROP FUNCTION leadflood.be_slow();"


@contextmanager
def slow_row(cluster: Cluster) -> Iterator[None]:
    """Makes the insert of one address take for ever."""
    cluster.run(SLOW, DATABASE)
    try:
        yield
    finally:
        cluster.run(FAST, DATABASE)


async def test_bystanders_are_answered_before_those_who_hold_their_group_up_let_go(
    cluster: Cluster,
    parts: ApiContext,
    application_url: str,
    queue_backend: PostgresQueueBackend,
    caller: Caller,
    database: Database,
) -> None:
    twins = [f"twin{number}@acme.com" for number in range(4)]
    others = [f"other{number}@acme.com" for number in range(30)]
    everyone = [name for pair in itertools.zip_longest(others, twins) for name in pair if name]
    with slow_row(cluster), capture_logs() as logs:
        # An API whose connections would wait for ten minutes, and so does the database: nothing else ends the wait.
        async with patient(application_url, queue_backend, parts) as client:
            async with database.transaction(caller.workspace_id) as holder:
                for name in twins:
                    await holder.execute(HELD, {"workspace_id": caller.workspace_id, "id": new_id(), "email": name})
                blocked = asyncio.create_task(create(client, caller, "slow@acme.com"))
                asked = {name: asyncio.create_task(create(client, caller, name)) for name in everyone}
                answers = [await soon(asked[name]) for name in others]
                later = await soon(create(client, caller, "later@acme.com"))
            # The holder has committed only now.
            held = [await soon(asked[name]) for name in twins]
            again = [await soon(create(client, caller, name)) for name in twins]
            blocked.cancel()
            await asyncio.wait([blocked])

    assert {answer.status_code for answer in [*answers, later]} == {201}
    assert {answer.status_code for answer in held} <= {409, 503}
    assert {answer.status_code for answer in again} == {409}
    failed = [entry for entry in logs if entry["event"] == "leads.group_failed"]
    assert failed[0]["cause"].startswith(("LockConflict", "DBAPIError")), failed
    assert sum(entry["leads"] for entry in failed) <= len(everyone) + 2
