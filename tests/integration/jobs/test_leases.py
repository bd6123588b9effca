"""Jobs of a worker that is slow, dead or stopped, or whose queue messages are lost."""

import asyncio
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from leadflood.domains.jobs import execution
from leadflood.domains.jobs.models import UNCOUNTED_LOSSES, RunningJob
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueMessage
from tests.conftest import DATABASE, Workspace
from tests.support.jobs import LEASE, Elsewhere, Jobs, completes, toy_kind
from tests.support.postgres import Cluster

# Others that queue for as long, of tests before this one, would come first: a sweep takes a limited number.
OVERDUE = """
UPDATE job_executions SET next_attempt_at = CASE WHEN id = :id THEN now() - interval '301 seconds' ELSE now() END
WHERE status = 'queued'
"""
LOSE_TICKET = "DELETE FROM leadflood_queue.tickets WHERE job_id = :id"

BREAK = """
CREATE FUNCTION leadflood.broken_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''broken''; END';
CREATE TRIGGER broken_row BEFORE UPDATE ON leadflood.job_executions FOR EACH ROW
WHEN (OLD.id = 'THE_JOB') EXECUTE FUNCTION leadflood.broken_row();
"""


@pytest.fixture
def registry(jobs: Jobs) -> JobRegistry:
    """Jobs that complete; one that is given up writes."""

    async def on_failed(tx: Transaction, job: RunningJob, _payload: object, error: str) -> None:
        await jobs.write(tx, job.id)

    return jobs.registry(completes(), on_failed=on_failed)


async def lose(jobs: Jobs, registry: JobRegistry, job_id: UUID, attempt: int) -> float:
    """The attempt's worker falls silent. Returns the seconds until the next attempt is due."""
    await jobs.started(job_id, attempt)
    await jobs.expire_lease(job_id)
    await execution.rescue(jobs.database, registry)
    sql = "SELECT extract(epoch FROM next_attempt_at - updated_at)::float8 FROM job_executions WHERE id = :id"
    ((wait,),) = await jobs.rows(sql, id=job_id)
    return float(wait)


async def test_a_lease_that_is_renewed_is_not_rescued(jobs: Jobs, registry: JobRegistry) -> None:
    job_id = await jobs.one()
    running = await jobs.started(job_id)
    await jobs.expire_lease(job_id)

    assert await execution.renew(jobs.database, [running], LEASE) == []
    await execution.rescue(jobs.database, registry)

    job = await jobs.view(job_id)
    assert (job.status, job.attempts) == ("running", 1)


async def test_renewing_names_only_the_attempts_that_were_lost(jobs: Jobs, registry: JobRegistry) -> None:
    kept, lost = await jobs.enqueue(2)
    ours = [await jobs.started(kept), await jobs.started(lost)]
    await jobs.expire_lease(lost)
    await execution.rescue(jobs.database, registry)
    await jobs.started(lost, 2)

    assert await execution.renew(jobs.database, ours, LEASE) == [ours[1]]


async def test_a_handler_in_a_long_transaction_does_not_keep_the_leases_of_others_from_being_renewed(
    jobs: Jobs,
) -> None:
    busy, other = [await jobs.started(job_id) for job_id in await jobs.enqueue(2)]
    await jobs.expire_lease(other.id)

    async with jobs.context(busy).transaction():
        assert await execution.renew(jobs.database, [busy, other], LEASE) == []

        sql = "SELECT lease_expires_at > now() FROM job_executions WHERE id = :id"
        assert await jobs.rows(sql, id=other.id) == [(True,)]


async def test_a_lease_that_ran_out_is_rescued(jobs: Jobs, registry: JobRegistry) -> None:
    job_id = await jobs.one()

    assert await lose(jobs, registry, job_id, 1) == 0

    job = await jobs.view(job_id)
    assert (job.status, job.attempts, job.last_error) == (
        "queued",
        1,
        "The worker running attempt 1 stopped responding.",
    )
    assert (await jobs.attempt(registry, job_id, 2)).status == "completed"


async def test_a_lease_that_runs_on_is_left_alone(jobs: Jobs, registry: JobRegistry) -> None:
    job_id = await jobs.one()
    await jobs.started(job_id)

    await execution.rescue(jobs.database, registry)

    assert (await jobs.view(job_id)).status == "running"


async def test_the_first_loss_is_repeated_at_once_and_later_ones_back_off(jobs: Jobs, registry: JobRegistry) -> None:
    job_id = await jobs.one()

    waits = [await lose(jobs, registry, job_id, attempt) for attempt in (1, 2)]

    assert waits[0] == 0
    assert 1 <= waits[1] <= 8


