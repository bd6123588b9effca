"""Migrating beside others: who is in the way is named, and the running release is not held up."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import structlog
from sqlalchemy import Connection, text

from leadflood.kernel.db import migrate as module
from leadflood.kernel.db.migrate import MigrationBlocked, head, migrate
from leadflood.kernel.ids import new_id
from tests.conftest import TEMPLATE
from tests.support.postgres import Cluster
from tests.support.waiting import until

OWNER = "leadflood_owner"
LAST_REVISION = "SELECT version_num FROM leadflood.alembic_version"


@pytest.fixture
async def outdated(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A database whose next revision needs a lock on the leads."""
    name = f"migrate_{new_id().hex}"
    cluster.create_database(name, template=TEMPLATE)

    def lock_leads(connection: Connection, _target: str) -> None:
        connection.exec_driver_sql("ALTER TABLE leads ADD COLUMN IF NOT EXISTS added_by_the_test integer")
        connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head()})

    cluster.run("UPDATE leadflood.alembic_version SET version_num = '0001'", name)
    monkeypatch.setattr(module, "_upgrade", lock_leads)
    monkeypatch.setattr(module, "LOCK_PAUSE", 0.01)
    monkeypatch.setitem(module._SETTINGS, "lock_timeout", "100ms")
    yield name
    cluster.drop_database(name)


async def outsider(cluster: Cluster, name: str) -> asyncpg.Connection:
    """Somebody who left a transaction open, in which they read the leads."""
    connection = await asyncpg.connect(cluster.url(name), server_settings={"application_name": "a forgotten psql"})
    await connection.execute("BEGIN; SELECT count(*) FROM leadflood.leads")
    return connection


async def test_an_idle_outsider_is_named_with_the_remedy(
    cluster: Cluster, outdated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_ATTEMPTS", 2)
    forgotten = await outsider(cluster, outdated)
    try:
        with pytest.raises(MigrationBlocked) as refused:
            await migrate(cluster.url(outdated))
        pid = forgotten.get_server_pid()
        assert f"session {pid} (a forgotten psql, postgres, idle in transaction since " in refused.value.detail
        assert "pg_terminate_backend" in refused.value.detail
        assert cluster.run(LAST_REVISION, outdated) == "0001"
    finally:
        await forgotten.close()

    assert await migrate(cluster.url(outdated)) == ("0001", head())


async def test_a_migration_goes_on_when_the_outsider_is_gone(cluster: Cluster, outdated: str) -> None:
    forgotten = await outsider(cluster, outdated)
    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(migrate(cluster.url(outdated)))
        await until(lambda: bool(logs))
        await forgotten.close()

        assert await running == ("0001", head())
    assert logs[0]["event"] == "migration.waiting_for_lock"
    assert "a forgotten psql" in str(logs[0]["held_by"])


async def test_a_migration_that_never_ends_is_named_by_the_next_one(
    cluster: Cluster, outdated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TURN_SECONDS", 0.1)
    stuck = await asyncpg.connect(cluster.url(outdated))
    await stuck.execute("SELECT pg_advisory_lock($1)", module._LOCK)
    try:
        with pytest.raises(MigrationBlocked, match=f"in session {stuck.get_server_pid()}"):
            await migrate(cluster.url(outdated))
    finally:
        await stuck.close()
