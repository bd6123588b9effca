"""Whoever waits for changes of a workspace is woken by commits of other processes, and by nothing else."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from leadflood.kernel.db.change_publisher import CHANGES_CHANNEL, EVERYTHING
from leadflood.kernel.db.change_subscriber import ChangeSubscriber
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.listener import Listener, WakeEvent
from leadflood.kernel.db.sql import sql
from tests.conftest import TEMPLATE, Workspace, new_workspace
from tests.integration.db.conftest import opened
from tests.support.jobs import Jobs
from tests.support.outages import breakable
from tests.support.postgres import Cluster
from tests.support.waiting import PATIENCE

RENAME = sql("UPDATE workspaces SET name = :name")
NAME = sql("SELECT name FROM workspaces")
NOTIFY = sql("SELECT pg_notify(:channel, :payload)")
CONNECTIONS = sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tests changes'")


@pytest.fixture
async def changes(application_url: str) -> AsyncIterator[ChangeSubscriber]:
    heard = ChangeSubscriber(application_url, application_name="tests changes")
    yield heard
    await heard.close()


@pytest.fixture
async def writer(application_url: str) -> AsyncIterator[Database]:
    """Another process, as far as the database can tell."""
    async with opened(application_url) as database:
        yield database


@pytest.fixture
async def bell(changes: ChangeSubscriber, workspace: Workspace, database: Database) -> AsyncIterator[WakeEvent]:
    """A page of the workspace that is open and has heard of the connection: everybody is woken when it is made."""
    async with changes.subscribe(workspace.id) as subscribed:
        assert await subscribed.wait(PATIENCE)
        await all_told(database, changes)  # that the workspace was made, too
        await subscribed.wait(0)
        yield subscribed


async def rename(database: Database, workspace: Workspace) -> None:
    async with database.transaction(workspace.id) as tx:
        await tx.execute(RENAME, {"name": "Changed"})


async def all_told(writer: Database, changes: ChangeSubscriber) -> None:
    """Wait until all that the writer has committed by now is heard: its signals keep their order."""
    marker = Workspace(await new_workspace(writer))
    async with changes.subscribe(marker.id) as other:
        await rename(writer, marker)
        assert await other.wait(PATIENCE)


async def rings_not(bell: WakeEvent, changes: ChangeSubscriber, writer: Database) -> bool:
    await all_told(writer, changes)
    return not await bell.wait(0)


async def test_a_commit_of_another_process_wakes_all_pages_of_its_workspace(
    changes: ChangeSubscriber, bell: WakeEvent, writer: Database, workspace: Workspace
) -> None:
    async with changes.subscribe(workspace.id) as second:
        await rename(writer, workspace)

        assert await bell.wait(PATIENCE)
        assert await second.wait(PATIENCE)


async def test_what_is_rolled_back_wakes_nobody(
    changes: ChangeSubscriber, bell: WakeEvent, writer: Database, workspace: Workspace
) -> None:
    with pytest.raises(LookupError):
        await rename_and_fail(writer, workspace)

    assert await rings_not(bell, changes, writer)


async def rename_and_fail(database: Database, workspace: Workspace) -> None:
    async with database.transaction(workspace.id) as tx:
        await tx.execute(RENAME, {"name": "Changed"})
        raise LookupError


async def test_a_transaction_that_only_reads_wakes_nobody(
    changes: ChangeSubscriber, bell: WakeEvent, writer: Database, workspace: Workspace
) -> None:
    async with writer.transaction(workspace.id, read_only=True) as tx:
        await tx.execute(NAME)

    assert await rings_not(bell, changes, writer)


async def test_another_workspace_wakes_nobody_here(
    changes: ChangeSubscriber, bell: WakeEvent, writer: Database
) -> None:
    assert await rings_not(bell, changes, writer)


async def test_a_transaction_across_workspaces_wakes_those_that_it_marks(
    changes: ChangeSubscriber, bell: WakeEvent, writer: Database, workspace: Workspace
) -> None:
    async with writer.system() as tx:
        await tx.scalar(NAME)
    assert await rings_not(bell, changes, writer)

    async with writer.system() as tx:
        tx.mark(workspace.id)

    assert await bell.wait(PATIENCE)


async def test_a_worker_that_claims_a_job_wakes_the_pages_of_its_workspace(bell: WakeEvent, jobs: Jobs) -> None:
    job_id = await jobs.one()
    assert await bell.wait(PATIENCE)

    await jobs.started(job_id)

    assert await bell.wait(PATIENCE)


async def test_a_signal_for_all_workspaces_wakes_everybody(bell: WakeEvent, writer: Database) -> None:
    async with writer.statement() as connection:
        await connection.execute(NOTIFY, {"channel": CHANGES_CHANNEL, "payload": EVERYTHING})

    assert await bell.wait(PATIENCE)


async def test_what_changes_while_nobody_waits_is_heard_once_at_the_next_wait(
    changes: ChangeSubscriber, bell: WakeEvent, writer: Database, workspace: Workspace
) -> None:
    for _ in range(3):
        await rename(writer, workspace)
    await all_told(writer, changes)

    assert await bell.wait(0)
    assert not await bell.wait(0)


async def test_a_page_that_goes_leaves_nothing_behind(changes: ChangeSubscriber, workspace: Workspace) -> None:
    async def open_page() -> None:
        async with changes.subscribe(workspace.id) as bell:
            await bell.wait(PATIENCE)
            await bell.wait(PATIENCE)

    pages = [asyncio.create_task(open_page()) for _ in range(100)]
    async with changes.subscribe(workspace.id) as bell:
        await bell.wait(PATIENCE)
    for page in pages:
        page.cancel()
    await asyncio.gather(*pages, return_exceptions=True)

    assert not changes._pending_channels


async def test_all_pages_of_a_process_share_one_connection_which_goes_with_it(
    changes: ChangeSubscriber, bell: WakeEvent, writer: Database, workspace: Workspace
) -> None:
    async with changes.subscribe(workspace.id), writer.statement() as connection:
        assert await connection.scalar(CONNECTIONS) == 1
        await changes.close()
        assert await bell.wait(0)  # woken a last time
        async with asyncio.timeout(PATIENCE):
            while await connection.scalar(CONNECTIONS):
                pass


async def test_a_lost_connection_comes_back_by_itself_and_wakes_everybody_once(cluster: Cluster) -> None:
    async with breakable(cluster, TEMPLATE) as broken, opened(broken.url) as database:
        workspace = Workspace(await new_workspace(database))
        changes = ChangeSubscriber(broken.url, application_name="tests changes")
        async with changes.subscribe(workspace.id) as bell:
            assert await bell.wait(PATIENCE)
            broken.take_away()
            assert not await bell.wait(0.2)
            broken.bring_back()
            assert await bell.wait(PATIENCE)
            assert not await bell.wait(0)
            await rename(database, workspace)
            assert await bell.wait(PATIENCE)
        await changes.close()


async def test_who_begins_to_listen_looks_once_more_for_what_was_told_before(application_url: str) -> None:
    listener = Listener(application_url, CHANGES_CHANNEL + "_of_a_test", application_name="tests listener")

    assert [await listener.wait(0), await listener.wait(0)] == [True, False]
    await listener.close()
