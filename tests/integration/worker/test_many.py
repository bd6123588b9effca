"""Jobs that a worker handles together: claimed while the last are under way, and run alone where they are left."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from structlog.testing import capture_logs

from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import Complete, Handler, JobContext, JobDefinition, JobRegistry, Load, Outcome
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.worker.consumer import LANES
from tests.support.jobs import Gate, Jobs, Workers
from tests.support.waiting import eventually, soon, until


async def load_all(_tx: Transaction, _actor: Actor, payloads: Sequence[object]) -> Sequence[bool]:
    return [True for _ in payloads]


async def refuse(_context: JobContext[Any]) -> None:
    raise AssertionError("It was to be handled together with others.")


def registry(
    jobs: Jobs, together: Handler[Any], alone: Handler[Any] = refuse, load: Load[Any] = load_all
) -> JobRegistry:
    async def handler(context: JobContext[Any]) -> Outcome:
        return await (together if context.loaded else alone)(context)

    return JobRegistry([JobDefinition(jobs.kind, handler, many=True, load=load)])


def running(jobs: Jobs, *ids: UUID) -> "asyncio.Future[bool]":
    async def condition() -> bool:
        return {(await jobs.view(item)).status for item in ids} == {"running"}

    return asyncio.ensure_future(eventually(condition))


async def test_more_jobs_are_claimed_and_done_while_a_group_is_under_way(jobs: Jobs, workers: Workers) -> None:
    held = await jobs.enqueue(3)
    opened, groups = asyncio.Event(), list[int]()

    async def load(tx: Transaction, actor: Actor, payloads: Sequence[object]) -> Sequence[bool]:
        groups.append(len(payloads))
        return await load_all(tx, actor, payloads)

    async def together(context: JobContext[Any]) -> None:
        if context.job.id in held:
            await opened.wait()

    await workers.start(registry(jobs, together, load=load))
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

    async def load(tx: Transaction, actor: Actor, payloads: Sequence[object]) -> Sequence[bool]:
        nonlocal most, under_way
        under_way += len(payloads)
        most = max(most, under_way)
        return await load_all(tx, actor, payloads)

    async def end(_tx: Transaction, _actor: Actor, done: Sequence[tuple[RunningJob, None]], /) -> None:
        nonlocal under_way
        under_way -= len(done)

    async def together(_context: JobContext[Any]) -> Complete[None]:
        await opened.wait()
        return Complete(end, None)

    await workers.start(registry(jobs, together, load=load), worker_concurrency=4)
    await running(jobs, *ids[: LANES * 4])
    opened.set()

    assert await jobs.ended(*ids) == {"completed": 30}
    assert most == LANES * 4


async def test_what_goes_wrong_in_a_group_is_run_alone_in_the_same_attempt_and_logged_once(
    jobs: Jobs, workers: Workers
) -> None:
    bad, *good = await jobs.enqueue(4)
    alone = Gate()
    alone.opened.set()

    async def together(context: JobContext[Any]) -> Complete[None]:
        if context.job.id == bad:
            raise KeyError(str(bad))
        return Complete(jobs.writes, None)

    with capture_logs() as logs:
        await workers.start(registry(jobs, together, alone))
        assert await jobs.ended(bad, *good) == {"completed": 4}
    assert alone.entered.is_set()
    assert [(await jobs.written(item), (await jobs.view(item)).attempts) for item in (bad, *good)] == [
        (0, 1),
        *[(1, 1)] * 3,
    ]
    (failure,) = [entry for entry in logs if entry["event"] == "jobs.batch_failed"]
    assert (failure["jobs"], failure["failed"], type(failure["exc_info"])) == (4, 1, KeyError)

    async def broken(_tx: Transaction, _actor: Actor, _payloads: Sequence[object]) -> Sequence[bool]:
        raise KeyError("load")

    other = Jobs(jobs.database, jobs.workspace_id)
    with capture_logs() as logs:
        await workers.start(registry(other, refuse, alone, broken))
        assert await other.ended(*await other.enqueue(4)) == {"completed": 4}
    assert {entry["log_level"] for entry in logs if entry["event"] == "jobs.batch_failed"} == {"warning"}


async def test_a_stopping_worker_waits_for_what_a_group_left(jobs: Jobs, workers: Workers) -> None:
    ids = await jobs.enqueue(2)
    entered, opened, alone = asyncio.Event(), asyncio.Event(), Gate()

    async def leave(_tx: Transaction, _actor: Actor, payloads: Sequence[object]) -> Sequence[None]:
        entered.set()
        await opened.wait()
        return [None for _ in payloads]

    worker = await workers.start(registry(jobs, refuse, alone, leave))
    await soon(entered.wait())
    with capture_logs() as logs:
        stopping = asyncio.create_task(worker.stop())
        await until(lambda: any(entry["event"] == "worker.draining" for entry in logs))
        opened.set()
        await soon(alone.entered.wait())
        alone.opened.set()
        await soon(stopping)

    assert {(await jobs.view(item)).status for item in ids} == {"completed"}


async def test_a_group_that_a_stopping_worker_cannot_end_is_handed_back(jobs: Jobs, workers: Workers) -> None:
    ids = await jobs.enqueue(3)
    entered = asyncio.Event()

    async def stuck(_context: JobContext[Any]) -> None:
        entered.set()
        await asyncio.Event().wait()

    worker = await workers.start(registry(jobs, stuck), drain_timeout_seconds=0.05)
    await soon(entered.wait())
    await worker.stop()

    views = [await jobs.view(item) for item in ids]
    assert {(view.status, view.attempts, view.max_attempts) for view in views} == {("queued", 1, 4)}
