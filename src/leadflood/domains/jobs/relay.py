"""The relay: publishes jobs after their transaction where the queue is separate, and queues the jobs of subscribers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from leadflood.domains.jobs import service
from leadflood.domains.jobs.deliveries import EventRef, UnreadableEvents, decoded
from leadflood.domains.jobs.models import (
    OUTBOX_MAX_ATTEMPTS,
    STALE_PROCESSING_SECONDS,
    JobStatus,
    NewJob,
    OutboxStatus,
    cause_of,
    outbox_backoff,
)
from leadflood.kernel.actor import Actor
from leadflood.kernel.crypto import random_unit
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.events import Subscribers, Subscription
from leadflood.kernel.queue.ports import Priority, Publisher, QueueMessage
from leadflood.kernel.schema import Schema

BATCH = 500

# `next_attempt_at` is the time at which a row is due in every open state: when it was written, when its back-off ends,
# or, while processing, when the relay that claimed it must be presumed dead.
TAKE = sql("""
WITH due AS (
    SELECT workspace_id, id FROM outbox_events
    WHERE status IN ('pending', 'processing', 'failed') AND next_attempt_at <= now()
    ORDER BY next_attempt_at
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox_events e
SET status = 'processing', updated_at = now(), next_attempt_at = now() + make_interval(secs => :stale)
FROM due
WHERE e.workspace_id = due.workspace_id AND e.id = due.id
RETURNING e.workspace_id, e.id, e.kind, e.job_id, e.attempts, e.subject_ids, e.payload::text AS payload,
          (SELECT j.status FROM job_executions j
           WHERE j.workspace_id = e.workspace_id AND j.id = e.job_id) AS job_status,
          (SELECT j.priority FROM job_executions j
           WHERE j.workspace_id = e.workspace_id AND j.id = e.job_id) AS priority
""")

# By key alone, for the same reason as in `store.CLAIM`.
SETTLE = sql("""
WITH held AS (
    SELECT e.workspace_id, e.id, e.status AS found, n.status, n.attempts, n.error, n.cause, n.delay
    FROM unnest(:workspace_ids::uuid[], :ids::uuid[], :statuses::text[], :attempts::integer[], :errors::text[],
                :causes::text[], :delays::float8[])
         AS n (workspace_id, id, status, attempts, error, cause, delay)
    JOIN outbox_events e USING (workspace_id, id)
    FOR UPDATE OF e
)
UPDATE outbox_events e
SET status = held.status, attempts = held.attempts, last_error = held.error, cause = held.cause,
    updated_at = now(),
    next_attempt_at = now() + make_interval(secs => held.delay),
    processed_at = CASE WHEN held.status IN ('sent', 'dead_letter') THEN now() END
FROM held
WHERE e.workspace_id = held.workspace_id AND e.id = held.id AND held.found = 'processing'
""")


# Those of the events that this relay still has, locked.
HOLD = sql("""
SELECT id FROM outbox_events
WHERE workspace_id = :workspace_id AND id = ANY(:ids) AND status = 'processing'
ORDER BY id
FOR UPDATE
""")


class JobQueuedPayload(Schema):
    """The payload of a `job.queued` event."""

    job_kind: str
    attempt: int
    trace: dict[str, str]


@dataclass(frozen=True, slots=True)
class PublishOutcome:
    """Outcome of publishing an event."""

    workspace_id: UUID
    id: UUID
    status: OutboxStatus
    attempts: int
    error: str | None = None
    delay: float = 0.0


async def relay(database: Database, publisher: Publisher) -> int:
    """Publish one batch of due events. Returns how many it claimed: fewer than `BATCH` if none is left."""
    async with database.system() as tx:
        rows = await tx.all(TAKE, {"limit": BATCH, "stale": STALE_PROCESSING_SECONDS})
    if not rows:
        return 0
    outcomes: list[PublishOutcome] = []
    ready: list[tuple[Row, QueueMessage]] = []
    happened: list[tuple[Row, Sequence[Subscription[Any]]]] = []
    for row in rows:
        decided = _decide(row) if row.subject_ids is None else _hearing(row, database.subscribers)
        if isinstance(decided, PublishOutcome):
            outcomes.append(decided)
        elif isinstance(decided, QueueMessage):
            ready.append((row, decided))
        else:
            happened.append((row, decided))
    outcomes += await _publish(publisher, ready)
    outcomes += await _enqueue(database, happened)
    async with database.system() as tx:
        await _settle(tx, outcomes)
        tx.mark(*(outcome.workspace_id for outcome in outcomes))
    return len(rows)


def _decide(row: Row) -> PublishOutcome | QueueMessage:
    """Publish, or end the event without publishing: an invalid payload, a missing job, or one that no longer waits."""
    if row.kind != "job.queued":
        return _dead(row, f"There is no event of kind {row.kind!r}.")
    try:
        payload = JobQueuedPayload.model_validate_json(row.payload)
    except ValidationError as error:
        return _dead(row, f"The payload is not valid: {error.error_count()} faults.")
    if row.job_status is None:
        return _dead(row, "The job is missing.")
    if row.job_status != JobStatus.QUEUED:
        return PublishOutcome(row.workspace_id, row.id, OutboxStatus.SENT, row.attempts)
    if row.attempts >= OUTBOX_MAX_ATTEMPTS:
        return _dead(row, f"Not published in {row.attempts} attempts.")
    return QueueMessage(payload.job_kind, row.workspace_id, row.job_id, payload.attempt, Priority(row.priority))


def _hearing(row: Row, subscribers: Subscribers) -> PublishOutcome | Sequence[Subscription[Any]]:
    """The subscriptions that receive a domain event through a job, or the outcome if it has none."""
    event_type = subscribers.types.get(row.kind)
    if event_type is None:
        return _dead(row, f"There is no event of kind {row.kind!r}.")
    try:
        decoded(event_type, row.workspace_id, row.subject_ids, row.payload)
    except UnreadableEvents as error:
        return _dead(row, str(error))
    if row.attempts >= OUTBOX_MAX_ATTEMPTS:
        return _dead(row, f"Not published in {row.attempts} attempts.")
    return subscribers.running(row.kind)


async def _enqueue(
    database: Database, happened: Sequence[tuple[Row, Sequence[Subscription[Any]]]]
) -> list[PublishOutcome]:
    """Queue the jobs of subscribers; they commit together with `sent`. Returns the outcome of the other events."""
    failed: list[PublishOutcome] = []
    by_workspace = sorted(happened, key=lambda item: item[0].workspace_id)
    for workspace_id, group in groupby(by_workspace, key=lambda item: item[0].workspace_id):
        heard = list(group)
        try:
            await _enqueue_in(database, workspace_id, heard)
        except Unavailable as error:
            failed += [_again(row, error.detail) for row, _ in heard]
    return failed


async def _enqueue_in(
    database: Database, workspace_id: UUID, heard: Sequence[tuple[Row, Sequence[Subscription[Any]]]]
) -> None:
    async with database.transaction(workspace_id) as tx:
        sought = {"workspace_id": workspace_id, "ids": [row.id for row, _ in heard]}
        held = {item.id for item in await tx.all(HOLD, sought)}
        ours = [(row, subscriptions) for row, subscriptions in heard if row.id in held]
        jobs = [
            NewJob(
                subscription.job, EventRef(event_id=row.id), row.subject_ids[0] if len(row.subject_ids) == 1 else None
            )
            for row, subscriptions in ours
            for subscription in subscriptions
        ]
        if jobs:
            await service.enqueue(tx, Actor.system(workspace_id), jobs=jobs)
        await _settle(tx, [PublishOutcome(workspace_id, row.id, OutboxStatus.SENT, row.attempts) for row, _ in ours])


async def _publish(publisher: Publisher, ready: Sequence[tuple[Row, QueueMessage]]) -> list[PublishOutcome]:
    if not ready:
        return []
    try:
        await publisher.publish(None, [ticket for _, ticket in ready])
    except Unavailable as error:
        return [_again(row, error.detail) for row, _ in ready]
    return [PublishOutcome(row.workspace_id, row.id, OutboxStatus.SENT, row.attempts) for row, _ in ready]


def _dead(row: Row, error: str) -> PublishOutcome:
    return PublishOutcome(row.workspace_id, row.id, OutboxStatus.DEAD_LETTER, row.attempts, error)


def _again(row: Row, error: str) -> PublishOutcome:
    attempts = row.attempts + 1
    if attempts >= OUTBOX_MAX_ATTEMPTS:
        return PublishOutcome(row.workspace_id, row.id, OutboxStatus.DEAD_LETTER, attempts, error)
    return PublishOutcome(
        row.workspace_id, row.id, OutboxStatus.FAILED, attempts, error, outbox_backoff(attempts, random_unit)
    )


async def _settle(tx: Transaction, outcomes: Sequence[PublishOutcome]) -> None:
    await tx.execute(
        SETTLE,
        {
            "workspace_ids": [outcome.workspace_id for outcome in outcomes],
            "ids": [outcome.id for outcome in outcomes],
            "statuses": [outcome.status.value for outcome in outcomes],
            "attempts": [outcome.attempts for outcome in outcomes],
            "errors": [outcome.error for outcome in outcomes],
            "causes": [cause_of(outcome.error) if outcome.error is not None else "" for outcome in outcomes],
            "delays": [outcome.delay for outcome in outcomes],
        },
    )
