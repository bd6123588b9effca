"""The state of a job after each outcome of its handler."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from leadflood.domains.jobs.errors import Retryable, Terminal
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import Complete, Handler, JobContext, JobRegistry
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id
from leadflood.worker.executor import Executor
from tests.support.jobs import Jobs, completes, raises

BROKEN = sql("SELECT 1 / 0")


def writes(jobs: Jobs, fault: Exception | None = None) -> Handler[Any]:
    async def write(tx: Transaction, actor: Actor, items: Sequence[tuple[RunningJob, None]]) -> None:
        await jobs.writes(tx, actor, items)
        if fault is not None:
            raise fault

    async def handler(_context: JobContext[Any]) -> Complete[None]:
        return Complete(write, None)

    return handler


def failing(jobs: Jobs, fault: Exception) -> JobRegistry:
    """A kind of job that always fails, and writes when it is given up."""

    async def on_failed(tx: Transaction, job: RunningJob, _payload: object, error: str) -> None:
        await jobs.write(tx, job.id)

    return jobs.registry(raises(fault), on_failed=on_failed)


async def test_a_handler_that_returns_completes_its_job(jobs: Jobs) -> None:
    job_id = await jobs.one()
    running = await jobs.started(job_id)
    before = await jobs.view(job_id)
    assert (before.status, before.attempts) == ("running", 1)
    assert before.started_at is not None

    await Executor(jobs.database, jobs.registry(completes()), new_id()).run(running)

    job = await jobs.view(job_id)
    assert (job.status, job.attempts, job.failures, job.next_attempt_at) == ("completed", 1, [], None)
    assert job.finished_at is not None


async def test_the_handlers_write_commits_with_the_completion(jobs: Jobs) -> None:
    job_id = await jobs.one()

    assert (await jobs.attempt(jobs.registry(writes(jobs)), job_id)).status == "completed"

    assert await jobs.written(job_id) == 1


async def test_a_handler_that_raises_after_writing_leaves_no_write(jobs: Jobs) -> None:
    job_id = await jobs.one()

    assert (await jobs.attempt(jobs.registry(writes(jobs, Retryable("no"))), job_id)).status == "queued"

    assert await jobs.written(job_id) == 0


async def test_what_is_written_on_the_way_stays_when_the_attempt_fails(jobs: Jobs) -> None:
    async def handler(context: JobContext[Any]) -> None:
        async with context.transaction() as tx:
            await jobs.write(tx, context.job.id)
        raise Retryable("no")

    job_id = await jobs.one()

    assert (await jobs.attempt(jobs.registry(handler), job_id)).status == "queued"

    assert await jobs.written(job_id) == 1


async def test_a_retryable_failure_queues_the_job_again_with_its_reason(jobs: Jobs) -> None:
    job_id = await jobs.one()

    job = await jobs.attempt(jobs.registry(raises(Retryable("The provider answered 503."))), job_id)

    assert (job.status, job.attempts, job.last_error) == ("queued", 1, "The provider answered 503.")
    (failure,) = job.failures
    assert (failure.attempt, failure.error) == (1, "The provider answered 503.")
    assert failure.worker_id is not None
    assert len(await jobs.events(job_id)) == 2
    assert [event.status for event in await jobs.events(job_id)] == ["sent", "sent"]


async def test_the_next_attempt_is_due_by_the_databases_clock(jobs: Jobs) -> None:
    job_id = await jobs.one()
    await jobs.attempt(jobs.registry(raises(Retryable("no"))), job_id)

    ((wait, difference),) = await jobs.rows(
        "SELECT extract(epoch FROM j.next_attempt_at - j.updated_at)::float8,"
        " abs(extract(epoch FROM q.visible_at - j.next_attempt_at))::float8"
        " FROM job_executions j JOIN leadflood_queue.tickets q ON q.job_id = j.id AND q.attempt = 2 WHERE j.id = :id",
        id=job_id,
    )
    assert 1 <= wait <= 4
    assert difference < 0.001, "the ticket falls due when the row says"


async def test_the_time_that_the_other_side_asks_for_is_honoured(jobs: Jobs) -> None:
    retry_at = utc_now() + timedelta(hours=2)
    job_id = await jobs.one()

    job = await jobs.attempt(jobs.registry(raises(Retryable("Slow down.", retry_at=retry_at))), job_id)

    assert job.next_attempt_at == retry_at


async def test_a_time_in_the_past_means_now(jobs: Jobs) -> None:
    long_ago = utc_now() - timedelta(days=400)
    job_id = await jobs.one()

    job = await jobs.attempt(jobs.registry(raises(Retryable("Slow down.", retry_at=long_ago))), job_id)

    assert job.next_attempt_at is not None
    assert job.next_attempt_at == job.failures[0].at


async def test_the_last_attempt_fails_the_job_and_tells_its_domain(jobs: Jobs) -> None:
    registry = failing(jobs, Retryable("still no"))
    job_id = await jobs.one()

    states = [await jobs.attempt(registry, job_id, attempt) for attempt in (1, 2, 3)]

    assert [job.status for job in states] == ["queued", "queued", "failed"]
    assert [failure.attempt for failure in states[-1].failures] == [1, 2, 3]
    assert (states[-1].attempts, states[-1].last_error) == (3, "still no")
    assert await jobs.written(job_id) == 1
    assert await jobs.claim(job_id, 4) is None


async def test_a_terminal_failure_fails_the_job_at_once(jobs: Jobs) -> None:
    job_id = await jobs.one()

    job = await jobs.attempt(failing(jobs, Terminal("No such company.")), job_id)

    assert (job.status, job.attempts, job.last_error) == ("failed", 1, "No such company.")
    assert await jobs.written(job_id) == 1
    assert len(await jobs.events(job_id)) == 1


async def test_what_the_failure_hook_writes_is_gone_if_the_job_does_not_fail(jobs: Jobs) -> None:
    """It runs in the job's own transaction: one that another attempt has ended already takes the write with it."""
    registry = failing(jobs, Terminal("no"))
    job_id = await jobs.one()
    first = await jobs.started(job_id)
    await jobs.change("UPDATE job_executions SET attempts = 2 WHERE id = :id", id=job_id)

    await Executor(jobs.database, registry, new_id()).run(first)

    assert (await jobs.view(job_id)).status == "running"
    assert await jobs.written(job_id) == 0


