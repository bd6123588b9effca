"""A worker outlives the loss of its database and of its queue, and nothing is lost or done twice."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from leadflood.bootstrap import SUBSCRIBERS
from leadflood.domains.jobs import invariants
from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.domains.jobs.registry import Complete, JobContext, JobRegistry
from leadflood.kernel.config import Settings
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.migrate import install_queue
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.conftest import TEMPLATE, Workspace, new_workspace
from tests.support.examples import NIGHTLY
from tests.support.jobs import Elsewhere, Gate, Jobs, Workers, completes, workers_on
from tests.support.outages import Breakable, breakable
from tests.support.postgres import Cluster
from tests.support.waiting import eventually, soon

MANY, BETWEEN_CUTS = (300, 50) if NIGHTLY else (120, 30)
TOUGH = JobKind("toy.outage", NoPayload, max_attempts=20)


@pytest.fixture
async def broken(cluster: Cluster) -> AsyncIterator[Breakable]:
    """A migrated database that can be taken away."""
    async with breakable(cluster, TEMPLATE) as database:
        yield database


@pytest.fixture
async def tough(broken: Breakable, cluster: Cluster) -> AsyncIterator[Jobs]:
    """Jobs in it, looked at by a superuser in the application's role, whose connections nobody cuts."""
    queue_backend = PostgresQueueBackend(broken.url, role="leadflood_app")
    await queue_backend.open()
    url = cluster.url(broken.name)
    database = Database(
        ConnectionPool(url, application_name="test", size=5, statement_timeout=30), queue_backend, SUBSCRIBERS
    )
    yield Jobs(database, await new_workspace(database), TOUGH)
    await database.close()
    await queue_backend.close()


@pytest.fixture
async def on_broken(broken: Breakable, settings: Settings) -> AsyncIterator[Workers]:
    """Workers on that database."""
    async with workers_on(broken.url, quick(settings)) as started:
        yield started


@pytest.fixture
async def workers(application_url: str, settings: Settings) -> AsyncIterator[Workers]:
    """Workers on the database that everybody shares."""
    async with workers_on(application_url, quick(settings)) as started:
        yield started


def quick(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"job_lease_seconds": 1.0, "poll_interval_seconds": 0.2, "drain_timeout_seconds": 0.1}
    )


def writing(jobs: Jobs) -> JobRegistry:
    async def handler(context: JobContext[Any]) -> Complete[None]:
        async with context.transaction():
            pass
        return Complete(jobs.writes, None)

    return jobs.registry(handler)


async def all_well(jobs: Jobs) -> bool:
    async with jobs.database.system() as tx:
        return await invariants.violations(tx) == []


async def done(jobs: Jobs) -> int:
    ((count,),) = await jobs.rows("SELECT count(*) FROM job_executions WHERE status = 'completed'")
    return int(count)


async def test_every_job_is_done_once_although_connections_are_cut_again_and_again(
    tough: Jobs, broken: Breakable, on_broken: Workers
) -> None:
    ids = await tough.enqueue(MANY)
    for _ in range(2):
        await on_broken.start(writing(tough), worker_concurrency=5)

    for share in range(0, MANY, BETWEEN_CUTS):

        async def so_far(share: int = share) -> bool:
            await tough.hurry()
            return await done(tough) >= share

        await eventually(so_far)
        broken.cut()

    async def over() -> bool:
        await tough.hurry()
        return await done(tough) == MANY

    await eventually(over)
    assert {await tough.written(job_id) for job_id in ids} == {1}
    assert await all_well(tough)


async def test_a_worker_goes_on_after_its_database_was_away_for_longer_than_the_lease(
    tough: Jobs, broken: Breakable, on_broken: Workers
) -> None:
    gate = Gate()
    (before,) = await tough.enqueue()
    await on_broken.start(tough.registry(gate))
    await soon(gate.entered.wait())

    broken.take_away()
    gate.opened.set()
    ((lost_at,),) = await tough.rows("SELECT lease_expires_at FROM job_executions WHERE id = :id", id=before)

    async def lease_is_over() -> bool:
        return await tough.rows("SELECT clock_timestamp() > :lost_at", lost_at=lost_at) == [(True,)]

    await eventually(lease_is_over)
    broken.bring_back()

    after = await tough.one()
    assert await tough.ended(before, after) == {"completed": 2}
    assert await all_well(tough)


async def test_a_worker_stops_although_its_database_is_away(tough: Jobs, broken: Breakable, on_broken: Workers) -> None:
    gate = Gate()
    job_id = await tough.one()
    running = await on_broken.start(tough.registry(gate))
    await soon(gate.entered.wait())

    broken.take_away()
    await running.stop()

    broken.bring_back()
    await on_broken.start(tough.registry(completes()))
    assert await tough.ended(job_id) == {"completed": 1}


async def test_with_the_queue_elsewhere_an_outage_of_it_delays_jobs_and_loses_none(
    elsewhere: Elsewhere, workspace: Workspace, workers: Workers, cluster: Cluster
) -> None:
    jobs = Jobs(elsewhere.database, workspace.id)
    async with breakable(cluster, "template1") as queue:
        await install_queue(cluster.url(queue.name))
        await workers.start(writing(jobs), queue_url=queue.url)
        before = await jobs.one()
        assert await jobs.ended(before) == {"completed": 1}

        queue.take_away()
        ids = await jobs.enqueue(20)

        async def failed() -> bool:
            return [event.status for event in await jobs.events(ids[0])] == ["failed"]

        await eventually(failed)
        assert (await jobs.view(ids[0])).status == "queued"
        queue.bring_back()
        await jobs.change("UPDATE outbox_events SET next_attempt_at = now() WHERE status = 'failed'")

        assert await jobs.ended(*ids) == {"completed": 20}
        assert {await jobs.written(job_id) for job_id in ids} == {1}

        async def sent() -> bool:
            return {event.status for job_id in ids for event in await jobs.events(job_id)} == {"sent"}

        await eventually(sent)


async def test_with_the_queue_elsewhere_cut_connections_lose_no_job(
    elsewhere: Elsewhere, workspace: Workspace, workers: Workers, cluster: Cluster
) -> None:
    jobs = Jobs(elsewhere.database, workspace.id)
    async with breakable(cluster, "template1") as queue:
        await install_queue(cluster.url(queue.name))
        for _ in range(2):
            await workers.start(writing(jobs), queue_url=queue.url)
        ids: list[UUID] = []
        for _ in range(5):
            ids += await jobs.enqueue(20)
            queue.cut()

            async def over(so_far: int = len(ids)) -> bool:
                await jobs.change("UPDATE outbox_events SET next_attempt_at = now() WHERE status = 'failed'")
                sql = "SELECT count(*) FROM job_executions WHERE kind = :k AND status = 'completed'"
                return await jobs.rows(sql, k=jobs.kind.name) == [(so_far,)]

            await eventually(over)
        assert {await jobs.written(job_id) for job_id in ids} == {1}
