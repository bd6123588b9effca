"""Only the attempt that runs a job can change it; and what operators may do to jobs."""

from typing import Any

import pytest

from leadflood.domains.jobs import execution, service
from leadflood.domains.jobs.errors import (
    AttemptLost,
    EventNotDeadLettered,
    EventNotFound,
    JobNotCancellable,
    JobNotFound,
    JobNotRetryable,
    Terminal,
)
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import JobContext, JobRegistry
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.worker.executor import Executor
from tests.support.jobs import LEASE, Jobs, completes, raises


@pytest.fixture
def registry(jobs: Jobs) -> JobRegistry:
    """Jobs that complete; one that is given up writes."""

    async def on_failed(tx: Transaction, job: RunningJob, _payload: object, error: str) -> None:
        await jobs.write(tx, job.id)

    return jobs.registry(completes(), on_failed=on_failed)


async def taken_over(jobs: Jobs, registry: JobRegistry) -> tuple[RunningJob, RunningJob]:
    """The first attempt of a job, lost to its second."""
    job_id = await jobs.one()
    first = await jobs.started(job_id)
    await jobs.expire_lease(job_id)
    await execution.rescue(jobs.database, registry)
    return first, await jobs.started(job_id, 2)


async def test_a_late_completion_changes_nothing(jobs: Jobs, registry: JobRegistry) -> None:
    first, second = await taken_over(jobs, registry)

    with pytest.raises(AttemptLost):
        await jobs.complete(first)

    assert (await jobs.view(first.id)).status == "running"
    await jobs.complete(second)
    assert (await jobs.view(first.id)).status == "completed"
    assert await jobs.written(first.id) == 1


async def test_a_late_write_on_the_way_is_refused(jobs: Jobs, registry: JobRegistry) -> None:
    first, _ = await taken_over(jobs, registry)

    with pytest.raises(AttemptLost):
        async with jobs.context(first).transaction() as tx:
            await jobs.write(tx, first.id)

    assert await jobs.written(first.id) == 0


async def test_a_late_failure_changes_nothing(jobs: Jobs, registry: JobRegistry) -> None:
    first, _ = await taken_over(jobs, registry)

    for final in (True, False):
        assert not await execution.end_attempt(jobs.database, registry, first, "late", retry_at=None, final=final)
    assert not await execution.release(jobs.database, first)

    job = await jobs.view(first.id)
    assert (job.status, job.attempts, len(job.failures)) == ("running", 2, 1)
    assert await jobs.written(first.id) == 0


async def test_a_late_answer_after_the_end_changes_nothing(jobs: Jobs, registry: JobRegistry) -> None:
    first, second = await taken_over(jobs, registry)
    await jobs.complete(second)
    before = await jobs.view(first.id)

    await Executor(jobs.database, jobs.registry(raises(Terminal("late"))), new_id()).run(first)

    assert await jobs.view(first.id) == before


async def test_a_job_that_is_held_cannot_be_rescued_before_the_transaction_ends(
    jobs: Jobs, registry: JobRegistry
) -> None:
    job_id = await jobs.one()
    first = await jobs.started(job_id)
    await jobs.expire_lease(job_id)

    async with jobs.context(first).transaction() as tx:
        await execution.rescue(jobs.database, registry)
        await jobs.write(tx, job_id)

    assert (await jobs.view(job_id)).status == "running"
    assert await jobs.written(job_id) == 1


async def test_a_cancelled_queued_job_never_runs(jobs: Jobs, registry: JobRegistry) -> None:
    job_id = await jobs.one()

    job = await jobs.cancel(registry, job_id)

    assert (job.status, job.last_error) == ("failed", "Cancelled by cli.")
    assert await jobs.claim(job_id) is None
    assert await jobs.written(job_id) == 1, "its domain is told"


async def test_a_late_answer_of_a_cancelled_running_job_changes_nothing(jobs: Jobs, registry: JobRegistry) -> None:
    job_id = await jobs.one()
    running = await jobs.started(job_id)
    cancelled = await jobs.cancel(registry, job_id)

    await Executor(jobs.database, registry, new_id()).run(running)

    assert cancelled.status == "failed"
    assert await jobs.view(job_id) == cancelled
    assert await execution.renew(jobs.database, [running], LEASE) == [running]


@pytest.mark.parametrize("ending", ["completed", "failed"])
async def test_a_job_that_is_over_cannot_be_cancelled(jobs: Jobs, registry: JobRegistry, ending: str) -> None:
    job_id = await jobs.one()
    handler = completes() if ending == "completed" else raises(Terminal("no"))
    before = await jobs.attempt(jobs.registry(handler), job_id)

    with pytest.raises(JobNotCancellable, match=ending):
        await jobs.cancel(registry, job_id)

    assert await jobs.view(job_id) == before


