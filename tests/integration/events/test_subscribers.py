"""Delivery of events: in the same transaction, by a job for many, and by a job of the subscriber."""

from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.jobs import relay
from leadflood.domains.jobs.deliveries import EventRef
from leadflood.domains.jobs.events import DELIVER_EVENTS
from leadflood.domains.jobs.feed import stored_events
from leadflood.domains.jobs.models import MAX_SUBJECTS, JobKind
from leadflood.domains.jobs.registry import JobContext, JobDefinition, JobRegistry
from leadflood.kernel.db.database import Database
from leadflood.kernel.events import Subscribers, Subscription
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.integration.events.toys import TOY, Heard, Toybox, ToyData
from tests.support.jobs import Jobs

NUMBERS = range(MAX_SUBJECTS + 1)
WOUND = JobKind("toy.wound.heard.v1", EventRef)


def hearing(toys: Toybox, queue_backend: PostgresQueueBackend, *subscriptions: Subscription[ToyData]) -> Toybox:
    """The same toys, with these subscribers."""
    return Toybox(Database(toys.database.pool, queue_backend, Subscribers([TOY], subscriptions)), toys.workspace_id)


async def statuses(toys: Toybox) -> list[tuple[str, int]]:
    jobs = Jobs(toys.database, toys.workspace_id)
    rows = await jobs.rows(
        "SELECT status, cardinality(subject_ids) FROM outbox_events"
        " WHERE workspace_id = :id AND subject_kind = 'toy' ORDER BY id",
        id=toys.workspace_id,
    )
    return [(row.status, row.cardinality) for row in rows]


async def relayed(toys: Toybox, queue_backend: PostgresQueueBackend) -> None:
    jobs = Jobs(toys.database, toys.workspace_id)
    await jobs.change("UPDATE outbox_events SET next_attempt_at = now() WHERE workspace_id = :id", id=toys.workspace_id)
    await relay.relay(toys.database, queue_backend)


async def jobs_of(toys: Toybox, kind: JobKind[Any]) -> list[UUID]:
    rows = await Jobs(toys.database, toys.workspace_id).rows(
        "SELECT id FROM job_executions WHERE workspace_id = :id AND kind = :kind ORDER BY id",
        id=toys.workspace_id,
        kind=kind.name,
    )
    return [row.id for row in rows]


async def test_an_event_that_nobody_subscribes_to_is_sent_when_it_commits(toys: Toybox) -> None:
    await toys.publish(1, 2)

    assert await statuses(toys) == [("sent", 2)]


async def test_a_listener_hears_of_all_events_in_one_call_and_its_failure_undoes_them(
    toys: Toybox, queue_backend: PostgresQueueBackend
) -> None:
    heard = Heard()
    listening = hearing(toys, queue_backend, Subscription("toy.heard", TOY, heard))
    subjects = await listening.publish(1, 2, 3)
    heard.fails = True

    with pytest.raises(ZeroDivisionError):
        await listening.publish(4)

    assert heard.calls == [subjects]
    assert await statuses(toys) == [("sent", 3)]


async def test_of_more_events_than_a_transaction_may_hold_up_jobs_tell_the_listener(
    toys: Toybox, queue_backend: PostgresQueueBackend, registry: JobRegistry
) -> None:
    heard = Heard()
    listening = hearing(toys, queue_backend, Subscription("toy.heard", TOY, heard))
    subjects = await listening.publish(*NUMBERS)
    assert heard.calls == []

    for job_id in await jobs_of(listening, DELIVER_EVENTS):
        view = await Jobs(listening.database, toys.workspace_id, DELIVER_EVENTS).attempt(registry, job_id)
        assert view.status == "completed"

    assert heard.calls == [subjects[:MAX_SUBJECTS], subjects[MAX_SUBJECTS:]]


async def test_a_job_of_the_subscriber_is_queued_once_and_given_the_events(
    toys: Toybox, queue_backend: PostgresQueueBackend
) -> None:
    given: list[tuple[UUID, int]] = []

    async def handler(context: JobContext[EventRef]) -> None:
        async with context.transaction() as tx:
            events = await stored_events(tx, context.actor, TOY, context.payload)
            given.extend((event.subject_id, event.data.number) for event in events)

    subscribed = hearing(toys, queue_backend, Subscription("toy.job", TOY, job=WOUND))
    subjects = await subscribed.publish(1, 2)
    assert await statuses(toys) == [("pending", 2)]

    for _ in range(2):
        await relayed(subscribed, queue_backend)
    (job_id,) = await jobs_of(subscribed, WOUND)
    registry = JobRegistry([JobDefinition(WOUND, handler)])
    await Jobs(subscribed.database, toys.workspace_id, WOUND).attempt(registry, job_id)

    assert await statuses(toys) == [("sent", 2)]
    assert given == list(zip(subjects, (1, 2), strict=True))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE outbox_events SET payload = '{}' WHERE workspace_id = :id", "The payload is not valid"),
        (
            'UPDATE outbox_events SET payload = \'{"entries": [{"data": {"number": ""}}]}\' WHERE workspace_id = :id',
            "The data does not fit",
        ),
        ("UPDATE outbox_events SET kind = 'toy.imagined.v1' WHERE workspace_id = :id", "There is no event of kind"),
        ("UPDATE outbox_events SET attempts = 5 WHERE workspace_id = :id", "Not published in 5 attempts"),
    ],
    ids=["payload", "data", "kind", "attempts"],
)
async def test_an_event_that_cannot_be_delivered_is_dead_lettered(
    toys: Toybox, queue_backend: PostgresQueueBackend, damage: str, told: str
) -> None:
    subscribed = hearing(toys, queue_backend, Subscription("toy.job", TOY, job=WOUND))
    await subscribed.publish(1)
    jobs = Jobs(toys.database, toys.workspace_id)
    await jobs.change(damage, id=toys.workspace_id)

    await relayed(subscribed, queue_backend)

    (row,) = await jobs.rows(
        "SELECT status, last_error FROM outbox_events WHERE workspace_id = :id", id=toys.workspace_id
    )
    assert row.status == "dead_letter"
    assert told in row.last_error
    assert await jobs_of(subscribed, WOUND) == []
