"""A database that is away or overloaded is `Unavailable`, never another error, and works again afterwards."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.listener import Listener
from leadflood.kernel.db.migrate import migrate
from leadflood.kernel.db.provision import provision
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Unavailable
from tests.conftest import DATABASE, Workspace, new_workspace
from tests.integration.db.conftest import opened
from tests.support.postgres import Cluster, temporary_cluster
from tests.support.waiting import eventually, until

RENAME = sql("UPDATE workspaces SET name = :name")
NAME = sql("SELECT name FROM workspaces")
PID = sql("SELECT pg_backend_pid()")
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tests'"


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Cluster]:
    """A server that tests may stop and kill."""
    with temporary_cluster({"fsync": "off"}) as cluster:  # a crash of the server alone loses nothing
        await provision(cluster.url())
        await migrate(cluster.url(DATABASE, "leadflood_owner"))
        yield cluster


@pytest.fixture
async def away(server: Cluster) -> AsyncIterator[Database]:
    """The database on it, with impatient statements."""
    async with opened(server.url(DATABASE, APP_ROLE), pool_size=3, statement_timeout=1) as database:
        yield database


async def made(away: Database) -> UUID | None:
    """A workspace; None while the server does not accept connections."""
    try:
        return await new_workspace(away)
    except Unavailable:
        return None


@pytest.fixture
async def home(away: Database) -> Workspace:
    workspace_id = await eventually(lambda: made(away))  # the test before may have crashed the server
    assert workspace_id is not None
    workspace = Workspace(workspace_id)
    await away._signals.close()  # so that no connection is busy telling of it
    return workspace


async def name_of(database: Database, workspace: Workspace) -> str:
    async with database.transaction(workspace.id, read_only=True) as tx:
        return str(await tx.scalar(NAME))


async def warm_up(database: Database, workspace: Workspace) -> None:
    """Fill the pool."""
    async with database.transaction(workspace.id), database.system(), database.statement():
        pass


async def test_a_stopped_server_is_unavailable_to_all_and_works_again_when_it_is_back(
    server: Cluster, away: Database, home: Workspace
) -> None:
    await warm_up(away, home)
    server.server.stop()
    for _ in range(3):
        with pytest.raises(Unavailable):
            await name_of(away, home)
        with pytest.raises(Unavailable):
            async with away.system():
                pass
        with pytest.raises(Unavailable):
            async with away.statement() as connection:
                await connection.scalar(PID)

    server.server.start()

    await works_again(away, home)


async def works_again(database: Database, workspace: Workspace) -> None:
    """At first a pooled connection may turn out dead, and the server may still recover: but nothing else."""
    async with asyncio.timeout(60):
        while True:
            try:
                assert await name_of(database, workspace) == "Test"
            except Unavailable:
                continue
            return


Cut = Callable[[], str]
"""Ends all connections of the test."""


async def before_a_statement(database: Database, workspace: Workspace, cut: Cut) -> None:
    async with database.transaction(workspace.id) as tx:
        await tx.execute(RENAME, {"name": "Changed"})
        cut()
        await tx.execute(NAME)


async def before_the_commit(database: Database, workspace: Workspace, cut: Cut) -> None:
    async with database.transaction(workspace.id) as tx:
        await tx.execute(RENAME, {"name": "Changed"})
        cut()


async def before_a_savepoint(database: Database, workspace: Workspace, cut: Cut) -> None:
    async with database.transaction(workspace.id) as tx:
        await tx.execute(RENAME, {"name": "Changed"})
        cut()
        async with tx.savepoint():
            pass


async def inside_a_savepoint(database: Database, workspace: Workspace, cut: Cut) -> None:
    async with database.transaction(workspace.id) as tx, tx.savepoint():
        await tx.execute(RENAME, {"name": "Changed"})
        cut()


async def before_two_statements(database: Database, workspace: Workspace, cut: Cut) -> None:
    async with database.transaction(workspace.id) as tx:
        cut()
        with pytest.raises(Unavailable):
            await tx.execute(NAME)
        await tx.execute(NAME)


async def in_autocommit(database: Database, _workspace: Workspace, cut: Cut) -> None:
    async with database.statement() as connection:
        cut()
        await connection.execute(NAME)


@pytest.mark.parametrize(
    "act",
    [
        before_a_statement,
        before_the_commit,
        before_a_savepoint,
        inside_a_savepoint,
        before_two_statements,
        in_autocommit,
    ],
)
async def test_a_connection_that_is_cut_is_unavailable_and_nothing_is_kept(
    server: Cluster, away: Database, home: Workspace, act: Callable[[Database, Workspace, Cut], Awaitable[None]]
) -> None:
    with pytest.raises(Unavailable):
        await act(away, home, lambda: server.run(TERMINATE))

    await works_again(away, home)


async def test_a_listener_logs_each_outage_once(server: Cluster) -> None:
    listener = Listener(server.url(DATABASE, APP_ROLE), "news", application_name="tests")
    with capture_logs() as logged:
        for _ in range(2):
            server.server.stop()
            for _ in range(3):
                await listener.wait(0.01)
            server.server.start()
            for _ in range(3):
                await listener.wait(0.01)
    await listener.close()

    assert [entry["event"] for entry in logged] == ["listener.unavailable", "listener.connected"] * 2


async def test_idle_connections_that_were_cut_are_replaced(server: Cluster, away: Database, home: Workspace) -> None:
    await warm_up(away, home)
    server.run(TERMINATE)

    await works_again(away, home)


async def test_an_error_of_the_caller_is_not_hidden_by_a_lost_connection(
    server: Cluster, away: Database, home: Workspace
) -> None:
    async def act() -> None:
        async with away.transaction(home.id) as tx:
            await tx.execute(NAME)
            server.run(TERMINATE)
            message = "a bug"
            raise LookupError(message)

    with pytest.raises((LookupError, Unavailable)):
        await act()
    await works_again(away, home)


async def test_a_statement_that_takes_too_long_is_unavailable(away: Database, home: Workspace) -> None:
    with pytest.raises(Unavailable):
        async with away.statement() as connection:
            await connection.execute(sql("SELECT pg_sleep(60)"))

    assert await name_of(away, home) == "Test"


async def test_a_lock_that_takes_too_long_is_unavailable(away: Database, home: Workspace) -> None:
    async def rename() -> None:
        async with away.transaction(home.id) as tx:
            await tx.execute(RENAME, {"name": "Second"})

    async with away.transaction(home.id) as holder:
        await holder.execute(RENAME, {"name": "First"})
        with pytest.raises(Unavailable):
            await rename()

    assert await name_of(away, home) == "First"


async def test_a_server_without_a_free_connection_is_unavailable(
    server: Cluster, away: Database, home: Workspace
) -> None:
    server.run("ALTER ROLE leadflood_app CONNECTION LIMIT 1")
    try:
        async with away.transaction(home.id):
            with pytest.raises(Unavailable):
                await name_of(away, home)
    finally:
        server.run("ALTER ROLE leadflood_app CONNECTION LIMIT -1")

    assert await name_of(away, home) == "Test"


async def test_a_server_that_recovers_from_a_crash_is_unavailable_until_it_has(
    server: Cluster, away: Database, home: Workspace
) -> None:
    async def crash() -> None:
        async with away.transaction(home.id) as tx:
            await tx.execute(RENAME, {"name": "Changed"})
            os.kill(await tx.scalar(PID), signal.SIGKILL)
            await tx.execute(NAME)

    await warm_up(away, home)
    bystander = await asyncpg.connect(server.url(DATABASE))
    with pytest.raises(Unavailable):
        await crash()
    # The server learns of the death a little later than the client, and then cuts all other connections.
    await until(bystander.is_closed)

    await works_again(away, home)


async def test_faulty_input_is_not_mistaken_for_an_absent_database(away: Database, home: Workspace) -> None:
    for bad in ("a\0b", "\ud800"):
        with pytest.raises((asyncpg.CharacterNotInRepertoireError, asyncpg.DataError)) as refused:
            async with away.transaction(home.id) as tx:
                await tx.execute(RENAME, {"name": bad})
        assert not isinstance(refused.value, Unavailable)
    assert await name_of(away, home) == "Test"
