"""The relay: from the outbox to a queue that lives elsewhere, whatever happens to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from leadflood.domains.jobs import relay, service
from leadflood.domains.jobs.contracts import OutboxEventView
from leadflood.domains.jobs.models import OutboxStatus
from leadflood.kernel.db.migrate import install_queue
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Connection, QueueMessage
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.conftest import Workspace
from tests.support.jobs import Elsewhere, Jobs, completes, raises
from tests.support.postgres import Cluster

SET_STATUS = "UPDATE outbox_events SET status = :status WHERE job_id = :id"
DUE = "UPDATE outbox_events SET next_attempt_at = now() WHERE job_id = :id"
LATER = "UPDATE outbox_events SET next_attempt_at = now() + interval '1 hour' WHERE job_id = :id"
WAIT = "SELECT extract(epoch FROM next_attempt_at - updated_at)::float8 FROM outbox_events WHERE job_id = :id"


@dataclass
class Queue:
    """A queue that remembers what was published, and can be away."""

    away: bool = False
    published: list[QueueMessage] = field(default_factory=list)
    channel: str = "nobody_listens"

    async def publish(self, connection: Connection | None, tickets: Sequence[QueueMessage]) -> None:
        if self.away:
            raise Unavailable("The queue is away.")
        self.published += tickets

    def attempts_of(self, job_id: UUID) -> list[int]:
        return [ticket.attempt for ticket in self.published if ticket.job_id == job_id]


@pytest.fixture
def jobs(elsewhere: Elsewhere, workspace: Workspace) -> Jobs:
    """Jobs whose queue lives in another database."""
    return Jobs(elsewhere.database, workspace.id)


async def relayed(jobs: Jobs, queue: Queue, job_id: UUID) -> OutboxEventView:
    await jobs.change(DUE, id=job_id)
    await relay.relay(jobs.database, queue)
    (event,) = await jobs.events(job_id)
    return event


async def test_a_pending_event_is_published_and_sent(jobs: Jobs) -> None:
    queue, job_id = Queue(), await jobs.one()

    event = await relayed(jobs, queue, job_id)

    assert (event.status, event.attempts, event.next_attempt_at) == ("sent", 0, None)
    assert event.processed_at is not None
    (ticket,) = [ticket for ticket in queue.published if ticket.job_id == job_id]
    assert (ticket.kind, ticket.workspace_id, ticket.attempt) == (jobs.kind.name, jobs.workspace_id, 1)


async def test_a_sent_event_is_not_published_again(jobs: Jobs) -> None:
    queue, job_id = Queue(), await jobs.one()

    for _ in range(2):
        await relayed(jobs, queue, job_id)

    assert queue.attempts_of(job_id) == [1]


async def test_an_event_that_is_not_due_waits(jobs: Jobs) -> None:
    queue, job_id = Queue(), await jobs.one()
    await jobs.change(LATER, id=job_id)

    await relay.relay(jobs.database, queue)

    assert queue.attempts_of(job_id) == []


async def test_a_batch_of_events_goes_out_together(jobs: Jobs) -> None:
    queue, ids = Queue(), await jobs.enqueue(relay.BATCH + 1)

    taken = [await relay.relay(jobs.database, queue) for _ in range(2)]

    assert taken[0] == relay.BATCH
    assert {ticket.job_id for ticket in queue.published} >= set(ids)


async def test_an_event_that_another_relay_holds_is_left_to_it(jobs: Jobs) -> None:
    queue, job_id = Queue(), await jobs.one()
    await jobs.change(LATER, id=job_id)
    await jobs.change(SET_STATUS, id=job_id, status="processing")

    await relay.relay(jobs.database, queue)

    assert queue.attempts_of(job_id) == []


async def test_an_event_whose_relay_died_is_taken_again(jobs: Jobs) -> None:
    queue, job_id = Queue(), await jobs.one()
    await jobs.change(SET_STATUS, id=job_id, status="processing")

    assert (await relayed(jobs, queue, job_id)).status == "sent"

    assert queue.attempts_of(job_id) == [1]


async def test_an_event_is_held_for_a_minute(jobs: Jobs) -> None:
    job_id = await jobs.one()

    class Looking(Queue):
        async def publish(self, connection: Connection | None, tickets: Sequence[QueueMessage]) -> None:
            ((self.wait,),) = await jobs.rows(WAIT, id=job_id)

    queue = Looking()
    await relayed(jobs, queue, job_id)

    assert queue.wait == 60


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE outbox_events SET payload = '{}' WHERE job_id = :id",
        'UPDATE outbox_events SET payload = payload || \'{"attempt": "one"}\' WHERE job_id = :id',
        "UPDATE outbox_events SET payload = 'null' WHERE job_id = :id",
        "UPDATE outbox_events SET kind = 'job.imagined' WHERE job_id = :id",
        "DELETE FROM job_executions WHERE id = :id",
        "UPDATE outbox_events SET attempts = 5 WHERE job_id = :id",
    ],
    ids=["no payload", "wrong type", "null", "unknown kind", "missing job", "five attempts"],
)
async def test_an_event_that_cannot_be_published_becomes_a_dead_letter(jobs: Jobs, change: str) -> None:
    queue, job_id, fine = Queue(), await jobs.one(), await jobs.one()
    await jobs.change(change, id=job_id)

    event = await relayed(jobs, queue, job_id)

    assert (event.status, event.next_attempt_at) == ("dead_letter", None)
    assert event.last_error
    assert event.processed_at is not None
    assert queue.attempts_of(job_id) == []
    assert queue.attempts_of(fine) == [1], "its neighbours in the batch are published all the same"


@pytest.mark.parametrize("status", ["running", "completed", "failed"])
async def test_an_event_whose_job_no_longer_waits_is_sent_without_publishing(jobs: Jobs, status: str) -> None:
    queue, job_id = Queue(), await jobs.one()
    registry = jobs.registry(completes())
    if status == "running":
        await jobs.started(job_id)
    elif status == "completed":
        await jobs.attempt(registry, job_id)
    else:
        await jobs.cancel(registry, job_id)

    assert (await relayed(jobs, queue, job_id)).status == "sent"

    assert queue.attempts_of(job_id) == []


async def test_a_failure_to_publish_is_counted_and_backs_off(jobs: Jobs) -> None:
    queue, job_id = Queue(away=True), await jobs.one()

    events, waits = [], []
    for _ in range(4):
        events.append(await relayed(jobs, queue, job_id))
        waits += [row[0] for row in await jobs.rows(WAIT, id=job_id)]

    assert [(event.status, event.attempts) for event in events] == [("failed", attempts) for attempts in (1, 2, 3, 4)]
    assert events[0].last_error == "The queue is away."
    for wait, longest in zip(waits, (5, 10, 20, 40), strict=True):
        assert 0.8 * longest <= wait <= longest


async def test_the_fifth_failure_makes_a_dead_letter(jobs: Jobs) -> None:
    queue, job_id = Queue(away=True), await jobs.one()

    events = [await relayed(jobs, queue, job_id) for _ in range(5)]

    event = events[-1]
    assert (event.status, event.attempts, event.last_error) == ("dead_letter", 5, "The queue is away.")


async def test_a_failed_event_is_sent_once_the_queue_is_back(jobs: Jobs) -> None:
    queue, job_id = Queue(away=True), await jobs.one()
    assert (await relayed(jobs, queue, job_id)).status == "failed"

    queue.away = False
    event = await relayed(jobs, queue, job_id)

    assert (event.status, event.attempts, event.last_error) == ("sent", 1, None)


async def test_a_dead_letter_that_is_replayed_is_sent(jobs: Jobs) -> None:
    queue, job_id = Queue(away=True), await jobs.one()
    events = [await relayed(jobs, queue, job_id) for _ in range(5)]

    async with jobs.database.transaction(jobs.workspace_id) as tx:
        replayed = await service.replay_event(tx, jobs.actor, event_id=events[-1].id)
    assert (replayed.status, replayed.attempts, replayed.last_error) == (OutboxStatus.PENDING, 0, None)

    queue.away = False
    assert (await relayed(jobs, queue, job_id)).status == "sent"
    assert queue.attempts_of(job_id) == [1]


async def test_a_replay_of_what_is_still_wrong_is_a_dead_letter_again(jobs: Jobs) -> None:
    queue, job_id = Queue(), await jobs.one()
    await jobs.change("UPDATE outbox_events SET payload = '{}' WHERE job_id = :id", id=job_id)
    event = await relayed(jobs, queue, job_id)
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        await service.replay_event(tx, jobs.actor, event_id=event.id)

    assert (await relayed(jobs, queue, job_id)).status == "dead_letter"


async def test_a_retry_of_a_job_is_announced_with_its_own_attempt_and_back_off(jobs: Jobs) -> None:
    queue, job_id = Queue(), await jobs.one()
    await relayed(jobs, queue, job_id)

    await jobs.attempt(jobs.registry(raises(RuntimeError("no"))), job_id)

    (_, event) = await jobs.events(job_id)
    job = await jobs.view(job_id)
    assert (event.status, event.next_attempt_at) == ("pending", job.next_attempt_at)
    await jobs.change(DUE, id=job_id)
    await relay.relay(jobs.database, queue)
    assert queue.attempts_of(job_id) == [1, 2]


async def test_an_event_survives_a_real_queue_that_goes_away_and_comes_back(jobs: Jobs, cluster: Cluster) -> None:
    name = f"queue_{new_id().hex}"
    queue_backend = PostgresQueueBackend(cluster.url(name, APP_ROLE), role=APP_ROLE)
    await queue_backend.open()
    job_id = await jobs.one()

    await relay.relay(jobs.database, queue_backend)
    assert [event.status for event in await jobs.events(job_id)] == ["failed"]

    cluster.create_database(name)
    await install_queue(cluster.url(name))
    await jobs.change(DUE, id=job_id)
    await relay.relay(jobs.database, queue_backend)
    assert [event.status for event in await jobs.events(job_id)] == ["sent"]
    assert [item.job_id for item in await queue_backend.receive([jobs.kind.name], 10)] == [job_id]

    cluster.drop_database(name)
    other = await jobs.one()
    await relay.relay(jobs.database, queue_backend)
    assert [event.status for event in await jobs.events(other)] == ["failed"]
    await queue_backend.close()