async def test_a_job_that_is_lost_twice_runs_alone_until_an_attempt_ends_in_order(
    jobs: Jobs, registry: JobRegistry
) -> None:
    job_id = await jobs.one()
    await lose(jobs, registry, job_id, 1)
    assert await jobs.tickets(job_id) == 2
    await lose(jobs, registry, job_id, 2)

    assert (await jobs.tickets(job_id), len(await jobs.events(job_id))) == (3, 3), "as for any other attempt"
    assert await jobs.claim(job_id, 3) is None
    assert await execution.locked(jobs.database, [QueueMessage(jobs.kind.name, jobs.workspace_id, job_id, 3)], []) == []
    alone = await jobs.alone(job_id)
    assert (alone.id, alone.attempt, alone.losses) == (job_id, 3, 2)
    assert await execution.end_attempt(jobs.database, registry, alone, "no")

    job = await jobs.view(job_id)
    assert (job.status, job.max_attempts - job.attempts) == ("queued", 2), "of three attempts, one failed"
    assert (await jobs.attempt(registry, job_id, 4)).status == "completed"


async def test_a_job_that_ends_the_process_in_which_it_is_alone_ends_as_failed(
    jobs: Jobs, registry: JobRegistry
) -> None:
    job_id = await jobs.one()
    for attempt in (1, 2):
        await lose(jobs, registry, job_id, attempt)

    for _ in range(3):
        alone = await jobs.alone(job_id)
        assert await execution.end_attempt(jobs.database, registry, alone, "Killed.", ended_process=True)

    job = await jobs.view(job_id)
    assert (job.status, job.attempts, job.last_error) == ("failed", 5, "Killed.")
    assert await jobs.written(job_id) == 1


async def test_a_job_that_kills_its_worker_each_time_even_alone_ends_as_failed(
    jobs: Jobs, registry: JobRegistry
) -> None:
    job_id = await jobs.one()
    for attempt in (1, 2):
        await lose(jobs, registry, job_id, attempt)

    losses = 2
    while (await jobs.view(job_id)).status == "queued":
        await jobs.alone(job_id)
        await jobs.expire_lease(job_id)
        await execution.rescue(jobs.database, registry)
        losses += 1

    job = await jobs.view(job_id)
    assert (job.status, losses) == ("failed", UNCOUNTED_LOSSES + 3)
    assert (job.attempts, len(job.failures)) == (losses, losses)
    assert await jobs.written(job_id) == 1


async def test_one_job_that_cannot_be_given_up_does_not_keep_the_others_from_rescue(jobs: Jobs) -> None:
    async def on_failed(tx: Transaction, job: RunningJob, _payload: object, error: str) -> None:
        raise KeyError("bug")

    once = Jobs(jobs.database, jobs.workspace_id, toy_kind(max_attempts=1))
    poison, other = await once.one(), await jobs.one()
    for kind, job_id in ((once, poison), (jobs, other)):
        await kind.started(job_id)
        await jobs.expire_lease(job_id)
    await jobs.change("UPDATE job_executions SET losses = :most WHERE id = :id", most=UNCOUNTED_LOSSES, id=poison)

    await execution.rescue(jobs.database, once.registry(completes(), on_failed=on_failed))

    assert (await jobs.view(poison)).status == "failed"
    assert (await jobs.view(other)).status == "queued"


async def test_an_attempt_that_a_stopping_worker_hands_back_is_not_used_up(jobs: Jobs, registry: JobRegistry) -> None:
    job_id = await jobs.one()
    for attempt in range(1, 6):
        assert await execution.release(jobs.database, await jobs.started(job_id, attempt))

    job = await jobs.view(job_id)
    assert (job.status, job.max_attempts - job.attempts) == ("queued", 3)
    assert job.last_error == "The worker that ran attempt 5 was stopped."
    assert (await jobs.attempt(registry, job_id, 6)).status == "completed"


@pytest.mark.parametrize("attempt", [0, 2, 7])
async def test_a_ticket_for_another_attempt_starts_nothing(jobs: Jobs, attempt: int) -> None:
    job_id = await jobs.one()

    assert await jobs.claim(job_id, attempt) is None

    job = await jobs.view(job_id)
    assert (job.status, job.attempts) == ("queued", 0)


async def test_a_ticket_for_a_job_that_does_not_exist_starts_nothing(jobs: Jobs) -> None:
    assert await jobs.claim(new_id()) is None


async def test_a_ticket_that_names_the_wrong_workspace_starts_nothing(jobs: Jobs) -> None:
    job_id = await jobs.one()
    ticket = QueueMessage(jobs.kind.name, new_id(), job_id, 1)

    assert await execution.claim(jobs.database, [ticket], new_id(), LEASE) == []


