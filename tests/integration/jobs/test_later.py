"""A handler that has to wait says until when, and why; that is no failure and no attempt."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadflood.domains.jobs import execution
from leadflood.domains.jobs.registry import JobContext, JobDefinition, JobRegistry, Later
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.worker.executor import Executor
from tests.support.jobs import Jobs, completes

REASON = "The provider's limit is used up."


def waits(jobs: Jobs, at: datetime, *, many: bool = False) -> JobRegistry:
    async def handler(_context: JobContext[Any]) -> Later:
        return Later(at, REASON)

    async def load(_tx: Transaction, _actor: Actor, payloads: Sequence[object]) -> Sequence[bool]:
        return [True for _ in payloads]

    return JobRegistry([JobDefinition(jobs.kind, handler, load=load if many else None)])


async def test_a_job_that_waits_is_queued_until_then_and_keeps_its_attempts(jobs: Jobs) -> None:
    at = utc_now() + timedelta(hours=2)
    job_id = await jobs.one()

    job = await jobs.attempt(waits(jobs, at), job_id)

    assert (job.status, job.next_attempt_at, job.waiting_until, job.waiting_for) == ("queued", at, at, REASON)
    assert (job.shown_state, job.retrying, job.last_error, job.failures) == ("waiting", False, None, [])
    assert job.max_attempts - job.attempts == 3
    ((due,),) = await jobs.rows(
        "SELECT due_at FROM leadflood_queue.tickets WHERE job_id = :id AND attempt = 2", id=job_id
    )
    assert abs((due - at).total_seconds()) < 1, "its ticket falls due then"

    done = await jobs.attempt(jobs.registry(completes()), job_id, 2)
    assert (done.status, done.waiting_until, done.waiting_for) == ("completed", None, None)


async def test_a_time_in_the_past_means_now(jobs: Jobs) -> None:
    before = utc_now()
    job = await jobs.attempt(waits(jobs, datetime(2020, 1, 1, tzinfo=UTC)), await jobs.one())

    assert job.waiting_until is not None
    assert job.waiting_until >= before - timedelta(minutes=1)


async def test_jobs_that_are_handled_together_can_wait_too(jobs: Jobs) -> None:
    at = utc_now() + timedelta(hours=2)
    ids = await jobs.enqueue(3)
    running = [await jobs.started(job_id) for job_id in ids]

    assert await Executor(jobs.database, waits(jobs, at, many=True), new_id()).run_many(running) == []

    assert {(await jobs.view(item)).waiting_until for item in ids} == {at}


async def test_an_attempt_that_was_taken_over_puts_nothing_off(jobs: Jobs) -> None:
    registry = waits(jobs, utc_now() + timedelta(hours=2))
    job_id = await jobs.one()
    first = await jobs.started(job_id)
    await jobs.expire_lease(job_id)
    await execution.rescue(jobs.database, registry)
    await jobs.started(job_id, 2)

    assert await Executor(jobs.database, registry, new_id()).run(first) == "lost"

    assert (await jobs.view(job_id)).status == "running"


@pytest.mark.parametrize("reason", ["NUL \x00", "x" * 5000])
async def test_a_reason_is_stored_whatever_it_is(jobs: Jobs, reason: str) -> None:
    async def handler(_context: JobContext[Any]) -> Later:
        return Later(utc_now(), reason)

    job = await jobs.attempt(jobs.registry(handler), await jobs.one())

    assert job.waiting_for is not None
    assert len(job.waiting_for) <= 1000


async def test_a_job_that_waits_can_be_cancelled(jobs: Jobs) -> None:
    registry = waits(jobs, utc_now() + timedelta(hours=2))
    job_id = await jobs.one()
    await jobs.attempt(registry, job_id)

    job = await jobs.cancel(registry, job_id)

    assert (job.status, job.waiting_until) == ("failed", None)
