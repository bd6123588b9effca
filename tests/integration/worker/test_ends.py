"""Shutdown of a worker: drained, with or without its database, or after an error."""

from collections.abc import Sequence

import pytest

from leadflood.kernel.queue.ports import QueueMessage
from tests.support.jobs import LEASES, Gate, Jobs, Workers, Wrapped, completes
from tests.support.waiting import eventually, soon


async def test_a_worker_that_is_told_to_stop_lets_its_jobs_end_and_takes_no_more(jobs: Jobs, workers: Workers) -> None:
    gate = Gate()
    job_id = await jobs.one()
    running = await workers.start(jobs.registry(gate), drain_timeout_seconds=60)
    await soon(gate.entered.wait())

    running.worker.stop()
    late = await jobs.one()
    gate.opened.set()
    await soon(running.task)

    assert (await jobs.view(job_id)).status == "completed"
    job = await jobs.view(late)
    assert (job.status, job.attempts) == ("queued", 0)


async def test_leases_are_renewed_while_the_last_jobs_run_to_their_end(jobs: Jobs, workers: Workers) -> None:
    end = ("", 0)
    for lease in LEASES:
        if (end := await end_of_a_stopping_worker(jobs, workers, lease)) == ("completed", 1):
            break
    assert end == ("completed", 1)


async def end_of_a_stopping_worker(jobs: Jobs, workers: Workers, lease: float) -> tuple[str, int]:
    """State and attempts of a job that goes on for five leases after its worker was told to stop."""
    gate = Gate()
    job_id = await jobs.one()
    stopping = await workers.start(jobs.registry(gate), drain_timeout_seconds=60, job_lease_seconds=lease)
    await soon(gate.entered.wait())
    other = await workers.start(jobs.registry(completes()), job_lease_seconds=lease, poll_interval_seconds=0.1)

    stopping.worker.stop()
    ((told_at,),) = await jobs.rows("SELECT clock_timestamp()")

    async def renewed() -> bool:
        sql = (
            "SELECT status <> 'running' OR lease_expires_at - make_interval(secs => :long) > :told_at"
            " FROM job_executions WHERE id = :id"
        )
        return await jobs.rows(sql, id=job_id, told_at=told_at, long=5 * lease) == [(True,)]

    await eventually(renewed)
    gate.opened.set()
    await soon(stopping.task)
    await jobs.ended(job_id)
    await other.stop()
    job = await jobs.view(job_id)
    return job.status, job.attempts


async def test_what_does_not_end_in_time_is_handed_back_and_done_by_another(jobs: Jobs, workers: Workers) -> None:
    gate = Gate()
    ids = await jobs.enqueue(3)
    running = await workers.start(jobs.registry(gate), drain_timeout_seconds=0.05)

    async def all_started() -> bool:
        return {(await jobs.view(job_id)).status for job_id in ids} == {"running"}

    await eventually(all_started)
    await running.stop()

    assert gate.cancelled.is_set()
    for job_id in ids:
        job = await jobs.view(job_id)
        assert (job.status, job.attempts, job.max_attempts) == ("queued", 1, 4)
    await workers.start(jobs.registry(completes()))
    assert await jobs.ended(*ids) == {"completed": 3}


class Breaks(Wrapped):
    """A queue with a bug, from its second delivery on."""

    deliveries = 0

    async def receive(self, kinds: Sequence[str], limit: int) -> Sequence[QueueMessage]:
        if self.deliveries:
            raise KeyError("bug")
        received = await super().receive(kinds, limit)
        self.deliveries += len(received)
        return received


async def test_a_worker_with_a_broken_loop_ends_and_hands_its_jobs_back(jobs: Jobs, workers: Workers) -> None:
    gate = Gate()
    job_id = await jobs.one()

    running = await workers.start(jobs.registry(gate), wrap=Breaks, poll_interval_seconds=0.1)

    with pytest.raises(ExceptionGroup):
        await soon(running.task)
    job = await jobs.view(job_id)
    assert (job.status, job.last_error) == ("queued", "The worker that ran attempt 1 was stopped.")
