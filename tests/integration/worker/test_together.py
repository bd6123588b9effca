"""Jobs that a worker does together: claimed while the last are under way, and run alone where they are left."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from structlog.testing import capture_logs

from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import GroupHandler, JobContext, JobDefinition, JobGroup, JobRegistry
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Transaction
from leadflood.worker.consumer import LANES
from tests.support.jobs import Gate, Jobs, Workers
from tests.support.waiting import eventually, soon, until


async def nothing(_tx: Transaction, _actor: Actor, jobs: Sequence[tuple[RunningJob, None]], /) -> Sequence[None]:
    return [None for _ in jobs]


async def complete(group: JobGroup) -> None:
    await group.complete(nothing, [(job, None) for job in group.jobs])


async def refuse(_context: JobContext) -> None:
    raise AssertionError("It was to be done together with others.")


def registry(jobs: Jobs, together: GroupHandler, alone: Gate | None = None) -> JobRegistry:
    return JobRegistry([JobDefinition(jobs.kind, alone or refuse, together=together)])


def running(jobs: Jobs, *ids: UUID) -> "asyncio.Future[bool]":
    async def condition() -> bool:
        return {(await jobs.view(each)).status for each in ids} == {"running"}

    return asyncio.ensure_future(eventually(condition))


async def test_more_jobs_are_claimed_and_done_while_a_group_is_under_way(jobs: Jobs, workers: Workers) -> None:
    held = await jobs.enqueue(3)
    opened, groups = asyncio.Event(), list[int]()

    async def together(group: JobGroup) -> None:
        groups.append(len(group.jobs))
        if {job.id for job in group.jobs} & set(held):
            await opened.wait()
        await complete(group)

    await workers.start(registry(jobs, together))
    await running(jobs, *held)

    assert await jobs.ended(*await jobs.enqueue(5)) == {"completed": 5}
    assert (await jobs.view(held[0])).status == "running"
    opened.set()
    assert await jobs.ended(*held) == {"completed": 3}
    assert sum(groups) == 8
    assert groups[0] == 3


async def test_a_worker_runs_no_more_jobs_in_groups_than_it_may(jobs: Jobs, workers: Workers) -> None:
    ids = await jobs.enqueue(30)
    opened, most, under_way = asyncio.Event(), 0, 0

    async def together(group: JobGroup) -> None:
        nonlocal most, under_way
        under_way += len(group.jobs)
        most = max(most, under_way)
        await opened.wait()
        await complete(group)
        under_way -= len(group.jobs)

    await workers.start(registry(jobs, together), worker_concurrency=4)
    await running(jobs, *ids[: LANES * 4])
    opened.set()

    assert await jobs.ended(*ids) == {"completed": 30}
    assert most == LANES * 4


async def test_where_doing_them_together_fails_each_is_run_alone_in_the_same_attempt(
    jobs: Jobs, workers: Workers
) -> None:
    ids = await jobs.enqueue(4)
    alone = Gate()
    alone.opened.set()

    async def together(group: JobGroup) -> None:
        await complete(group)
        raise KeyError(str(group.jobs[0].id))

    async def at_first(group: JobGroup) -> None:
        raise KeyError(str(group.jobs[0].id))

    await workers.start(registry(jobs, at_first, alone))
    assert await jobs.ended(*ids) == {"completed": 4}
    assert alone.entered.is_set()
    assert {(await jobs.view(each)).attempts for each in ids} == {1}

    done = Jobs(jobs.database, jobs.workspace_id)
    more = await done.enqueue(4)
    await workers.start(registry(done, together))
    assert await jobs.ended(*more) == {"completed": 4}


async def test_a_stopping_worker_waits_for_what_a_group_left(jobs: Jobs, workers: Workers) -> None:
    ids = await jobs.enqueue(2)
    entered, opened, alone = asyncio.Event(), asyncio.Event(), Gate()

    async def leave(_group: JobGroup) -> None:
        entered.set()
        await opened.wait()

    worker = await workers.start(registry(jobs, leave, alone))
    await soon(entered.wait())
    with capture_logs() as logs:
        stopping = asyncio.create_task(worker.stop())
        await until(lambda: any(entry["event"] == "worker.draining" for entry in logs))
        opened.set()
        await soon(alone.entered.wait())
        alone.opened.set()
        await soon(stopping)

    assert {(await jobs.view(each)).status for each in ids} == {"completed"}


async def test_a_group_that_a_stopping_worker_cannot_end_is_handed_back(jobs: Jobs, workers: Workers) -> None:
    ids = await jobs.enqueue(3)
    entered = asyncio.Event()

    async def stuck(_group: JobGroup) -> None:
        entered.set()
        await asyncio.Event().wait()

    worker = await workers.start(registry(jobs, stuck), drain_timeout=0.05)
    await soon(entered.wait())
    await worker.stop()

    views = [await jobs.view(each) for each in ids]
    assert {(view.status, view.attempts, view.max_attempts) for view in views} == {("queued", 1, 4)}
