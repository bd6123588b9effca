"""A worker takes jobs from the queue, keeps them while it lives, and lets go of them properly."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.jobs import queries
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import Complete, Handler, JobContext
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from leadflood.kernel.queue.ports import QueueBackend, QueueMessage
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.conftest import Workspace
from tests.support.jobs import LEASE, LEASES, Elsewhere, Gate, Jobs, Workers, Wrapped, completes
from tests.support.waiting import eventually, soon

NEVER = 3600.0
"""Seconds: what takes that long was not woken, and the test fails for want of patience."""


class Forgetful(Wrapped):
    """A queue on which the first acknowledgement of each ticket gets lost."""

    def __init__(self, queue_backend: QueueBackend, delivered: Counter[UUID]) -> None:
        super().__init__(queue_backend)
        self.delivered = delivered

    async def acknowledge(self, tickets: Sequence[QueueMessage]) -> None:
        self.delivered.update(ticket.job_id for ticket in tickets)
        await super().acknowledge([ticket for ticket in tickets if self.delivered[ticket.job_id] > 1])


def counting(jobs: Jobs, runs: Counter[UUID]) -> Handler[Any]:
    """A handler that counts its runs here, and writes once with the completion."""

    async def handler(context: JobContext[Any]) -> Complete[None]:
        runs[context.job.id] += 1
        return Complete(jobs.writes, None)

    return handler


def no_tickets(jobs: Jobs) -> Callable[[], Awaitable[bool]]:
    async def condition() -> bool:
        sql = "SELECT count(*) FROM leadflood_queue.tickets WHERE kind = :kind"
        return await jobs.rows(sql, kind=jobs.kind.name) == [(0,)]

    return condition


async def test_a_locked_job_holds_up_no_other_and_runs_when_it_is_unlocked(jobs: Jobs, workers: Workers) -> None:
    locked, *others = await jobs.enqueue(60)
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        await tx.execute(sql("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await tx.execute(sql("SELECT FROM job_executions WHERE id = :id FOR UPDATE"), {"id": locked})
        await workers.start(jobs.registry(completes()))

        assert await jobs.ended(*others) == {"completed": 59}
        assert (await jobs.view(locked)).status == "queued"

    assert await jobs.ended(locked) == {"completed": 1}


async def test_a_worker_runs_what_is_queued_and_is_woken_for_what_comes(jobs: Jobs, workers: Workers) -> None:
    before = await jobs.enqueue(3)
    await workers.start(jobs.registry(completes()), poll_interval_seconds=NEVER)
    assert await jobs.ended(*before) == {"completed": 3}

    assert await jobs.ended(await jobs.one()) == {"completed": 1}

    await eventually(no_tickets(jobs))


async def test_a_back_off_ends_without_waiting_for_the_next_poll(jobs: Jobs, workers: Workers) -> None:
    async def handler(context: JobContext[Any]) -> None:
        if context.job.attempt == 1:
            raise KeyError("once")

    job_id = await jobs.one()
    await workers.start(jobs.registry(handler), poll_interval_seconds=NEVER, job_lease_seconds=60)

    assert await jobs.ended(job_id) == {"completed": 1}

    assert (await jobs.view(job_id)).attempts == 2


async def test_with_the_queue_elsewhere_the_relay_is_woken_and_the_job_runs(
    elsewhere: Elsewhere, workspace: Workspace, workers: Workers
) -> None:
    jobs = Jobs(elsewhere.database, workspace.id)
    await workers.start(jobs.registry(completes()), queue_url=elsewhere.queue_url, poll_interval_seconds=NEVER)
    first = await jobs.one()
    assert await jobs.ended(first) == {"completed": 1}

    assert await jobs.ended(await jobs.one()) == {"completed": 1}

    async def sent() -> bool:
        return [event.status for event in await jobs.events(first)] == ["sent"]

    await eventually(sent)


async def test_two_workers_do_each_of_500_jobs_exactly_once(jobs: Jobs, workers: Workers) -> None:
    runs: Counter[UUID] = Counter()
    registry = jobs.registry(counting(jobs, runs))
    for _ in range(2):
        # Its renewals stand in line with 500 jobs: on a busy machine a short lease can run out, and be rescued rightly.
        await workers.start(registry, job_lease_seconds=LEASE)

    ids = [job_id for _ in range(5) for job_id in await jobs.enqueue(100)]

    assert await jobs.ended(*ids) == {"completed": 500}
    assert set(runs) == set(ids)  # on a busy machine, jobs whose common transaction takes too long run once more, alone
    done = await jobs.rows("SELECT max(attempts), count(*) FROM job_executions WHERE kind = :k", k=jobs.kind.name)
    assert done == [(1, 500)]
    assert [await jobs.written(job_id) for job_id in ids] == [1] * 500


async def test_a_worker_looks_for_jobs_that_run_alone_and_runs_one_after_the_other(
    jobs: Jobs, workers: Workers
) -> None:
    gate = Gate()
    ids = await jobs.enqueue(2)
    await jobs.change("UPDATE job_executions SET losses = 2 WHERE kind = :kind", kind=jobs.kind.name)
    await workers.start(jobs.registry(gate))
    await soon(gate.entered.wait())
    await eventually(no_tickets(jobs))

    assert sorted([(await jobs.view(item)).status for item in ids]) == ["queued", "running"]
    gate.opened.set()
    assert await jobs.ended(*ids) == {"completed": 2}


async def test_no_more_jobs_run_at_a_time_than_allowed(jobs: Jobs, workers: Workers) -> None:
    under_way, most = 0, 0

    async def handler(context: JobContext[Any]) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        async with context.transaction():
            pass
        under_way -= 1

    ids = await jobs.enqueue(40)
    await workers.start(jobs.registry(handler), worker_concurrency=3)

    assert await jobs.ended(*ids) == {"completed": 40}
    assert most == 3


async def test_a_ticket_that_is_published_again_runs_nothing_again(
    jobs: Jobs, workers: Workers, queue_backend: PostgresQueueBackend
) -> None:
    runs: Counter[UUID] = Counter()
    await workers.start(jobs.registry(counting(jobs, runs)), poll_interval_seconds=NEVER)
    job_id = await jobs.one()
    await jobs.ended(job_id)
    await eventually(no_tickets(jobs))
    before = await jobs.view(job_id)

    await queue_backend.publish(None, [QueueMessage(jobs.kind.name, jobs.workspace_id, job_id, 1)])

    await eventually(no_tickets(jobs))
    assert runs == {job_id: 1}
    assert await jobs.view(job_id) == before


async def test_tickets_for_nothing_are_taken_off_the_queue(
    jobs: Jobs, workers: Workers, queue_backend: PostgresQueueBackend
) -> None:
    runs: Counter[UUID] = Counter()
    held = await jobs.one()
    await jobs.change("DELETE FROM leadflood_queue.tickets WHERE job_id = :id", id=held)
    unknown = [QueueMessage(jobs.kind.name, workspace, new_id(), 1) for workspace in (jobs.workspace_id, new_id())]
    await queue_backend.publish(None, [*unknown, QueueMessage(jobs.kind.name, jobs.workspace_id, held, 2)])

    await workers.start(jobs.registry(counting(jobs, runs)))

    await eventually(no_tickets(jobs))
    assert runs == {}
    assert (await jobs.view(held)).status == "queued"


async def test_a_ticket_whose_acknowledgement_was_lost_runs_its_job_once(jobs: Jobs, workers: Workers) -> None:
    runs: Counter[UUID] = Counter()
    delivered: Counter[UUID] = Counter()
    job_id = await jobs.one()
    await workers.start(
        jobs.registry(counting(jobs, runs)),
        wrap=lambda queue_backend: Forgetful(queue_backend, delivered),
        poll_interval_seconds=0.2,
    )

    async def delivered_twice() -> bool:
        return delivered[job_id] == 2

    await eventually(delivered_twice)
    await eventually(no_tickets(jobs))
    assert runs == {job_id: 1}


async def test_a_slow_worker_that_lives_keeps_its_job_beyond_the_lease(jobs: Jobs, workers: Workers) -> None:
    end = ("", 0)
    for lease in LEASES:
        if (end := await end_of_a_slow_worker(jobs, workers, lease)) == ("completed", 1):
            break
    assert end == ("completed", 1)


async def end_of_a_slow_worker(jobs: Jobs, workers: Workers, lease: float) -> tuple[str, int]:
    """State and attempts of a job that goes on for four leases, with another worker beside the one that has it."""
    gate = Gate()
    job_id = await jobs.one()
    running = [
        await workers.start(jobs.registry(gate), job_lease_seconds=lease, poll_interval_seconds=0.1) for _ in range(2)
    ]
    await soon(gate.entered.wait())

    async def renewed() -> bool:
        sql = (
            "SELECT status <> 'running' OR lease_expires_at > started_at + make_interval(secs => :long)"
            " FROM job_executions WHERE id = :id"
        )
        return await jobs.rows(sql, id=job_id, long=4 * lease) == [(True,)]

    await eventually(renewed)
    gate.opened.set()

    await jobs.ended(job_id)
    for item in running:
        await item.stop()
    job = await jobs.view(job_id)
    return job.status, job.attempts


async def test_the_job_of_a_worker_that_fell_silent_runs_elsewhere(jobs: Jobs, workers: Workers) -> None:
    job_id = await jobs.one()
    silent = await jobs.claim(job_id, lease=0.05)
    assert silent is not None

    await workers.start(jobs.registry(completes()), poll_interval_seconds=0.1)

    assert await jobs.ended(job_id) == {"completed": 1}
    job = await jobs.view(job_id)
    assert (job.attempts, job.failures[0].error) == (2, "The worker running attempt 1 stopped responding.")


async def test_a_job_that_is_cancelled_while_it_runs_is_stopped(jobs: Jobs, workers: Workers) -> None:
    gate = Gate()
    registry = jobs.registry(gate)
    job_id = await jobs.one()
    running = await workers.start(registry, job_lease_seconds=0.3)
    await soon(gate.entered.wait())

    cancelled = await jobs.cancel(registry, job_id)

    await soon(gate.cancelled.wait())
    other = await jobs.one()
    gate.opened.set()
    assert await jobs.ended(other) == {"completed": 1}, "and the worker goes on"
    assert await jobs.view(job_id) == cancelled
    await running.stop()


async def test_a_job_whose_ticket_was_lost_is_found_by_a_worker_with_nothing_else_to_do(
    jobs: Jobs, workers: Workers
) -> None:
    job_id = await jobs.one()
    await jobs.change("DELETE FROM leadflood_queue.tickets WHERE job_id = :id", id=job_id)
    await jobs.change("UPDATE job_executions SET next_attempt_at = now() - interval '1 h' WHERE id = :id", id=job_id)

    await workers.start(jobs.registry(completes()), poll_interval_seconds=0.1)

    assert await jobs.ended(job_id) == {"completed": 1}


async def test_jobs_that_stand_in_a_long_line_are_not_announced_again_and_again(jobs: Jobs, workers: Workers) -> None:
    gate = Gate()
    ids = await jobs.enqueue(3)
    await workers.start(jobs.registry(gate), worker_concurrency=1, poll_interval_seconds=0.05)
    await soon(gate.entered.wait())
    sql = "UPDATE job_executions SET next_attempt_at = now() - interval '1 h' WHERE kind = :k AND status = 'queued'"
    assert await jobs.change(sql, k=jobs.kind.name) == 2

    other = Jobs(jobs.database, jobs.workspace_id)
    for _ in range(3):
        lost = await other.claim(await other.one(), lease=0.01)
        assert lost is not None

        async def rescued(job_id: UUID = lost.id) -> bool:
            return (await other.view(job_id)).status == "queued"

        await eventually(rescued)

    assert [len(await jobs.events(job_id)) for job_id in ids] == [1, 1, 1]
    gate.opened.set()
    assert await jobs.ended(*ids) == {"completed": 3}


async def test_schedules_run_and_the_worker_is_seen(jobs: Jobs, workers: Workers) -> None:
    own = Jobs(jobs.database, SYSTEM_WORKSPACE_ID)
    running = await workers.start(own.registry(completes()), schedules=[Schedule(own.kind, 3600.0)])

    async def ran() -> bool:
        sql = "SELECT count(*) FROM job_executions WHERE kind = :k AND status = 'completed'"
        return await own.rows(sql, k=own.kind.name) == [(1,)]

    await eventually(ran)

    async def seen() -> bool:
        return bool(await jobs.rows("SELECT id FROM worker_processes WHERE id = :id", id=running.worker.id))

    await eventually(seen)
    async with jobs.database.transaction(SYSTEM_WORKSPACE_ID) as tx:
        assert (await queries.system_status(tx)).workers >= 1
    await running.stop()
    assert not await seen()
