"""Verbs on jobs: enqueue, retry, cancel, replay."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.jobs import queries, store
from leadflood.domains.jobs.contracts import JobView, OutboxEventView
from leadflood.domains.jobs.errors import EventNotDead, JobNotCancellable, JobNotFound, JobNotRetryable
from leadflood.domains.jobs.models import JobStatus, NewJob, OutboxStatus
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Transaction
from leadflood.kernel.ids import new_id


async def enqueue(tx: Transaction, actor: Actor, *, jobs: Sequence[NewJob]) -> list[UUID]:
    """Put jobs on the queue as part of this transaction. Returns their ids, in order."""
    ids = [new_id() for _ in jobs]
    rows = [
        {
            "id": job_id,
            "kind": job.kind.name,
            "subject_id": job.subject_id,
            "payload": dict(job.payload),
            "trace": dict(job.trace),
            "max_attempts": job.kind.max_attempts,
        }
        for job_id, job in zip(ids, jobs, strict=True)
    ]
    await store.insert_jobs(tx, actor.workspace_id, rows)
    queued = [
        store.QueuedJob(actor.workspace_id, job_id, job.kind.name, 1, 0.0, dict(job.trace))
        for job_id, job in zip(ids, jobs, strict=True)
    ]
    await announce(tx, queued)
    return ids


async def announce(tx: Transaction, jobs: Sequence[store.QueuedJob]) -> None:
    """Write the outbox events of queued jobs, and put the jobs on the queue where it lives in this database.

    There the event is `sent` at commit; elsewhere it is `pending` and the relay is told once it is on disk.
    """
    event_ids = [new_id() for _ in jobs]
    if tx.carries_queue:
        await store.insert_events(tx, jobs, event_ids, OutboxStatus.SENT)
        await tx.publish([job.ticket for job in jobs])
    else:
        await store.insert_events(tx, jobs, event_ids, OutboxStatus.PENDING)
        tx.wake_relay()


async def retry_job(tx: Transaction, actor: Actor, registry: JobRegistry, *, job_id: UUID) -> JobView:
    """Bring a failed job back with a fresh set of attempts.

    Raises: JobNotFound, JobNotRetryable.
    """
    job = await queries.get_job(tx, actor, job_id=job_id)
    definition = registry.find(job.kind)
    if definition is None:
        message = f"This version does not know the job kind {job.kind!r}, so it cannot run it again."
        raise JobNotRetryable(message)
    queued = await store.retry(tx, actor.workspace_id, job_id, definition.kind.max_attempts)
    if queued is None:
        message = f"Only a failed job can be retried; this one is {job.status}."
        raise JobNotRetryable(message)
    await announce(tx, [queued])
    return await queries.get_job(tx, actor, job_id=job_id)


async def cancel_job(tx: Transaction, actor: Actor, registry: JobRegistry, *, job_id: UUID) -> JobView:
    """End a queued or running job as `failed`. What a running attempt still answers changes nothing.

    Raises: JobNotFound, JobNotCancellable.
    """
    locked = await store.lock(tx, actor.workspace_id, job_id)
    if locked is None:
        raise JobNotFound
    job, status = locked
    if status not in (JobStatus.QUEUED, JobStatus.RUNNING):
        message = f"Only a queued or running job can be cancelled; this one is {status}."
        raise JobNotCancellable(message)
    error = f"Cancelled by {actor.kind} {actor.id}." if actor.id else f"Cancelled by {actor.kind}."
    await store.fail(tx, job.key, expected=status, error=error)
    definition = registry.find(job.kind)
    if definition is not None:
        await definition.on_failed(tx, job, error)
    return await queries.get_job(tx, actor, job_id=job_id)


async def replay_event(tx: Transaction, actor: Actor, *, event_id: UUID) -> OutboxEventView:
    """Give a dead-lettered event to the relay again.

    Raises: EventNotFound, EventNotDead.
    """
    event = await queries.get_event(tx, actor, event_id=event_id)
    if not await store.replay(tx, actor.workspace_id, event_id):
        message = f"Only a dead-lettered event can be replayed; this one is {event.status}."
        raise EventNotDead(message)
    tx.wake_relay()
    return await queries.get_event(tx, actor, event_id=event_id)
