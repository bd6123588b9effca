"""A database that answers and accepts no writes: requests get 503, and `/ready` says so until it accepts them again."""

from collections.abc import AsyncIterator

import httpx
import pytest

from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db import writability
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import WritesRefused
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.conftest import TEMPLATE, Workspace, new_workspace
from tests.integration.db.conftest import opened
from tests.support.api import client_of, make_parts, new_caller
from tests.support.memory_queue import MemoryCarrier
from tests.support.postgres import Cluster

FULL = """
CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE UPDATE ON leadflood.workspaces FOR EACH ROW EXECUTE FUNCTION disk_is_full();
CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON leadflood.write_probes FOR EACH ROW
WHEN (NEW.payload IS NOT NULL) EXECUTE FUNCTION disk_is_full();
"""
"""Simulates a full disk: writes that fit into an existing page succeed, those that need a new page fail."""
FREED = "DROP TRIGGER full_disk ON leadflood.workspaces; DROP TRIGGER full_disk ON leadflood.write_probes"


@pytest.fixture
async def name(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A database of the test's own, probed anew each time."""
    monkeypatch.setattr(writability, "PROBE_SECONDS", 0.0)
    made = f"writes_{new_id().hex}"
    cluster.create_database(made, template=TEMPLATE)
    yield made
    cluster.drop_database(made)


@pytest.fixture
async def client(
    cluster: Cluster, name: str, settings: Settings, registry: JobRegistry, secret_box: SecretBox
) -> AsyncIterator[tuple[Database, httpx.AsyncClient]]:
    """The API on that database."""
    async with (
        opened(cluster.url(name, APP_ROLE), pool_size=4) as database,
        client_of(make_parts(settings, database, MemoryCarrier(), registry, secret_box)) as opened_client,
    ):
        yield database, opened_client


async def failing(client: httpx.AsyncClient) -> dict[str, str]:
    """The checks of `/ready` that fail, with their reasons."""
    answer = await client.get("/ready")
    failed = {check["name"]: check["detail"] for check in answer.json()["checks"] if not check["ok"]}
    assert answer.status_code == (503 if failed else 200)
    return failed


async def rename(database: Database, workspace: Workspace) -> None:
    async with database.transaction(workspace.id) as tx:
        await tx.execute(sql("UPDATE workspaces SET name = 'Renamed'"))


async def test_a_full_disk_makes_the_process_unready_until_there_is_room_again(
    cluster: Cluster, name: str, client: tuple[Database, httpx.AsyncClient]
) -> None:
    database, http = client
    workspace = Workspace(await new_workspace(database))
    cluster.run(FULL, name)
    assert await failing(http) == {}  # nothing has been refused yet, and a small write fits

    with pytest.raises(WritesRefused):
        await rename(database, workspace)
    for _ in range(2):
        assert list(await failing(http)) == ["writes"]
    assert "disk is full" in (await failing(http))["writes"]

    cluster.run(FREED, name)
    assert await failing(http) == {}
    await rename(database, workspace)
    assert not database.writes_refused


async def test_a_ticket_for_which_there_is_no_room_counts_as_a_refused_write(
    cluster: Cluster, name: str, settings: Settings, registry: JobRegistry, secret_box: SecretBox
) -> None:
    cluster.run(FULL.replace("UPDATE ON leadflood.workspaces", "INSERT ON leadflood_queue.tickets"), name)
    queue_backend = PostgresQueueBackend(cluster.url(name, APP_ROLE), role=APP_ROLE)
    await queue_backend.open()
    async with (
        opened(cluster.url(name, APP_ROLE), pool_size=4, publisher=queue_backend) as database,
        client_of(make_parts(settings, database, queue_backend, registry, secret_box)) as http,
    ):
        caller = await new_caller(database, [LEADS_WRITE])

        answer = await http.post("/v1/leads", json={"email": "ada@acme.com"}, headers=caller.headers)

        assert answer.status_code == 503
        assert list(await failing(http)) == ["writes"]
    await queue_backend.close()


async def test_a_read_only_server_is_unready_and_answers_writes_with_503(
    cluster: Cluster, name: str, client: tuple[Database, httpx.AsyncClient]
) -> None:
    database, http = client
    workspace = Workspace(await new_workspace(database))
    cluster.run('ALTER DATABASE :"name" SET default_transaction_read_only = on', name=name)
    cluster.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :'name'", name=name)

    assert list(await failing(http)) == ["writes"]
    with pytest.raises(WritesRefused, match="read-only") as refused:
        await rename(database, workspace)
    assert refused.value.status == 503
    async with database.transaction(workspace.id, read_only=True) as tx:
        assert await tx.scalar(sql("SELECT count(*) FROM workspaces")) == 1

    cluster.run('ALTER DATABASE :"name" RESET default_transaction_read_only', name=name)
    cluster.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :'name'", name=name)
    while await failing(http):  # a pooled connection may turn out dead at first
        pass
    await rename(database, workspace)