async def test_the_same_ticket_twice_starts_the_job_once(jobs: Jobs) -> None:
    job_id = await jobs.one()
    ticket = QueueMessage(jobs.kind.name, jobs.workspace_id, job_id, 1)

    assert len(await execution.claim(jobs.database, [ticket, ticket], new_id(), LEASE)) == 1
    assert await jobs.claim(job_id) is None


async def test_workers_that_claim_the_same_jobs_at_once_share_them_without_overlap(jobs: Jobs) -> None:
    ids = await jobs.enqueue(60)
    tickets = [QueueMessage(jobs.kind.name, jobs.workspace_id, job_id, 1) for job_id in ids]

    claims = await asyncio.gather(
        *(execution.claim(jobs.database, tickets[::order], new_id(), LEASE) for order in (1, -1, 1, -1))
    )

    claimed = [job.id for claim in claims for job in claim]
    assert sorted(claimed) == sorted(ids)


async def test_an_overdue_job_whose_ticket_is_lost_gets_another(jobs: Jobs, registry: JobRegistry) -> None:
    job_id = await jobs.one()
    await jobs.change(LOSE_TICKET, id=job_id)
    await jobs.change(OVERDUE, id=job_id)

    await execution.requeue_lost(jobs.database)

    assert await jobs.tickets(job_id) == 1
    assert len(await jobs.events(job_id)) == 2
    assert (await jobs.attempt(registry, job_id)).status == "completed"


async def test_a_job_that_is_not_long_overdue_gets_no_second_ticket(jobs: Jobs) -> None:
    job_id = await jobs.one()

    await execution.requeue_lost(jobs.database)

    assert len(await jobs.events(job_id)) == 1


async def test_an_overdue_job_that_still_has_its_ticket_does_not_get_two(jobs: Jobs) -> None:
    job_id = await jobs.one()
    await jobs.change(OVERDUE, id=job_id)

    await execution.requeue_lost(jobs.database)

    assert await jobs.tickets(job_id) == 1


async def test_an_overdue_job_whose_event_is_still_open_is_left_to_the_relay(
    elsewhere: Elsewhere, workspace: Workspace
) -> None:
    jobs = Jobs(elsewhere.database, workspace.id)
    job_id = await jobs.one()
    await jobs.change(OVERDUE, id=job_id)

    await execution.requeue_lost(elsewhere.database)

    (event,) = await jobs.events(job_id)
    assert event.status == "pending"


async def test_an_overdue_job_whose_event_was_dead_lettered_is_announced_anew(
    elsewhere: Elsewhere, workspace: Workspace
) -> None:
    jobs = Jobs(elsewhere.database, workspace.id)
    job_id = await jobs.one()
    await jobs.change(OVERDUE, id=job_id)
    await jobs.change("UPDATE outbox_events SET status = 'dead_letter' WHERE job_id = :id", id=job_id)

    await execution.requeue_lost(elsewhere.database)

    assert [event.status for event in await jobs.events(job_id)] == ["dead_letter", "pending"]


@pytest.mark.parametrize(
    "trace",
    ['"text"', "[1, 2]", "null", '{"traceparent": 5, "request_id": {"a": 1}}', "7", "[" * 1000 + "]" * 1000],
    ids=["text", "list", "null", "no text", "number", "too deep"],
)
async def test_a_damaged_trace_keeps_no_job_from_running_or_from_being_rescued(
    jobs: Jobs, registry: JobRegistry, trace: str
) -> None:
    job_id = await jobs.one()
    assert await jobs.change(
        "UPDATE job_executions SET trace = CAST(:trace AS jsonb) WHERE id = :id", trace=trace, id=job_id
    )

    assert await lose(jobs, registry, job_id, 1) == 0.0

    assert (await jobs.attempt(registry, job_id, 2)).status == "completed"


async def test_a_row_that_cannot_be_rescued_is_logged_and_the_others_are(
    jobs: Jobs, registry: JobRegistry, cluster: Cluster
) -> None:
    broken, healthy = await jobs.enqueue(2)
    for job_id in (broken, healthy):
        await jobs.started(job_id)
        await jobs.expire_lease(job_id)
    cluster.run(BREAK.replace("THE_JOB", str(broken)), DATABASE)
    try:
        with capture_logs() as logs:
            await execution.rescue(jobs.database, registry)
    finally:
        cluster.run("DROP FUNCTION leadflood.broken_row() CASCADE", DATABASE)

    assert [entry["job_id"] for entry in logs if entry["event"] == "job.rescue_failed"] == [str(broken)]
    assert (await jobs.attempt(registry, healthy, 2)).status == "completed"
    assert (await jobs.view(broken)).status == "running"
