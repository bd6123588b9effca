"""SQL that reads jobs, the outbox, and how the workers are."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, func, select, text, tuple_

from leadflood.domains.jobs.contracts import JobView, OutboxEventView, SystemStatus, event_view, job_view
from leadflood.domains.jobs.errors import EventNotFound, JobNotFound
from leadflood.domains.jobs.events import HEARTBEAT
from leadflood.domains.jobs.models import JobStatus, OutboxStatus
from leadflood.domains.jobs.tables import heartbeats, job_executions, outbox_events, worker_processes
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Transaction
from leadflood.kernel.pagination import Page, Position, cut


async def get_job(tx: Transaction, actor: Actor, *, job_id: UUID) -> JobView:
    """Raises: JobNotFound."""
    query = select(job_executions).where(
        job_executions.c.workspace_id == actor.workspace_id, job_executions.c.id == job_id
    )
    row = await tx.first(query)
    if row is None:
        raise JobNotFound
    return job_view(row)


async def list_jobs(
    tx: Transaction,
    actor: Actor,
    *,
    status: JobStatus | None = None,
    kind: str | None = None,
    subject_id: UUID | None = None,
    after: Position | None = None,
    limit: int,
) -> Page[JobView]:
    """Jobs, newest first."""
    query = _newest_first(job_executions, actor, after, limit)
    if status is not None:
        query = query.where(job_executions.c.status == status)
    if kind is not None:
        query = query.where(job_executions.c.kind == kind)
    if subject_id is not None:
        query = query.where(job_executions.c.subject_id == subject_id)
    return _page(await tx.all(query), limit).map(job_view)


async def get_event(tx: Transaction, actor: Actor, *, event_id: UUID) -> OutboxEventView:
    """Raises: EventNotFound."""
    query = select(outbox_events).where(
        outbox_events.c.workspace_id == actor.workspace_id, outbox_events.c.id == event_id
    )
    row = await tx.first(query)
    if row is None:
        raise EventNotFound
    return event_view(row)


async def list_events(
    tx: Transaction,
    actor: Actor,
    *,
    status: OutboxStatus | None = None,
    job_id: UUID | None = None,
    after: Position | None = None,
    limit: int,
) -> Page[OutboxEventView]:
    """Outbox events, newest first."""
    query = _newest_first(outbox_events, actor, after, limit)
    if status is not None:
        query = query.where(outbox_events.c.status == status)
    if job_id is not None:
        query = query.where(outbox_events.c.job_id == job_id)
    return _page(await tx.all(query), limit).map(event_view)


async def system_status(tx: Transaction) -> SystemStatus:
    """How the workers are, over all workspaces: the tables read belong to none."""
    beat = await tx.first(
        select(
            heartbeats.c.beat_at,
            func.extract("epoch", func.now() - heartbeats.c.beat_at).label("age"),
        ).where(heartbeats.c.name == HEARTBEAT.name)
    )
    alive = await tx.first(
        select(
            func.count().label("workers"),
            func.coalesce(func.sum(worker_processes.c.running_jobs), 0).label("running"),
        ).where(worker_processes.c.last_seen_at > func.now() - text("interval '30 seconds'"))
    )
    return SystemStatus(
        last_heartbeat_at=beat.beat_at if beat else None,
        heartbeat_age_seconds=float(beat.age) if beat else None,
        workers=alive.workers if alive else 0,
        running_jobs=alive.running if alive else 0,
    )


def _newest_first(table: Table, actor: Actor, after: Position | None, limit: int) -> Select[Any]:
    # The ids are UUIDv7, so their order is the order of creation.
    query = select(table).where(table.c.workspace_id == actor.workspace_id)
    if after is not None:
        query = query.where(tuple_(table.c.id) < tuple_(after.id))
    return query.order_by(table.c.id.desc()).limit(limit + 1)


def _page(rows: Any, limit: int) -> Page[Row[Any]]:  # noqa: ANN401  rows of either table
    return cut(rows, limit, lambda row: Position.at(row.created_at, row.id))
