"""The system's own jobs: the heartbeat, the deletion of expired records, and retries by cause."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from leadflood.domains.identity.service import audit, signin
from leadflood.domains.jobs import feed, queries, service
from leadflood.domains.jobs.deliveries import ListenerRef
from leadflood.domains.jobs.errors import Terminal
from leadflood.domains.jobs.events import (
    CLEAN_UP,
    DELIVER_EVENTS,
    HEARTBEAT,
    REPLAY_CAUSE,
    RETRY_CAUSE,
    CausePayload,
    ReplayCausePayload,
    RetryCausePayload,
)
from leadflood.domains.jobs.models import NoPayload, RunningJob
from leadflood.domains.jobs.queries import DEAD_EVENTS, FAILED_JOBS, FailureGroup, FailureSource
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import Sql, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.door.postgres_hosts import purge_hosts
from leadflood.kernel.idempotency import purge_expired_keys
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, first_id_at

C = TypeVar("C", bound=CausePayload)
_Ended: TypeAlias = tuple[CausePayload, int]
"""The selection that a job processed, and its number of items."""

_BATCH = 5000
_COUNTED = 10_000_000

# Record the time of the heartbeat.
_BEAT = sql("""
INSERT INTO heartbeats (name, beat_at, worker_id) VALUES (:name, now(), :worker_id)
ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at, worker_id = excluded.worker_id
""")

# Record that a worker is alive, and how many jobs it runs.
_SEEN = sql("""
INSERT INTO worker_processes (id, host, pid, version, running_jobs)
VALUES (:id, :host, :pid, :version, :running)
ON CONFLICT (id) DO UPDATE SET last_seen_at = now(), running_jobs = excluded.running_jobs
""")

# Delete a worker.
_GONE = sql("DELETE FROM worker_processes WHERE id = :id")

# Cursors older than this have missed events. Committed before the first event is deleted.
_EXPIRE = sql("""
UPDATE event_retention SET purged_until = greatest(purged_until, now() - make_interval(days => :days))
""")

# An hour longer than cursors: an event is as old as its transaction, which may have committed after a cursor was given.
_SENT = sql("""
DELETE FROM outbox_events WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM outbox_events
    WHERE status = 'sent' AND processed_at < now() - make_interval(days => :days, hours => 1)
    ORDER BY processed_at LIMIT :batch)
""")

# The system's own jobs and offline workers are kept 1 day, over all workspaces.
_EXPIRED = (
    sql("""
DELETE FROM job_executions WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM job_executions
    WHERE workspace_id = '00000000-0000-0000-0000-000000000000' AND status IN ('completed', 'failed')
      AND finished_at < now() - interval '1 day' LIMIT :batch)
"""),
    sql("""
DELETE FROM worker_processes WHERE id IN (
    SELECT id FROM worker_processes WHERE last_seen_at < now() - interval '1 day' LIMIT :batch)
"""),
)

# Found by IDs, which contain the creation time, in the index on workspace, status and ID: an index on the end would
# cost an entry for each job that ends. Deleted by ctid, which the lock keeps valid: by key PostgreSQL reads the whole
# table for each batch. A row that is locked, because it is being retried, is skipped.
_FINISHED = (
    sql("""
DELETE FROM job_executions WHERE ctid = ANY (ARRAY(
    SELECT old.ctid
    FROM workspaces w
    CROSS JOIN unnest(ARRAY['completed', 'failed']) AS s (status)
    CROSS JOIN LATERAL (
        SELECT ctid FROM job_executions
        WHERE workspace_id = w.id AND status = s.status AND id < :before
          AND finished_at < now() - make_interval(days => :days)
        LIMIT :batch
        FOR UPDATE SKIP LOCKED
    ) AS old
    LIMIT :batch
))
"""),
    sql("""
DELETE FROM outbox_events WHERE ctid = ANY (ARRAY(
    SELECT old.ctid
    FROM workspaces w
    CROSS JOIN LATERAL (
        SELECT ctid FROM outbox_events
        WHERE workspace_id = w.id AND status = 'dead_letter' AND id < :before
          AND processed_at < now() - make_interval(days => :days)
        LIMIT :batch
        FOR UPDATE SKIP LOCKED
    ) AS old
    LIMIT :batch
))
"""),
)


def definitions(database: Database, *, audit_days: int, job_days: int, event_days: int) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `database`: for purges over all workspaces.

    Args: audit_days: how long audit events stay. job_days: how long finished jobs and dead-lettered events stay.
        event_days: how long other events stay.
    """

    async def clean_up(_context: JobContext[NoPayload]) -> None:
        async with database.system() as tx:
            await tx.execute(_EXPIRE, {"days": event_days})
        while await _remove(database, _SENT, days=event_days) == _BATCH:
            pass
        for statement in _EXPIRED:
            while await _remove(database, statement) == _BATCH:
                pass
        before = first_id_at(utc_now(), timedelta(days=-job_days))
        for statement in _FINISHED:
            while await _remove(database, statement, before=before, days=job_days) == _BATCH:
                pass
        while await signin.purge(database, limit=_BATCH) >= _BATCH:
            pass
        while await audit.purge(database, days=audit_days, limit=_BATCH) >= _BATCH:
            pass
        async with database.system() as tx:
            await purge_expired_keys(tx)
            await purge_hosts(tx)

    return [
        JobDefinition(HEARTBEAT, _heartbeat),
        JobDefinition(CLEAN_UP, clean_up),
        JobDefinition(RETRY_CAUSE, _retry_cause, on_failed=_given_up, timeout=3600.0),
        JobDefinition(DELIVER_EVENTS, _deliver_events),
        JobDefinition(REPLAY_CAUSE, _replay_cause, on_failed=_given_up, timeout=3600.0),
    ]


