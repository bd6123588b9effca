"""Transactions end whole or not at all, and a borrowed connection comes back clean."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id
from tests.conftest import Workspace
from tests.integration.db.conftest import opened
from tests.support.postgres import Cluster
from tests.support.waiting import turns

RENAME = sql("UPDATE workspaces SET name = :name")
NAME = sql("SELECT name FROM workspaces")
SLEEP = sql("SELECT pg_sleep(60)")
INSERT_AGAIN = sql("INSERT INTO workspaces (id, name) VALUES (:id, 'Again')")
LEFT_OVER = sql("""
SELECT coalesce(current_setting('app.workspace_id', true), '') AS workspace, current_user AS role,
       current_setting('transaction_read_only') AS read_only, pg_backend_pid() AS pid
""")
DEFERRED = (
    sql("CREATE TEMPORARY TABLE numbers (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP"),
    sql("INSERT INTO numbers VALUES (1), (1)"),
)


@pytest.fixture
async def single(application_url: str) -> AsyncIterator[Database]:
    """One connection only, so that each borrower gets what the one before left."""
    async with opened(application_url, pool_size=1) as database:
        yield database


async def name_of(database: Database, workspace: Workspace) -> str:
    async with database.transaction(workspace.id, read_only=True) as tx:
        return str(await tx.scalar(NAME))


async def fail_after_renaming(database: Database, workspace: Workspace, name: str = "Changed") -> None:
    async with database.transaction(workspace.id) as tx:
        await tx.execute(RENAME, {"name": name})
        raise LookupError(name)


async def test_a_transaction_that_is_left_by_an_error_leaves_nothing(single: Database, workspace: Workspace) -> None:
    with pytest.raises(LookupError):
        await fail_after_renaming(single, workspace)

    assert await name_of(single, workspace) == "Test"


@pytest.mark.parametrize("inside_a_statement", [False, True])
async def test_a_transaction_of_a_cancelled_task_leaves_nothing_and_frees_its_connection(
    cluster: Cluster, single: Database, workspace: Workspace, inside_a_statement: bool
) -> None:
    renamed = asyncio.Queue[int]()

    async def act() -> None:
        async with single.transaction(workspace.id) as tx:
            await tx.execute(RENAME, {"name": "Changed"})
            await renamed.put(await tx.scalar(sql("SELECT pg_backend_pid()")))
            await (tx.execute(SLEEP) if inside_a_statement else asyncio.Event().wait())

    task = asyncio.create_task(act())
    pid = await renamed.get()
    if inside_a_statement:
        await sleeps(cluster, pid)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await name_of(single, workspace) == "Test"


async def sleeps(cluster: Cluster, pid: int) -> None:
    """Return once a backend is inside `pg_sleep`."""
    asleep = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = :pid"
    async with asyncio.timeout(20):
        while await asyncio.to_thread(cluster.run, asleep, pid=str(pid)) != "t":
            pass


async def test_a_read_only_transaction_refuses_writes_and_the_next_one_may_write(
    single: Database, workspace: Workspace
) -> None:
    async with single.transaction(workspace.id, read_only=True) as tx:
        assert await tx.scalar(NAME) == "Test"
    with pytest.raises(asyncpg.PostgresError, match="read-only transaction"):
        await rename(single, workspace, read_only=True)

    await rename(single, workspace, read_only=False)

    assert await name_of(single, workspace) == "Changed"


async def rename(database: Database, workspace: Workspace, *, read_only: bool) -> None:
    async with database.transaction(workspace.id, read_only=read_only) as tx:
        await tx.execute(RENAME, {"name": "Changed"})


async def test_a_read_only_transaction_across_workspaces_refuses_writes(single: Database, workspace: Workspace) -> None:
    async def act() -> None:
        async with single.system(read_only=True) as tx:
            await tx.execute(RENAME, {"name": "Changed"})

    with pytest.raises(asyncpg.PostgresError, match="read-only transaction"):
        await act()


async def test_a_statement_in_autocommit_gives_its_connection_back_in_normal_mode(
    single: Database, workspace: Workspace
) -> None:
    async with single.statement() as connection:
        before = await connection.scalar(sql("SELECT pg_backend_pid()"))
        assert await connection.scalar(sql("SELECT now()")) != await connection.scalar(sql("SELECT now()"))

    with pytest.raises(LookupError):
        await fail_after_renaming(single, workspace)
    async with single.transaction(workspace.id) as tx:
        assert await tx.scalar(NAME) == "Test"
        assert await tx.scalar(sql("SELECT now()")) == await tx.scalar(sql("SELECT now()"))
        assert await tx.scalar(sql("SELECT pg_backend_pid()")) == before


async def test_a_savepoint_undoes_its_own_part_only(single: Database, workspace: Workspace) -> None:
    async with single.transaction(workspace.id) as tx:
        await tx.execute(RENAME, {"name": "Before"})
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await in_savepoint(tx, workspace.id)
        assert await tx.scalar(NAME) == "Before"
        async with tx.savepoint():
            await tx.execute(RENAME, {"name": "After"})

    assert await name_of(single, workspace) == "After"


async def in_savepoint(tx: Transaction, taken: UUID) -> None:
    async with tx.savepoint():
        await tx.execute(RENAME, {"name": "Inside"})
        await tx.execute(INSERT_AGAIN, {"id": taken})


async def test_a_transaction_whose_error_was_swallowed_does_not_pretend_to_commit(
    single: Database, workspace: Workspace
) -> None:
    async def act() -> None:
        async with single.transaction(workspace.id) as tx:
            await tx.execute(RENAME, {"name": "Changed"})
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await tx.execute(INSERT_AGAIN, {"id": workspace.id})

    with pytest.raises(RuntimeError, match="caught without a savepoint"):
        await act()
    assert await name_of(single, workspace) == "Test"


async def test_a_commit_that_fails_raises(single: Database, workspace: Workspace) -> None:
    async def act() -> None:
        async with single.transaction(workspace.id) as tx:
            await tx.execute(RENAME, {"name": "Changed"})
            for statement in DEFERRED:
                await tx.execute(statement)

    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await act()
    assert await name_of(single, workspace) == "Test"


async def test_a_thousand_transactions_never_see_what_the_borrower_before_them_set(application_url: str) -> None:
    random_unit = random.Random(7)  # noqa: S311  the same each time
    seen: Counter[int] = Counter()
    async with opened(application_url, pool_size=4) as database:
        workspaces = [new_id() for _ in range(20)]

        async def borrow_many(times: int) -> None:
            for _ in range(times):
                async with database.statement() as connection:
                    row = await connection.first(LEFT_OVER)
                assert row is not None
                assert (row.workspace, row.role, row.read_only) == ("", "leadflood_app", "off")
                seen[row.pid] += 1
                await misbehave(database, random_unit.choice(workspaces), random_unit)

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(borrow_many(125))

    assert seen.total() == 1000
    assert max(seen.values()) > 1


async def misbehave(database: Database, workspace_id: UUID, random_unit: random.Random) -> None:
    """Use a transaction in one of the ways in which it can end."""
    way = random_unit.choice(["commit", "read", "system", "error", "failure", "cancel"])
    task = asyncio.create_task(use(database, workspace_id, way))
    if way == "cancel":
        await turns(random_unit.randrange(40))
        task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    assert outcome is None or isinstance(outcome, LookupError | asyncpg.PostgresError | asyncio.CancelledError)


async def use(database: Database, workspace_id: UUID, way: str) -> None:
    if way == "system":
        async with database.system() as tx:
            row = await tx.first(LEFT_OVER)
            assert row is not None
            assert (row.workspace, row.role) == ("", "leadflood_system")
        return
    async with database.transaction(workspace_id, read_only=way == "read") as tx:
        row = await tx.first(LEFT_OVER)
        assert row is not None
        expected = (str(workspace_id), "leadflood_app", "on" if way == "read" else "off")
        assert (row.workspace, row.role, row.read_only) == expected
        if way == "error":
            raise LookupError
        if way == "failure":
            await tx.execute(sql("SELECT 1 / 0"))


async def test_a_pool_without_a_free_connection_is_unavailable_and_recovers(
    single: Database, workspace: Workspace
) -> None:
    single.pool.acquire_timeout = 0.05
    async with single.transaction(workspace.id):
        with pytest.raises(Unavailable):
            await name_of(single, workspace)

    assert await name_of(single, workspace) == "Test"


async def test_connections_are_given_in_the_order_of_asking(single: Database, workspace: Workspace) -> None:
    served: list[str] = []

    async def ask(name: str, times: int) -> None:
        for _ in range(times):
            async with single.transaction(workspace.id):
                served.append(name)
                await turns(3)

    await asyncio.gather(ask("greedy", 3), ask("patient", 1))

    assert served == ["greedy", "patient", "greedy", "greedy"]
