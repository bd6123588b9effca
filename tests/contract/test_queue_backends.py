"""Requirements for every queue backend."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from leadflood.kernel.clock import monotonic
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Priority, QueueBackend, QueueMessage
from tests.support.memory_queue import MemoryCarrier
from tests.support.postgres import Cluster
from tests.support.queues import (
    BEAT,
    ENRICH,
    NEVER,
    REDELIVERY,
    emptied,
    opened,
    queue_cluster,
    soon,
    ticket,
)


@dataclass(frozen=True)
class Queue:
    """An empty queue: two carriers on it, and its clock to turn forward."""

    queue_backend: QueueBackend
    other: QueueBackend
    advance: Callable[[float], Awaitable[None]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with queue_cluster() as cluster:
        yield cluster


@pytest.fixture
async def admin(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    async with emptied(cluster) as connection:
        yield connection


@asynccontextmanager
async def queue_in_memory() -> AsyncIterator[Queue]:
    ahead = 0.0

    async def advance(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    queue_backend = MemoryCarrier(redelivery=REDELIVERY, clock=lambda: monotonic() + ahead)
    await queue_backend.open()
    yield Queue(queue_backend, queue_backend, advance)
    await queue_backend.close()


@asynccontextmanager
async def queue_in_postgresql(cluster: Cluster, admin: asyncpg.Connection) -> AsyncIterator[Queue]:
    async def advance(seconds: float) -> None:
        await admin.execute(
            "UPDATE leadflood_queue.tickets SET visible_at = visible_at - make_interval(secs => $1), "
            "due_at = due_at - make_interval(secs => $1)",
            seconds,
        )

    async with opened(cluster) as queue_backend, opened(cluster) as other:
        yield Queue(queue_backend, other, advance)


@pytest.fixture(params=["memory", "postgresql"])
async def queue(request: pytest.FixtureRequest, cluster: Cluster, admin: asyncpg.Connection) -> AsyncIterator[Queue]:
    made = queue_in_memory() if request.param == "memory" else queue_in_postgresql(cluster, admin)
    async with made as queue:
        yield queue


async def drain(queue_backend: QueueBackend, kinds: Sequence[str] = (ENRICH,), limit: int = 100) -> list[QueueMessage]:
    drained: list[QueueMessage] = []
    while received := await queue_backend.receive(kinds, limit):
        drained.extend(received)
    return drained


def of(workspace_id: UUID, tickets: Sequence[QueueMessage]) -> list[QueueMessage]:
    """Those of one workspace."""
    return [item for item in tickets if item.workspace_id == workspace_id]


async def test_a_ticket_is_delivered_as_it_was_published(queue: Queue) -> None:
    kind = "🦆 \\u0000 \"';DROP 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \r\n مرحبا"
    sent = QueueMessage(kind, new_id(), new_id(), 3, Priority.BULK)

    await queue.queue_backend.publish(None, [sent])

    assert await queue.queue_backend.receive([kind], 10) == [sent]


async def test_tickets_come_in_the_order_of_publishing_and_not_more_than_asked_for(queue: Queue) -> None:
    sent = [ticket() for _ in range(7)]
    await queue.queue_backend.publish(None, sent[:4])
    await queue.other.publish(None, sent[4:])

    assert await queue.queue_backend.receive([ENRICH], 5) == sent[:5]
    assert await queue.queue_backend.receive([ENRICH], 5) == sent[5:]


async def test_every_workspace_gets_its_share_of_a_batch_and_the_rest_goes_to_those_with_more(queue: Queue) -> None:
    large, medium, single = new_id(), new_id(), new_id()
    many = [ticket(workspace_id=large) for _ in range(100)]
    some = [ticket(workspace_id=medium) for _ in range(20)]
    one = ticket(workspace_id=single)
    await queue.queue_backend.publish(None, many)
    await queue.queue_backend.publish(None, [*some, one])

    received = await queue.queue_backend.receive([ENRICH], 60)

    assert len(received) == 60
    assert of(large, received) == many[:39]
    assert of(medium, received) == some
    assert of(single, received) == [one]


async def test_workspaces_take_turns_where_there_are_more_of_them_than_room(queue: Queue) -> None:
    sent = {
        workspace_id: [ticket(workspace_id=workspace_id) for _ in range(4)]
        for workspace_id in [new_id() for _ in range(5)]
    }
    for tickets in sent.values():
        await queue.queue_backend.publish(None, tickets)

    for turn in range(4):
        received = [(await queue.queue_backend.receive([ENRICH], 1))[0] for _ in sent]
        assert sorted(item.workspace_id for item in received) == sorted(sent)
        assert all(item == sent[item.workspace_id][turn] for item in received)
    assert await queue.queue_backend.receive([ENRICH], 1) == []


async def test_a_bulk_ticket_is_delivered_after_the_normal_ones_of_all_workspaces(queue: Queue) -> None:
    busy, other = new_id(), new_id()
    bulk = [ticket(workspace_id=busy, priority=Priority.BULK) for _ in range(50)]
    await queue.queue_backend.publish(None, bulk)
    await queue.queue_backend.receive([ENRICH], 5)
    late = [ticket(workspace_id=busy), ticket(workspace_id=other)]
    await queue.queue_backend.publish(None, late)

    assert {(await queue.queue_backend.receive([ENRICH], 1))[0] for _ in late} == set(late)
    assert await queue.queue_backend.receive([ENRICH], 100) == bulk[5:]


async def test_bulk_tickets_of_one_workspace_are_not_starved_by_normal_ones_of_another(queue: Queue) -> None:
    busy, other = new_id(), new_id()
    await queue.queue_backend.publish(None, [ticket(workspace_id=busy) for _ in range(50)])
    bulk = [ticket(workspace_id=other, priority=Priority.BULK) for _ in range(50)]
    await queue.queue_backend.publish(None, bulk)

    assert of(other, await queue.queue_backend.receive([ENRICH], 20)) == bulk[:10]


async def test_a_consumer_gets_only_the_kinds_it_asks_for(queue: Queue) -> None:
    lead, beat = ticket(ENRICH), ticket(BEAT)
    await queue.queue_backend.publish(None, [lead, beat])

    assert await queue.queue_backend.receive(["leads.enrich.v2"], 10) == []
    others = [ticket(ENRICH, workspace_id=new_id()) for _ in range(3)]
    await queue.queue_backend.publish(None, others)
    assert await queue.queue_backend.receive([BEAT], 1) == [beat], "tickets that it cannot take do not use up its room"
    assert set(await queue.queue_backend.receive([BEAT, ENRICH], 10)) == {lead, *others}


async def test_a_thousand_tickets_are_published_at_once(queue: Queue) -> None:
    sent = [ticket() for _ in range(1000)]

    await queue.queue_backend.publish(None, sent)

    assert await drain(queue.queue_backend) == sent


async def test_publishing_nothing_is_nothing(queue: Queue) -> None:
    await queue.queue_backend.publish(None, [])

    assert await queue.queue_backend.receive([ENRICH], 10) == []


async def test_the_same_attempt_is_queued_once_until_it_is_acknowledged(queue: Queue) -> None:
    first = ticket()
    second = QueueMessage(ENRICH, first.workspace_id, first.job_id, attempt=2)
    await queue.queue_backend.publish(None, [first, first])
    await queue.other.publish(None, [first, second])

    received = await queue.queue_backend.receive([ENRICH], 10)
    await queue.queue_backend.publish(None, [first])

    assert received == [first, second]
    assert await queue.queue_backend.receive([ENRICH], 10) == []

    await queue.queue_backend.acknowledge(received)
    await queue.queue_backend.publish(None, [first])

    assert await queue.queue_backend.receive([ENRICH], 10) == [first]


async def test_a_deferred_ticket_is_not_delivered_before_its_time(queue: Queue) -> None:
    later, now = ticket(delay=600), ticket()
    await queue.queue_backend.publish(None, [later, now])

    received = await queue.queue_backend.receive([ENRICH], 10)
    await queue.queue_backend.acknowledge(received)
    assert received == [now]

    await queue.advance(601)

    assert [item.job_id for item in await queue.queue_backend.receive([ENRICH], 10)] == [later.job_id]


async def test_a_ticket_that_was_not_acknowledged_is_delivered_again(queue: Queue) -> None:
    lost, done = ticket(), ticket()
    await queue.queue_backend.publish(None, [lost, done])
    await queue.queue_backend.receive([ENRICH], 10)
    await queue.queue_backend.acknowledge([done])

    assert await queue.other.receive([ENRICH], 10) == []

    await queue.advance(REDELIVERY + 1)

    assert await queue.other.receive([ENRICH], 10) == [lost]
    assert await queue.queue_backend.receive([ENRICH], 10) == []


async def test_acknowledging_twice_or_what_is_unknown_does_no_harm(queue: Queue) -> None:
    sent = [ticket(), ticket()]
    await queue.queue_backend.publish(None, sent)
    received = await queue.queue_backend.receive([ENRICH], 1)

    await queue.queue_backend.acknowledge(received)
    await queue.queue_backend.acknowledge(received)
    await queue.other.acknowledge([ticket()])
    await queue.queue_backend.acknowledge([])
    await queue.advance(REDELIVERY + 1)

    assert await queue.queue_backend.receive([ENRICH], 10) == sent[1:]


async def test_two_consumers_never_share_a_ticket(queue: Queue) -> None:
    sent = [ticket() for _ in range(300)]
    await queue.queue_backend.publish(None, sent)

    taken = await asyncio.gather(drain(queue.queue_backend, limit=7), drain(queue.other, limit=7))

    jobs = [item.job_id for deliveries in taken for item in deliveries]
    assert sorted(jobs) == sorted(item.job_id for item in sent)


async def test_a_publish_wakes_a_waiting_consumer(queue: Queue) -> None:
    assert await queue.queue_backend.receive([ENRICH], 10) == []
    sent = ticket()

    async with soon(), asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.queue_backend.wait([ENRICH], NEVER))
        await queue.other.publish(None, [sent])

    assert await queue.queue_backend.receive([ENRICH], 10) == [sent]


async def test_what_was_published_before_the_wait_is_not_slept_through(queue: Queue) -> None:
    await queue.queue_backend.wait([ENRICH], 0.001)
    assert await queue.queue_backend.receive([ENRICH], 10) == []
    await queue.other.publish(None, [ticket()])

    async with soon():
        await queue.queue_backend.wait([ENRICH], NEVER)


async def test_a_waiting_consumer_wakes_when_a_deferred_ticket_falls_due(queue: Queue) -> None:
    await queue.queue_backend.publish(None, [ticket(delay=NEVER), ticket(BEAT, delay=0.01), ticket(delay=0.2)])
    received: Sequence[QueueMessage] = []

    async with soon():
        while not received:
            received = await queue.queue_backend.receive([ENRICH], 10)
            await queue.queue_backend.wait([ENRICH], 0.001 if received else NEVER)

    assert len(received) == 1


async def test_waiting_ends_with_its_timeout(queue: Queue) -> None:
    await queue.queue_backend.publish(None, [ticket(delay=NEVER)])
    await queue.queue_backend.receive([ENRICH], 10)

    async with soon():
        await queue.queue_backend.wait([ENRICH], 0.01)

    assert await queue.queue_backend.receive([ENRICH], 10) == []


async def test_depth_tells_what_waits_and_for_how_long(queue: Queue) -> None:
    assert await queue.queue_backend.depth() == {}
    await queue.queue_backend.publish(None, [ticket(), ticket(), ticket(delay=600), ticket(BEAT, delay=600)])
    await queue.queue_backend.receive([ENRICH], 1)
    await queue.advance(60)

    depth = await queue.queue_backend.depth()

    assert (depth[ENRICH].waiting, depth[ENRICH].deferred) == (2, 1)
    assert 60 <= depth[ENRICH].oldest_age < 600
    assert (depth[BEAT].waiting, depth[BEAT].deferred, depth[BEAT].oldest_age) == (0, 1, 0)


async def test_a_queue_that_works_passes_its_check(queue: Queue) -> None:
    await queue.queue_backend.check()
