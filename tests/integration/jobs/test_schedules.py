"""Recurring jobs, and the heartbeat of the system."""

import asyncio

import pytest

from leadflood.bootstrap import SCHEDULES
from leadflood.domains.jobs import queries, schedules
from leadflood.domains.jobs.contracts import SystemStatus
from leadflood.domains.jobs.events import HEARTBEAT, Schedule
from leadflood.domains.jobs.jobs import deregister_worker, report_worker
from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from tests.support.jobs import Jobs

COUNT = "SELECT count(*) FROM job_executions WHERE kind = :name"
DUE = "UPDATE schedules SET next_run_at = now() - interval '9 hours' WHERE name = :name"


@pytest.fixture
def jobs(database: Database) -> Jobs:
    """Jobs that the system gives itself."""
    return Jobs(database, SYSTEM_WORKSPACE_ID)


async def registered(jobs: Jobs, seconds: float = 100.0, count: int = 1) -> list[Schedule]:
    made = [Schedule(JobKind(f"toy.{new_id().hex}", NoPayload), seconds) for _ in range(count)]
    await schedules.register(jobs.database, made)
    return made


async def runs(jobs: Jobs, schedule: Schedule) -> int:
    ((count,),) = await jobs.rows(COUNT, name=schedule.kind.name)
    return int(count)


async def test_a_new_schedule_is_due_at_once_and_then_waits(jobs: Jobs) -> None:
    (schedule,) = made = await registered(jobs)

    seconds = [await schedules.run_due(jobs.database, made) for _ in range(2)]

    assert await runs(jobs, schedule) == 1
    assert seconds == [60, 60], "looks again after a minute at the latest"


async def test_the_wait_ends_with_the_next_run(jobs: Jobs) -> None:
    (often, rarely) = await registered(jobs, 7.0, 2)

    assert await schedules.run_due(jobs.database, [often, Schedule(rarely.kind, 3600.0)]) == 7


async def test_five_workers_enqueue_each_due_schedule_once(jobs: Jobs) -> None:
    made = await registered(jobs, count=3)

    await asyncio.gather(*(schedules.run_due(jobs.database, made) for _ in range(5)))

    assert [await runs(jobs, schedule) for schedule in made] == [1, 1, 1]


async def test_missed_runs_are_not_made_up_for(jobs: Jobs) -> None:
    (schedule,) = made = await registered(jobs)
    await schedules.run_due(jobs.database, made)
    assert await jobs.change(DUE, name=schedule.kind.name) == 1

    for _ in range(3):
        await schedules.run_due(jobs.database, made)

    assert await runs(jobs, schedule) == 2


async def test_registering_again_does_not_bring_a_run_forward(jobs: Jobs) -> None:
    (schedule,) = made = await registered(jobs)
    await schedules.run_due(jobs.database, made)

    await asyncio.gather(*(schedules.register(jobs.database, made) for _ in range(5)))
    await schedules.run_due(jobs.database, made)

    assert await runs(jobs, schedule) == 1


async def test_a_schedule_of_another_version_is_neither_run_nor_waited_for(jobs: Jobs) -> None:
    (foreign,) = await registered(jobs)
    own = await registered(jobs)
    await schedules.run_due(jobs.database, own)

    assert await schedules.run_due(jobs.database, own) > 0
    assert await runs(jobs, foreign) == 0


async def test_without_schedules_there_is_nothing_to_hurry_for(jobs: Jobs) -> None:
    await schedules.register(jobs.database, [])

    assert await schedules.run_due(jobs.database, []) == schedules.MAX_PAUSE


async def status(jobs: Jobs) -> SystemStatus:
    async with jobs.database.transaction(SYSTEM_WORKSPACE_ID) as tx:
        return await queries.system_status(tx)


async def test_the_heartbeat_shows_in_the_systems_status(jobs: Jobs, registry: JobRegistry) -> None:
    beats = Jobs(jobs.database, SYSTEM_WORKSPACE_ID, HEARTBEAT)
    await jobs.change("DELETE FROM heartbeats WHERE name = :name", name=HEARTBEAT.name)
    assert (await status(jobs)).last_heartbeat_at is None

    assert (await beats.attempt(registry, await beats.one())).status == "completed"
    first = await status(jobs)
    await beats.attempt(registry, await beats.one())

    assert first.last_heartbeat_at is not None
    assert first.heartbeat_age_seconds is not None
    assert first.heartbeat_age_seconds < 60
    second = await status(jobs)
    assert second.last_heartbeat_at is not None
    assert second.last_heartbeat_at > first.last_heartbeat_at


async def workers(jobs: Jobs) -> tuple[int, int]:
    found = await status(jobs)
    return found.workers, found.running_jobs


async def test_the_systems_status_counts_living_workers_and_what_they_run(jobs: Jobs) -> None:
    await jobs.change("DELETE FROM worker_processes")
    one, two, silent = (new_id() for _ in range(3))
    for worker_id, running in ((one, 0), (two, 3), (silent, 50), (one, 4)):
        await report_worker(jobs.database, worker_id=worker_id, host="h", pid=1, version="1", running=running)
    await jobs.change("UPDATE worker_processes SET last_seen_at = now() - interval '31 s' WHERE id = :id", id=silent)
    assert await workers(jobs) == (2, 7)

    await deregister_worker(jobs.database, worker_id=two)

    assert await workers(jobs) == (1, 4)


def test_every_schedule_enqueues_a_job_that_a_domain_defines(registry: JobRegistry) -> None:
    assert len(SCHEDULES) >= 10
    assert {schedule.kind.name for schedule in SCHEDULES} <= set(registry.kinds)