async def test_a_failed_job_can_be_retried_and_completes(jobs: Jobs, registry: JobRegistry) -> None:
    job_id = await jobs.one()
    await jobs.attempt(jobs.registry(raises(Terminal("no"))), job_id)

    retried = await jobs.retry(registry, job_id)

    assert (retried.status, retried.attempts, retried.max_attempts) == ("queued", 1, 4)
    assert retried.finished_at is None
    done = await jobs.attempt(registry, job_id, 2)
    assert (done.status, done.last_error, len(done.failures)) == ("completed", None, 1)


async def test_a_retried_job_has_a_full_set_of_attempts(jobs: Jobs, registry: JobRegistry) -> None:
    never = jobs.registry(raises(RuntimeError("no")))
    job_id = await jobs.one()
    for attempt in (1, 2, 3):
        await jobs.attempt(never, job_id, attempt)

    await jobs.retry(registry, job_id)

    assert [(await jobs.attempt(never, job_id, attempt)).status for attempt in (4, 5, 6)] == [
        "queued",
        "queued",
        "failed",
    ]


async def test_a_job_cancelled_during_its_back_off_is_due_at_once_when_retried(
    jobs: Jobs, registry: JobRegistry
) -> None:
    job_id = await jobs.one()
    await jobs.attempt(jobs.registry(raises(RuntimeError("no"))), job_id)
    await jobs.cancel(registry, job_id)

    retried = await jobs.retry(registry, job_id)

    ((due,),) = await jobs.rows(
        "SELECT bool_or(ready) FROM leadflood_queue.tickets WHERE job_id = :id AND attempt = :attempt",
        id=job_id,
        attempt=retried.attempts + 1,
    )
    assert due, "the ticket that the back-off deferred must not stand in the way"
    assert (await jobs.attempt(registry, job_id, retried.attempts + 1)).status == "completed"


@pytest.mark.parametrize("status", ["queued", "running", "completed"])
async def test_only_a_failed_job_can_be_retried(jobs: Jobs, registry: JobRegistry, status: str) -> None:
    job_id = await jobs.one()
    if status == "running":
        await jobs.started(job_id)
    if status == "completed":
        await jobs.attempt(registry, job_id)

    with pytest.raises(JobNotRetryable, match=status):
        await jobs.retry(registry, job_id)

    assert (await jobs.view(job_id)).status == status
    assert len(await jobs.events(job_id)) == 1


async def test_a_job_of_a_kind_that_nobody_knows_is_not_retried(jobs: Jobs) -> None:
    job_id = await jobs.one()
    await jobs.attempt(jobs.registry(raises(Terminal("no"))), job_id)

    with pytest.raises(JobNotRetryable, match="does not know"):
        await jobs.retry(JobRegistry([]), job_id)


async def test_another_workspaces_jobs_and_events_cannot_be_touched(jobs: Jobs, registry: JobRegistry) -> None:
    failed, queued = await jobs.enqueue(2)
    before = await jobs.attempt(jobs.registry(raises(Terminal("no"))), failed)
    (event,) = await jobs.events(queued)
    stranger = Actor.cli(new_id())

    async with jobs.database.transaction(stranger.workspace_id) as tx:
        with pytest.raises(JobNotFound):
            await service.retry_job(tx, stranger, registry, job_id=failed)
        with pytest.raises(JobNotFound):
            await service.cancel_job(tx, stranger, registry, job_id=queued)
        with pytest.raises(EventNotFound):
            await service.replay_event(tx, stranger, event_id=event.id)

    assert await jobs.view(failed) == before
    assert (await jobs.view(queued)).status == "queued"


async def test_only_a_dead_letter_can_be_replayed(jobs: Jobs) -> None:
    job_id = await jobs.one()
    (event,) = await jobs.events(job_id)

    async with jobs.database.transaction(jobs.workspace_id) as tx:
        with pytest.raises(EventNotDeadLettered, match="sent"):
            await service.replay_event(tx, jobs.actor, event_id=event.id)


async def test_nobody_holds_the_row_of_a_job_while_its_handler_works_outside(jobs: Jobs) -> None:
    """Otherwise an operator's cancel would wait for the network of somebody else."""
    job_id = await jobs.one()

    async def handler(context: JobContext[Any]) -> None:
        async with context.transaction():
            pass
        async with jobs.database.system() as tx:
            statement = sql("SELECT true FROM job_executions WHERE id = :id FOR UPDATE NOWAIT")
            assert await tx.scalar(statement, {"id": job_id})

    assert (await jobs.attempt(jobs.registry(handler), job_id)).status == "completed"
