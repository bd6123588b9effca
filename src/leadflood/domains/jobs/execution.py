"""Operations of a worker on jobs: claim, renew, end an attempt, rescue jobs whose lease expired."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import structlog

from leadflood.domains.jobs import store
from leadflood.domains.jobs.models import (
    LOST_IN_QUEUE_AFTER,
    UNCOUNTED_LOSSES,
    JobStatus,
    RunningJob,
    job_backoff,
    storable_reason,
)
from leadflood.domains.jobs.registry import Awaited, JobRegistry, Later
from leadflood.domains.jobs.store import QueuedJob, on_hold, suspects, unique
from leadflood.domains.jobs.store.publishing import announce
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import random_unit
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import DatabaseError
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.hold import WAITING
from leadflood.kernel.queue.ports import QueueMessage

_SWEEP = 200
_RESCHEDULE = 300.0
"""Seconds after which an unreadable row is tried again."""
_ASKS_AGAIN_AFTER = 3600.0
"""Seconds after which a job on hold that was not released checks the hold again."""

_log = structlog.get_logger()


async def claim(database: Database, tickets: Sequence[QueueMessage], worker_id: UUID, lease: float) -> list[RunningJob]:
    """Start the jobs of the messages. A message without a job in the expected state is obsolete and starts none.

    A locked job is not waited for: it is not started either, see `locked`.
    """
    async with database.system() as tx:
        jobs = await store.claim(tx, tickets, worker_id, lease)
        tx.mark(*(job.workspace_id for job in jobs))
    return jobs


async def locked(
    database: Database, tickets: Sequence[QueueMessage], claimed: Sequence[RunningJob]
) -> list[QueueMessage]:
    """Those of the messages whose job was locked and could not be claimed: they must stay on the queue."""
    keys = {job.key for job in claimed}
    left = {(ticket.workspace_id, ticket.job_id, ticket.attempt): ticket for ticket in tickets}
    left = {key: ticket for key, ticket in left.items() if key not in keys}
    if not left:
        return []
    async with database.system(read_only=True) as tx:
        return [left[key] for key in await store.still_queued(tx, list(left.values()))]


async def renew(database: Database, jobs: Sequence[RunningJob], lease: float) -> list[RunningJob]:
    """Renew the leases of `jobs`. Returns those that another worker has."""
    async with database.system() as tx:
        kept = await store.renew(tx, [job.key for job in jobs], lease)
    return [job for job in jobs if job.key not in kept]


async def claim_suspect(database: Database, kinds: Sequence[str], worker_id: UUID, lease: float) -> RunningJob | None:
    """Start the first due job of these kinds among those that run in a separate process."""
    async with database.system() as tx:
        job = await suspects.claim(tx, kinds, worker_id, lease)
        if job is not None:
            tx.mark(job.workspace_id)
    return job


async def running(database: Database, key: store.Key) -> RunningJob | None:
    """The attempt, if it is still running."""
    async with database.transaction(key[0], read_only=True) as tx:
        return await suspects.running(tx, key)


async def end_attempt(
    database: Database,
    registry: JobRegistry,
    job: RunningJob,
    error: str,
    *,
    retry_at: datetime | None = None,
    final: bool = False,
    ended_process: bool = False,
) -> bool:
    """Record that an attempt failed: back to `queued` if it can be repeated, otherwise `failed`.

    Args: ended_process: it took the process along in which it ran alone.

    Returns whether anything changed: False for the late answer of an attempt that was taken over or cancelled.
    """
    reason = storable_reason(error)
    async with database.transaction(job.workspace_id) as tx:
        if final:
            return await _fail(tx, registry, job, reason)
        return await _repeat(tx, registry, job, reason, retry_at=retry_at, lost=ended_process)


async def rescue(database: Database, registry: JobRegistry) -> int:
    """Take over the attempts of workers whose leases expired. Returns the number.

    Any job of such a worker may be the cause. So a loss does not count as an attempt, and who is lost twice runs in a
    process of its own until an attempt ends in order. Only what is lost again and again even so counts: it ends more
    than its own process.
    """
    async with database.system() as tx:
        lost = await store.expired(tx, _SWEEP)
        for job in lost:
            await _rescue(tx, registry, job)
        tx.mark(*(job.workspace_id for job in lost))
    return len(lost)


async def _rescue(tx: Transaction, registry: JobRegistry, job: RunningJob) -> None:
    """End one lost attempt. A row with an error is logged and postponed, and affects no other."""
    error = f"The worker running attempt {job.attempt} stopped responding."
    try:
        async with tx.savepoint():
            more = 1 if job.losses < UNCOUNTED_LOSSES else 0
            await _repeat(tx, registry, job, error, delay=None if job.losses else 0.0, lost=True, more=more)
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001  one broken row must not keep the others from being rescued
        _log.exception("job.rescue_failed", job_id=str(job.id), job_kind=job.kind)
        with suppress(DatabaseError):  # a row that cannot even be postponed is met again by the next rescue
            async with tx.savepoint():
                await store.renew(tx, [job.key], _RESCHEDULE)


async def requeue_lost(database: Database) -> int:
    """Publish another message for queued jobs whose message seems lost. Returns the number."""
    async with database.system() as tx:
        jobs = await store.lost_in_queue(tx, older_than=LOST_IN_QUEUE_AFTER, limit=_SWEEP)
        if jobs:
            await announce(tx, jobs)
        tx.mark(*(job.workspace_id for job in jobs))
    return len(jobs)


async def release(database: Database, job: RunningJob, *, delay: float = 0.0) -> bool:
    """Release an attempt that a worker could not start or finish. It does not count against the job."""
    error = f"The worker that ran attempt {job.attempt} was stopped."
    async with database.transaction(job.workspace_id) as tx:
        queued = await store.requeue(tx, job.key, error=error, delay=delay, more=1, losses=job.losses)
        await _announce(tx, queued)
    return queued is not None


async def reschedule(
    tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, Later]], /
) -> Sequence[QueuedJob | None]:
    """Requeue jobs until the times that their handlers named, or until what they wait for ends. It does not count.

    None for those that no longer run. No message announces a job that waits for something: `wake` does, or
    `requeue_lost` after that time.
    """
    live = await _live(tx, actor, [later.awaited for _, later in jobs if later.awaited is not None])
    postponed = [_postponement(job, later, live) for job, later in jobs]
    queued = {job.id: job for job in await store.reschedule(tx, postponed)}
    announced = [queued[one.key[1]] for one in postponed if one.awaited_id is None and one.key[1] in queued]
    if announced:
        await announce(tx, announced)
    return [queued.get(job.id) for job, _ in jobs]


async def _live(tx: Transaction, actor: Actor, awaited: Sequence[Awaited]) -> set[UUID]:
    """IDs of what has not ended, and does not end meanwhile. Locked in their order, so that none waits in a circle."""
    known = {one.id: one for one in awaited}
    return {one_id for one_id in sorted(known) if await known[one_id].lives(tx, actor, one_id)}


def _postponement(job: RunningJob, later: Later, live: Collection[UUID]) -> store.Postponement:
    reason = storable_reason(later.reason)
    if later.awaited is None:
        return store.Postponement(job.key, later.at, reason)
    if later.awaited.id in live:
        return store.Postponement(job.key, later.at, reason, later.awaited.id)
    return store.Postponement(job.key, utc_now(), reason)


async def put_on_hold(database: Database, job: RunningJob) -> bool:
    """Requeue a job until outgoing effects are no longer on hold. It does not count as a failure."""
    async with database.transaction(job.workspace_id) as tx:
        return await on_hold.put(tx, job.key, reason=WAITING, seconds=_ASKS_AGAIN_AFTER)


async def release_from_hold(database: Database) -> int:
    """Queue the jobs that were on hold, once the hold is released. Returns the number, up to 200."""
    async with database.system() as tx:
        jobs = await on_hold.release(tx, limit=_SWEEP)
        if jobs:
            await announce(tx, jobs)
        tx.mark(*(job.workspace_id for job in jobs))
    return len(jobs)


async def _repeat(
    tx: Transaction,
    registry: JobRegistry,
    job: RunningJob,
    error: str,
    *,
    retry_at: datetime | None = None,
    delay: float | None = None,
    lost: bool = False,
    more: int = 0,
) -> bool:
    if job.attempt >= job.max_attempts + more:
        return await _fail(tx, registry, job, error)
    wait = job_backoff(job.attempt, random_unit) if delay is None else delay
    losses = job.losses + 1 if lost else 0
    queued = await store.requeue(tx, job.key, error=error, delay=wait, retry_at=retry_at, more=more, losses=losses)
    await _announce(tx, queued)
    return queued is not None


async def _announce(tx: Transaction, job: store.QueuedJob | None) -> None:
    if job is not None:
        await announce(tx, [job])


async def _fail(tx: Transaction, registry: JobRegistry, job: RunningJob, error: str) -> bool:
    if not await store.fail(tx, job.key, expected=JobStatus.RUNNING, error=error):
        return False
    again = await unique.rerun(tx, [job.key], [registry.attempts.get(job.kind, job.max_attempts)])
    if again:
        await announce(tx, again)
        return True
    definition = registry.find(job.kind)
    if definition is not None:
        try:
            async with tx.savepoint():
                await definition.end_as_failed(tx, job, error)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001  a hook's bug must not bring down each worker that rescues the job
            _log.exception("job.failure_hook_failed", job_id=str(job.id), job_kind=job.kind)
    return True