async def report_worker(
    database: Database, *, worker_id: UUID, host: str, pid: int, version: str, running: int
) -> None:
    """Report that a worker is alive, and how many jobs it runs."""
    async with database.transaction(SYSTEM_WORKSPACE_ID) as tx:
        row = {"id": worker_id, "host": host, "pid": pid, "version": version, "running": running}
        await tx.execute(_SEEN, row)


async def deregister_worker(database: Database, *, worker_id: UUID) -> None:
    """Report that a worker has stopped."""
    async with database.transaction(SYSTEM_WORKSPACE_ID) as tx:
        await tx.execute(_GONE, {"id": worker_id})


async def _heartbeat(context: JobContext[NoPayload]) -> Complete[UUID]:
    return Complete(_beat, context.worker_id)


async def _beat(tx: Transaction, _actor: Actor, jobs: Sequence[tuple[RunningJob, UUID]]) -> None:
    for _, worker_id in jobs:
        await tx.execute(_BEAT, {"name": HEARTBEAT.name, "worker_id": worker_id})


async def _deliver_events(context: JobContext[ListenerRef]) -> Complete[ListenerRef]:
    async with context.own_transaction() as tx:
        subscription = tx.subscribers.find(context.payload.listener)
    if subscription is None or subscription.listener is None:
        raise Terminal(f"This version has no listener {context.payload.listener!r}.")
    return Complete(_run_listeners, context.payload)


async def _run_listeners(tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, ListenerRef]]) -> None:
    for _, ref in jobs:
        subscription = tx.subscribers.find(ref.listener)
        if subscription is not None and subscription.listener is not None:
            await subscription.listener(tx, await feed.stored_events(tx, actor, subscription.type, ref))


async def _retry_cause(context: JobContext[RetryCausePayload]) -> Complete[_Ended]:
    return await _requeue_failures(context, FAILED_JOBS, {context.payload.kind: context.payload.attempts})


async def _replay_cause(context: JobContext[ReplayCausePayload]) -> Complete[_Ended]:
    return await _requeue_failures(context, DEAD_EVENTS, {})


async def _requeue_failures(
    context: JobContext[C], failures: FailureSource, attempts: Mapping[str, int]
) -> Complete[_Ended]:
    """Thousand by thousand, each in its own transaction: an attempt after a kill continues with the rest."""
    actor = context.actor
    cause = FailureGroup(failures, context.payload.cause, context.payload.kind, before=context.job.created_at)
    after, more = None, True
    async with context.transaction() as tx:
        done = await _done(tx, actor, context.job.id)
        total = done + await queries.count_of_cause(tx, actor, cause=cause, limit=_COUNTED)
    while more:
        async with context.transaction() as tx:
            found, after = await service.next_of_cause(tx, actor, cause=cause, attempts=attempts, after=after)
            done += found
            await context.report(tx, done=done, total=total)
        more = after is not None
    return Complete(_record_ends, (context.payload, done))


async def _record_ends(tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, _Ended]]) -> None:
    for job, (payload, done) in jobs:
        await service.record_end_of_cause(tx, actor, payload=payload, job_id=job.id, done=done)


async def _given_up(tx: Transaction, job: RunningJob, payload: CausePayload | None, _error: str) -> None:
    if payload is not None:
        actor = Actor.system(job.workspace_id)
        done = await _done(tx, actor, job.id)
        await service.record_end_of_cause(tx, actor, payload=payload, job_id=job.id, done=done)


async def _done(tx: Transaction, actor: Actor, job_id: UUID) -> int:
    """Number of items that the attempts of a job have processed so far."""
    progress = (await queries.get_job(tx, actor, job_id=job_id)).progress
    return 0 if progress is None else progress.processed


async def _remove(database: Database, statement: Sql, **values: object) -> int:
    async with database.system() as tx:
        return await tx.changed(statement, {"batch": _BATCH, **values})