async def test_a_failure_hook_with_a_bug_does_not_keep_the_job_alive(jobs: Jobs) -> None:
    async def on_failed(tx: Transaction, job: RunningJob, _payload: object, error: str) -> None:
        await jobs.write(tx, job.id)
        await tx.execute(BROKEN)

    job_id = await jobs.one()

    job = await jobs.attempt(jobs.registry(raises(Terminal("no")), on_failed=on_failed), job_id)

    assert (job.status, job.last_error) == ("failed", "no")
    assert await jobs.written(job_id) == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (KeyError("ada@acme.com"), "KeyError"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (TimeoutError("the provider is slow"), "TimeoutError: the provider is slow"),
        (RuntimeError("NUL \x00 and half a smile \ud83d"), "RuntimeError: NUL ? and half a smile ?"),
        (ValueError("ada@acme.com is no number"), "ValueError"),
        (RuntimeError("x" * 5000), "RuntimeError: " + "x" * 986),
        (Unavailable("The database is away or busy."), "The database is away or busy."),
    ],
)
async def test_an_unexpected_fault_is_retried_with_its_name_as_the_reason(
    jobs: Jobs, fault: Exception, reason: str
) -> None:
    job_id = await jobs.one()

    job = await jobs.attempt(jobs.registry(raises(fault)), job_id)

    assert (job.status, job.attempts, job.last_error) == ("queued", 1, reason)


async def test_an_attempt_that_takes_too_long_is_retried(jobs: Jobs) -> None:
    async def handler(_context: JobContext[Any]) -> None:
        await asyncio.Event().wait()

    job_id = await jobs.one()

    job = await jobs.attempt(jobs.registry(handler, timeout=0.05), job_id)

    assert (job.status, job.last_error) == ("queued", "Not done within 0.05 seconds.")


async def test_a_kind_that_this_version_does_not_know_is_left_to_another(jobs: Jobs) -> None:
    job_id = await jobs.one()

    job = await jobs.attempt(JobRegistry([]), job_id)

    assert job.status == "queued"
    assert jobs.kind.name in str(job.last_error)


async def test_a_job_queued_under_the_former_name_of_its_kind_runs(jobs: Jobs) -> None:
    job_id = await jobs.one()
    renamed = replace(jobs, kind=replace(jobs.kind, name=f"new.{new_id().hex}", former_name=jobs.kind.name))
    registry = renamed.registry(completes())
    assert jobs.kind.name in registry.kinds

    await Executor(jobs.database, registry, new_id()).run(await jobs.started(job_id))

    assert (await jobs.view(job_id)).status == "completed"
