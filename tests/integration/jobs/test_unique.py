"""Of a unique kind, one job at a time is queued or runs for a subject, and no request for one is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.jobs import execution, reassignment, service
from leadflood.domains.jobs.completion import Completer
from leadflood.domains.jobs.errors import JobNotRetryable, Terminal
from leadflood.domains.jobs.models import JobKind, NewJob, RunningJob
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from tests.conftest import Workspace
from tests.support.jobs import Jobs, ToyPayload, completes, raises
from tests.support.waiting import eventually, soon

SUBJECT = "SELECT id, status FROM job_executions WHERE kind = :kind AND subject_id = :subject_id ORDER BY id"
LOCKS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"


@pytest.fixture
def jobs(database: Database, workspace: Workspace) -> Jobs:
    kind = JobKind(f"toy.{new_id().hex}", ToyPayload, max_attempts=3, unique=True)
    return Jobs(database, workspace.id, kind)


async def request_in(tx: Transaction, jobs: Jobs, *subject_ids: UUID) -> Sequence[UUID]:
    new = [NewJob(jobs.kind, ToyPayload(), subject_id) for subject_id in subject_ids]
    return await service.enqueue(tx, jobs.actor, jobs=new)


async def request(jobs: Jobs, subject_id: UUID) -> UUID:
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        return (await request_in(tx, jobs, subject_id))[0]


def waiting(jobs: Jobs) -> Callable[[], Awaitable[bool]]:
    """Whether a transaction waits for a row."""

    async def condition() -> bool:
        return await jobs.rows(LOCKS) != [(0,)]

    return condition


async def run(jobs: Jobs, job_id: UUID, attempt: int) -> None:
    """Complete a running attempt."""
    job = await jobs.started(job_id, attempt)
    await complete(jobs, job)


async def complete(jobs: Jobs, job: Any) -> None:  # noqa: ANN401  a running job
    outcome = await Completer(jobs.database, {jobs.kind.name: 3}).complete(jobs.writes, [(job, None)])
    assert outcome == [None]


async def test_requests_at_the_same_time_are_one_job(jobs: Jobs) -> None:
    subject_id, other = new_id(), new_id()

    ids = await asyncio.gather(*(request(jobs, subject_id) for _ in range(12)), request(jobs, other))

    assert len(set(ids[:-1])) == 1
    assert ids[-1] not in ids[:-1]
    assert await jobs.rows(SUBJECT, kind=jobs.kind.name, subject_id=subject_id) == [(ids[0], "queued")]
    assert (await jobs.tickets(ids[0]), len(await jobs.events(ids[0]))) == (1, 1)
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        assert await request_in(tx, jobs, subject_id, other, subject_id) == [ids[0], ids[-1], ids[0]]


async def test_a_request_while_it_runs_makes_it_run_again_with_a_fresh_set_of_attempts(jobs: Jobs) -> None:
    subject_id = new_id()
    job_id = await request(jobs, subject_id)
    first = await jobs.started(job_id)

    assert [await request(jobs, subject_id) for _ in range(3)] == [job_id] * 3
    await complete(jobs, first)

    job = await jobs.view(job_id)
    assert (job.status, job.max_attempts - job.attempts, job.finished_at) == ("queued", 3, None)
    assert await jobs.written(job_id) == 1
    assert await jobs.tickets(job_id) == 2
    await run(jobs, job_id, 2)
    assert (await jobs.view(job_id)).status == "completed"
    assert await jobs.written(job_id) == 2
    assert await request(jobs, subject_id) != job_id


async def test_a_request_that_has_not_committed_holds_up_the_end_of_the_run_and_is_not_lost(jobs: Jobs) -> None:
    subject_id = new_id()
    job_id = await request(jobs, subject_id)
    running = await jobs.started(job_id)
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        assert await request_in(tx, jobs, subject_id) == [job_id]
        completing = asyncio.create_task(complete(jobs, running))
        await eventually(waiting(jobs))
    await soon(completing)

    assert (await jobs.view(job_id)).status == "queued"


async def test_a_request_that_meets_the_end_of_the_run_gets_a_job_of_its_own(jobs: Jobs) -> None:
    subject_id = new_id()
    job_id = await request(jobs, subject_id)
    running = await jobs.started(job_id)
    entered, opened = asyncio.Event(), asyncio.Event()

    async def slow(_tx: Transaction, _actor: object, _jobs: object, /) -> None:
        entered.set()
        await opened.wait()

    completing = asyncio.create_task(Completer(jobs.database).complete(slow, [(running, None)]))
    await soon(entered.wait())
    asked = asyncio.create_task(request(jobs, subject_id))
    await eventually(waiting(jobs))
    opened.set()
    await soon(completing)
    second = await soon(asked)

    assert second != job_id
    assert [(await jobs.view(item)).status for item in (job_id, second)] == ["completed", "queued"]


async def test_a_kill_between_request_and_end_leaves_one_run_that_sees_the_change(jobs: Jobs) -> None:
    subject_id = new_id()
    job_id = await request(jobs, subject_id)
    await jobs.started(job_id)
    assert await request(jobs, subject_id) == job_id
    await jobs.expire_lease(job_id)
    await execution.rescue(jobs.database, jobs.registry(completes()))

    assert await request(jobs, subject_id) == job_id
    await run(jobs, job_id, 2)

    assert (await jobs.view(job_id)).status == "completed", "the run began after the request, so there is no third"


async def test_a_run_that_fails_for_good_is_followed_by_the_one_that_was_asked_for(jobs: Jobs) -> None:
    async def on_failed(tx: Transaction, job: RunningJob, _payload: object, _error: str) -> None:
        await jobs.write(tx, job.id)

    registry = jobs.registry(raises(Terminal("no")), on_failed=on_failed)
    subject_id = new_id()
    job_id = await request(jobs, subject_id)
    running = await jobs.started(job_id)
    await request(jobs, subject_id)

    assert await execution.end_attempt(jobs.database, registry, running, "no", final=True)

    job = await jobs.view(job_id)
    assert (job.status, job.max_attempts - job.attempts, job.last_error) == ("queued", 3, "no")
    assert (await jobs.tickets(job_id), await jobs.written(job_id)) == (2, 0), "it has not failed yet"
    assert (await jobs.attempt(registry, job_id, 2)).status == "failed"
    assert await jobs.written(job_id) == 1


async def test_a_failed_job_is_not_retried_next_to_another_of_its_subject(jobs: Jobs) -> None:
    subject_id = new_id()
    registry = jobs.registry(raises(Terminal("no")))
    first = await request(jobs, subject_id)
    await jobs.attempt(registry, first)
    second = await request(jobs, subject_id)

    with pytest.raises(JobNotRetryable, match="Another job of this kind is already queued or running"):
        await jobs.retry(registry, first)
    await jobs.attempt(registry, second)
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        queued = await service.requeue(tx, jobs.actor, registry.attempts, ids=[first, second])
    assert queued == {second}, "the newest of two"


async def test_a_job_that_is_moved_to_another_subject_does_not_stand_in_the_way_there(jobs: Jobs) -> None:
    merged, survivor = new_id(), new_id()
    moved, own = await request(jobs, merged), await request(jobs, survivor)

    async with jobs.database.transaction(jobs.workspace_id) as tx:
        assert await reassignment.reassign_jobs(tx, jobs.actor, from_subject=merged, to_subject=survivor) == [moved]

    assert await request(jobs, survivor) == own
    for item in (moved, own):
        await run(jobs, item, 1)


async def test_with_the_queue_elsewhere_one_event_announces_it(elsewhere: Any, workspace: Workspace) -> None:  # noqa: ANN401  the fixture's
    kind = JobKind(f"toy.{new_id().hex}", ToyPayload, unique=True)
    jobs = Jobs(elsewhere.database, workspace.id, kind)
    subject_id = new_id()

    (job_id,) = {await request(jobs, subject_id) for _ in range(2)}

    assert [event.status for event in await jobs.events(job_id)] == ["pending"]
