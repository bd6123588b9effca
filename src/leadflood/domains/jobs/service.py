"""Verbs on jobs: enqueue, retry, cancel, replay; one, many, or all with the same cause."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import queries, store
from leadflood.domains.jobs.contracts import (
    BulkOutcome,
    JobView,
    OutboxEventView,
    Refusal,
    ReplayCause,
    ReplayEvents,
    RetryCause,
    RetryJobs,
)
from leadflood.domains.jobs.errors import (
    EventNotDeadLettered,
    EventNotFound,
    JobNotCancellable,
    JobNotFound,
    JobNotRetryable,
)
from leadflood.domains.jobs.events import (
    JOB,
    OUTBOX_EVENT,
    REPLAY_CAUSE,
    RETRY_CAUSE,
    CausePayload,
    JobAuditAction,
    ReplayCausePayload,
    RetryCausePayload,
)
from leadflood.domains.jobs.models import MAX_IDS, MAX_PER_REQUEST, JobStatus, NewJob, OutboxStatus, RunningJob
from leadflood.domains.jobs.permissions import JOBS_WRITE, OUTBOX_WRITE
from leadflood.domains.jobs.queries import DEAD_EVENTS, FAILED_JOBS, FailureGroup
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.jobs.store import on_hold, publishing, unique, waiting, withdrawing
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.errors import IntegrityError, LockConflict
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError, expect_changed
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueMessage

_TRIES = 5


async def enqueue(tx: Transaction, actor: Actor, *, jobs: Sequence[NewJob[Any]]) -> list[UUID]:
    """Queue jobs as part of this transaction. Returns their IDs, in order.

    For a `unique` kind whose subject already has a queued job, that job's ID is returned. If it is running, it runs
    again once it has ended, so that the changes of this transaction are not missed. Either waits for that job's lock:
    enqueue before locking the job's subject, as a job that ends locks itself first.

    Raises: leadflood.kernel.db.errors.LockConflict: others asked for the same job again and again.
    """
    if any(job.kind.unique for job in jobs):
        return [await _enqueue_unique(tx, actor, job) for job in jobs]
    ids = [job.id or new_id() for job in jobs]
    status = OutboxStatus.SENT if tx.carries_queue else OutboxStatus.PENDING
    await publishing.insert_jobs(tx, actor.workspace_id, ids, jobs, status)
    if tx.carries_queue:
        numbered = zip(ids, jobs, strict=True)
        tickets = [QueueMessage(job.kind.name, actor.workspace_id, id_, 1, job.urgency) for id_, job in numbered]
        await tx.publish(tickets)
    else:
        tx.wake_relay()
    return ids


async def _enqueue_unique(tx: Transaction, actor: Actor, job: NewJob[Any]) -> UUID:
    if not job.kind.unique or job.subject_id is None:
        (job_id,) = await enqueue(tx, actor, jobs=[job])
        return job_id
    for _ in range(_TRIES):
        active = await unique.join(tx, actor.workspace_id, job.kind.name, job.subject_id)
        if active is not None:
            return active
        queued = await unique.insert(tx, actor.workspace_id, job.id or new_id(), job)
        if queued is not None:
            await publishing.announce(tx, [queued])
            return queued.id
    raise LockConflict("The same job was just requested. Try again.")


async def wake(tx: Transaction, actor: Actor, *, awaited_id: UUID) -> int:
    """Queue the jobs that wait for something which this transaction ends (`Awaited`). Returns their number."""
    woken = await waiting.wake(tx, actor.workspace_id, awaited_id)
    if woken:
        await publishing.announce(tx, woken)
    return len(woken)


async def withdraw(tx: Transaction, actor: Actor, *, job_ids: Sequence[UUID]) -> set[UUID]:
    """Remove those of the jobs that no attempt has begun, as if they had not been queued. Returns them."""
    return await withdrawing.withdraw(tx, actor.workspace_id, job_ids)


async def retry_job(tx: Transaction, actor: Actor, registry: JobRegistry, *, job_id: UUID) -> JobView:
    """Requeue a failed job with a fresh set of attempts.

    Raises: JobNotFound, JobNotRetryable.
    """
    actor.require(JOBS_WRITE)
    if not await requeue(tx, actor, registry.attempts, ids=[job_id]):
        job = await queries.get_job(tx, actor, job_id=job_id)
        raise _not_retryable(registry, job.kind, job.status)
    job = await queries.get_job(tx, actor, job_id=job_id)
    await _record(tx, actor, JobAuditAction.RETRIED, JOB, {"count": 1, "kind": job.kind}, job_id)
    return job


async def retry_jobs(tx: Transaction, actor: Actor, registry: JobRegistry, *, command: RetryJobs) -> BulkOutcome:
    """Requeue those of the jobs that are failed with a fresh set of attempts, with reasons for the others."""
    actor.require(JOBS_WRITE)
    ids = dict.fromkeys(command.ids)
    queued = await requeue(tx, actor, registry.attempts, ids=list(ids))
    left = await queries.states(tx, actor, queries.JOBS, ids=[item for item in ids if item not in queued])
    faults: dict[UUID, AppError] = {
        item: _not_retryable(registry, *left[item]) if item in left else JobNotFound()
        for item in ids
        if item not in queued
    }
    await _record(tx, actor, JobAuditAction.MANY_RETRIED, JOB, {"count": len(queued)})
    return BulkOutcome(processed=len(queued), refused=_refusals(faults), job_id=None)


async def retry_cause(
    tx: Transaction,
    actor: Actor,
    registry: JobRegistry,
    *,
    command: RetryCause,
    trace: Mapping[str, str],
) -> BulkOutcome:
    """Requeue all jobs of a kind that failed with a cause: directly, or by a job if there are more than 5,000.

    Raises: JobNotRetryable: when this version does not know the kind.
    """
    actor.require(JOBS_WRITE)
    if command.kind not in registry.attempts:
        raise _not_retryable(registry, command.kind, JobStatus.FAILED)
    cause = FailureGroup(FAILED_JOBS, command.cause, command.kind)
    payload = RetryCausePayload(
        cause=cause.cause,
        kind=cause.kind,
        asked_by=actor.kind,
        asked_by_id=actor.id,
        attempts=registry.attempts[command.kind],
    )
    outcome = await _all_of(tx, actor, cause, registry.attempts, NewJob(RETRY_CAUSE, payload, trace=trace))
    await _record(tx, actor, JobAuditAction.MANY_RETRIED, JOB, _outcome_of(cause, outcome))
    return outcome


async def requeue(
    tx: Transaction, actor: Actor, attempts: Mapping[str, int], *, ids: Sequence[UUID]
) -> frozenset[UUID]:
    """Queue those of the jobs that are failed, with the attempts of their kind. Returns their IDs."""
    for _ in range(_TRIES):
        try:
            async with tx.savepoint():
                queued = await store.retry(tx, actor.workspace_id, ids, attempts)
        except IntegrityError:  # another job of a unique kind was queued for the same subject meanwhile
            continue
        break
    else:
        raise LockConflict("The same jobs were just requested. Try again.")
    if queued:
        await publishing.announce(tx, queued)
    return frozenset(job.id for job in queued)


async def next_of_cause(
    tx: Transaction, actor: Actor, *, cause: FailureGroup, attempts: Mapping[str, int], after: UUID | None
) -> tuple[int, UUID | None]:
    """Requeue the next thousand with a cause. Returns their number, and the next position; None at the end."""
    ids = await queries.ids_of_cause(tx, actor, cause=cause, after=after, limit=MAX_IDS)
    if not ids:
        return 0, None
    if cause.failures is FAILED_JOBS:
        done = len(await requeue(tx, actor, attempts, ids=ids))
    else:
        done = len(await _replay(tx, actor, ids))
    return done, ids[-1] if len(ids) == MAX_IDS else None


async def record_end_of_cause(tx: Transaction, actor: Actor, *, payload: CausePayload, job_id: UUID, done: int) -> None:
    """Record in the audit log how many failures a job has handled, for the requesting actor."""
    by = Actor.requester(actor.workspace_id, payload.asked_by, payload.asked_by_id) if payload.asked_by else actor
    retries = isinstance(payload, RetryCausePayload)
    action = JobAuditAction.RETRY_FINISHED if retries else JobAuditAction.REPLAY_FINISHED
    data: dict[str, JsonValue] = {"cause": payload.cause, "kind": payload.kind, "count": done}
    await _record(tx, by, action, JOB, data, job_id)


async def cancel_job(tx: Transaction, actor: Actor, registry: JobRegistry, *, job_id: UUID) -> JobView:
    """End a queued or running job as `failed`. Late results of a running attempt are ignored.

    Raises: JobNotFound, JobNotCancellable.
    """
    actor.require(JOBS_WRITE)
    locked = await store.lock(tx, actor.workspace_id, job_id)
    if locked is None:
        raise JobNotFound
    job, status = locked
    if status not in (JobStatus.QUEUED, JobStatus.RUNNING):
        message = f"Only queued or running jobs can be canceled; this one is {status}."
        raise JobNotCancellable(message)
    await _cancel(tx, actor, registry, job, status)
    await _record(tx, actor, JobAuditAction.CANCELLED, JOB, {"count": 1, "kind": job.kind}, job_id)
    return await queries.get_job(tx, actor, job_id=job_id)


async def cancel_outgoing(tx: Transaction, actor: Actor, registry: JobRegistry, *, limit: int) -> int:
    """End up to `limit` queued jobs with effects outside this installation. Returns the number.

    Raises: Forbidden.
    """
    actor.require(JOBS_WRITE)
    queued = await on_hold.waiting(tx, actor.workspace_id, registry.outgoing, limit=limit)
    for job in queued:
        await _cancel(tx, actor, registry, job, JobStatus.QUEUED)
    if queued:
        await _record(tx, actor, JobAuditAction.MANY_CANCELLED, JOB, {"count": len(queued)})
    return len(queued)


async def _cancel(tx: Transaction, actor: Actor, registry: JobRegistry, job: RunningJob, status: JobStatus) -> None:
    error = f"Cancelled by {actor.kind} {actor.id}." if actor.id else f"Cancelled by {actor.kind}."
    expect_changed(await store.fail(tx, job.key, expected=status, error=error))
    definition = registry.find(job.kind)
    if definition is not None:
        await definition.end_as_failed(tx, job, error)


async def replay_event(tx: Transaction, actor: Actor, *, event_id: UUID) -> OutboxEventView:
    """Replay a dead-lettered event.

    Raises: EventNotFound, EventNotDeadLettered.
    """
    actor.require(OUTBOX_WRITE)
    if not await _replay(tx, actor, [event_id]):
        event = await queries.get_event(tx, actor, event_id=event_id)
        raise _not_dead(event.status)
    await _record(tx, actor, JobAuditAction.REPLAYED, OUTBOX_EVENT, {"count": 1}, event_id)
    return await queries.get_event(tx, actor, event_id=event_id)


async def replay_events(tx: Transaction, actor: Actor, *, command: ReplayEvents) -> BulkOutcome:
    """Replay those of the events that are dead-lettered, with reasons for the others."""
    actor.require(OUTBOX_WRITE)
    ids = dict.fromkeys(command.ids)
    replayed = await _replay(tx, actor, list(ids))
    left = await queries.states(tx, actor, queries.EVENTS, ids=[item for item in ids if item not in replayed])
    faults: dict[UUID, AppError] = {
        item: _not_dead(left[item][1]) if item in left else EventNotFound() for item in ids if item not in replayed
    }
    await _record(tx, actor, JobAuditAction.MANY_REPLAYED, OUTBOX_EVENT, {"count": len(replayed)})
    return BulkOutcome(processed=len(replayed), refused=_refusals(faults), job_id=None)


async def replay_cause(tx: Transaction, actor: Actor, *, command: ReplayCause, trace: Mapping[str, str]) -> BulkOutcome:
    """Replay all events of a kind that were dead-lettered with a cause: directly, or by a job if there are many."""
    actor.require(OUTBOX_WRITE)
    cause = FailureGroup(DEAD_EVENTS, command.cause, command.kind)
    payload = ReplayCausePayload(cause=cause.cause, kind=cause.kind, asked_by=actor.kind, asked_by_id=actor.id)
    outcome = await _all_of(tx, actor, cause, {}, NewJob(REPLAY_CAUSE, payload, trace=trace))
    await _record(tx, actor, JobAuditAction.MANY_REPLAYED, OUTBOX_EVENT, _outcome_of(cause, outcome))
    return outcome


async def _replay(tx: Transaction, actor: Actor, ids: Sequence[UUID]) -> set[UUID]:
    replayed = await publishing.replay(tx, actor.workspace_id, ids)
    if replayed:
        tx.wake_relay()
    return replayed


async def _all_of(
    tx: Transaction, actor: Actor, cause: FailureGroup, attempts: Mapping[str, int], later: NewJob[Any]
) -> BulkOutcome:
    """Handle all failures of a cause in this transaction, or enqueue `later` if that would take too long."""
    if await queries.count_of_cause(tx, actor, cause=cause, limit=MAX_PER_REQUEST + 1) > MAX_PER_REQUEST:
        (job_id,) = await enqueue(tx, actor, jobs=[later])
        return BulkOutcome(processed=0, refused=[], job_id=job_id)
    done, after = await next_of_cause(tx, actor, cause=cause, attempts=attempts, after=None)
    while after is not None:
        more, after = await next_of_cause(tx, actor, cause=cause, attempts=attempts, after=after)
        done += more
    return BulkOutcome(processed=done, refused=[], job_id=None)


def _not_retryable(registry: JobRegistry, kind: str, status: str) -> JobNotRetryable:
    if registry.find(kind) is None:
        return JobNotRetryable(f"This version does not know the job kind {kind!r}, so it cannot run it again.")
    if status == JobStatus.FAILED:
        return JobNotRetryable("Another job of this kind is already queued or running for the same subject.")
    return JobNotRetryable(f"Only a failed job can be retried; this one is {status}.")


def _not_dead(status: str) -> EventNotDeadLettered:
    return EventNotDeadLettered(f"Only a dead-lettered event can be replayed; this one is {status}.")


def _refusals(faults: Mapping[UUID, AppError]) -> list[Refusal]:
    return [Refusal(id=item, code=fault.code, detail=fault.detail) for item, fault in faults.items()]


def _outcome_of(cause: FailureGroup, outcome: BulkOutcome) -> dict[str, JsonValue]:
    job = {"jobId": str(outcome.job_id)} if outcome.job_id else {"count": outcome.processed}
    return {"cause": cause.cause, "kind": cause.kind, **job}


async def _record(
    tx: Transaction,
    actor: Actor,
    action: JobAuditAction,
    subject_type: str,
    data: Mapping[str, JsonValue],
    subject_id: UUID | None = None,
) -> None:
    await audit.record(tx, actor, action=action, subject_type=subject_type, subject_id=subject_id, data=data)
