"""SQL that reads jobs, the outbox, and the state of workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from leadflood.domains.jobs.contracts import (
    CauseGroup,
    CauseGroups,
    HoldView,
    JobView,
    OutboxEventView,
    QueueView,
    SystemStatus,
    WorkerView,
    event_view,
    job_view,
)
from leadflood.domains.jobs.errors import EventNotFound, JobNotFound
from leadflood.domains.jobs.events import HEARTBEAT
from leadflood.domains.jobs.models import JobStatus, OutboxStatus
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import AND, Sql, assemble, joined, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.hold import ON_HOLD, Hold
from leadflood.kernel.ids import first_id_at
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.schema import Count

LISTED_CAUSES, _STEPS = 100, 1000
"""Maximum number of listed causes. There can be many if `cause_of` does not recognize the varying part of a text."""

COUNTED = 10_000
"""Maximum number of counted failures per cause."""

WALKED = 5000
"""Maximum number of queued jobs, oldest first, counted for the state of the queue."""

SILENT_AFTER = timedelta(seconds=30)
"""A worker counts as offline after this time without a heartbeat."""

OLDEST_HEARTBEAT = 180.0
"""Seconds since the last heartbeat above which schedules count as stopped. They run every minute."""

_CLOCKS_DIFFER = timedelta(hours=1)
"""Maximum difference between the database's clock and the one that made an ID, and between an ID and its commit."""

# The scan follows an index that starts with workspace and status: jobs of other workspaces are not read.
_QUEUE = sql("""
SELECT count(*) FILTER (WHERE due) AS due, count(*) FILTER (WHERE NOT due) AS waiting,
       min(next_attempt_at) FILTER (WHERE due) AS oldest,
       extract(epoch FROM now() - min(next_attempt_at) FILTER (WHERE due))::double precision AS seconds,
       (SELECT count(*) FROM (
            SELECT FROM job_executions WHERE workspace_id = :workspace_id AND status = 'running' LIMIT :limit
        ) running) AS running
FROM (
    SELECT next_attempt_at, next_attempt_at <= now() AS due FROM job_executions
    WHERE workspace_id = :workspace_id AND status = 'queued'
    ORDER BY id
    LIMIT :limit
) queued
""")


# The latest heartbeat, the running workers, and whether outgoing effects are on hold.
_STATUS = assemble(
    sql("""
SELECT h.beat_at, extract(epoch FROM now() - h.beat_at)::float8 AS age, w.workers, w.running, {on_hold} AS on_hold
FROM (SELECT count(*) AS workers, coalesce(sum(running_jobs), 0) AS running FROM worker_processes
      WHERE last_seen_at > now() - :silent_after::interval) w
LEFT JOIN heartbeats h ON h.name = :heartbeat
"""),
    on_hold=ON_HOLD,
)

# Number of queued jobs of these kinds.
_QUEUED_BY_KIND = sql("""
SELECT kind, count(*) AS jobs FROM job_executions
WHERE status = 'queued' AND kind = ANY(:kinds)
GROUP BY kind ORDER BY kind
""")


# Without payload and trace: an unreadable one must not hide its neighbors.
_JOB = sql("""
id, kind, subject_id, status, attempts, max_attempts, next_attempt_at, last_error, cause, failures, progress, on_hold,
waiting_for, awaited_id, created_at, started_at, finished_at
""")
_EVENT = sql("""
id, kind, job_id, status, attempts, next_attempt_at, last_error, cause, created_at, processed_at, subject_kind,
cardinality(subject_ids) AS subject_count
""")

# A job or an event.
_ONE = sql("SELECT {columns} FROM {table} WHERE workspace_id = :workspace_id AND id = :id")

# The ids are UUIDv7, so their order is the order of creation.
_NEWEST_FIRST = sql("""
SELECT {columns} FROM {table} WHERE {conditions}
ORDER BY id DESC
LIMIT :limit
""")

# The states of some jobs or events.
_STATES = sql("SELECT id, kind, status FROM {table} WHERE workspace_id = :workspace_id AND id = ANY(:ids)")


@dataclass(frozen=True, slots=True)
class FailureSource:
    """The failed rows of one of the two tables: their condition, and the column with the time of their end.

    The status is a literal: otherwise PostgreSQL might not use the partial index.
    """

    table: Sql
    failed: Sql
    at: Sql

    @property
    def rows(self) -> Sql:
        """All of them, without columns."""
        return assemble(_ROWS, table=self.table, failed=self.failed)


# All failures of one of the two tables.
_ROWS = sql("SELECT FROM {table} WHERE {failed}")
JOBS = sql("job_executions")
EVENTS = sql("outbox_events")
FAILED_JOBS = FailureSource(JOBS, sql("workspace_id = :workspace_id AND status = 'failed'"), sql("finished_at"))
DEAD_EVENTS = FailureSource(EVENTS, sql("workspace_id = :workspace_id AND status = 'dead_letter'"), sql("updated_at"))

# One index step per cause and kind, however many failures it has: DISTINCT would read them all.
_CAUSES = sql("""
WITH RECURSIVE found AS (
    (SELECT cause, kind, 1 AS step FROM {table} WHERE {failed} ORDER BY cause, kind LIMIT 1)
    UNION ALL
    SELECT following.cause, following.kind, found.step + 1
    FROM found CROSS JOIN LATERAL (
        SELECT cause, kind FROM {table} AS one
        WHERE {failed} AND (one.cause, one.kind) > (found.cause, found.kind)
        ORDER BY cause, kind
        LIMIT 1
    ) AS following
    WHERE found.step < :steps
)
SELECT cause, kind FROM found
""")

# Number of failures of each, and the newest one.
_COUNTED = sql("""
SELECT wanted.cause, wanted.kind, counted.counted, newest.id, newest.last_error, newest.at
FROM unnest(:causes::text[], :kinds::text[]) AS wanted (cause, kind)
CROSS JOIN LATERAL (
    SELECT count(*) AS counted FROM (
        SELECT FROM {table} AS one
        WHERE {failed} AND one.cause = wanted.cause AND one.kind = wanted.kind
        LIMIT :limit
    ) AS counted_rows
) AS counted
CROSS JOIN LATERAL (
    SELECT one.id, one.last_error, one.{at} AS at FROM {table} AS one
    WHERE {failed} AND one.cause = wanted.cause AND one.kind = wanted.kind
    ORDER BY one.id DESC
    LIMIT 1
) AS newest
""")

# Number of failures with a cause, up to a limit.
_COUNT_OF_CAUSE = sql("SELECT count(*) FROM (SELECT FROM {table} WHERE {conditions} LIMIT :limit) AS counted_rows")
# The next failures with a cause.
_IDS_OF_CAUSE = sql("SELECT id FROM {table} WHERE {conditions} ORDER BY id LIMIT :limit")

# The workers, running ones first.
_WORKERS = sql("""
SELECT id, host, pid, version, running_jobs, started_at, last_seen_at, last_seen_at > now() - :silent::interval AS alive
FROM worker_processes
ORDER BY alive DESC, host, pid, id
LIMIT 1000
""")


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures with one cause. `before`: only failures before that time, without those that fail again later."""

    failures: FailureSource
    cause: str
    kind: str
    before: datetime | None = None

    @property
    def conditions(self) -> Sql:
        """The condition that selects the rows."""
        parts = [self.failures.failed, sql("cause = :cause AND kind = :kind")]
        if self.before is not None:
            parts.append(assemble(sql("{at} < :before"), at=self.failures.at))
        return joined(AND, parts)

    def values(self, actor: Actor) -> dict[str, Any]:
        """The parameters of `conditions`."""
        return {"workspace_id": actor.workspace_id, "cause": self.cause, "kind": self.kind, "before": self.before}


async def get_job(tx: Transaction, actor: Actor, *, job_id: UUID) -> JobView:
    """Raises: JobNotFound."""
    row = await tx.first(assemble(_ONE, columns=_JOB, table=JOBS), {"workspace_id": actor.workspace_id, "id": job_id})
    if row is None:
        raise JobNotFound
    return job_view(row)


async def list_jobs(  # noqa: PLR0913  one for each filter
    tx: Transaction,
    actor: Actor,
    *,
    status: JobStatus | None = None,
    kind: str | None = None,
    subject_id: UUID | None = None,
    cause: str | None = None,
    created_from: datetime | None = None,
    created_until: datetime | None = None,
    after: Position | None = None,
    limit: int,
) -> Page[JobView]:
    """Jobs, newest first. With `cause`, only failed ones. Times: from inclusive, until exclusive."""
    # IDs are in the order of time, and indexed.
    first = first_id_at(created_from, -_CLOCKS_DIFFER) if created_from else None
    last = first_id_at(created_until, _CLOCKS_DIFFER) if created_until else None
    filters = (
        (sql("status = :status"), "status", status),
        (sql("kind = :kind"), "kind", kind),
        (sql("subject_id = :subject_id"), "subject_id", subject_id),
        (joined(AND, [FAILED_JOBS.failed, sql("cause = :cause")]), "cause", cause),
        (sql("created_at >= :created_from"), "created_from", created_from),
        (sql("id >= :first"), "first", first),
        (sql("created_at < :created_until"), "created_until", created_until),
        (sql("id < :last"), "last", last),
    )
    rows = await _newest_first(tx, actor, JOBS, _JOB, filters, after, limit)
    return _page(rows, limit).map(job_view)


async def get_event(tx: Transaction, actor: Actor, *, event_id: UUID) -> OutboxEventView:
    """Raises: EventNotFound."""
    one = assemble(_ONE, columns=_EVENT, table=EVENTS)
    row = await tx.first(one, {"workspace_id": actor.workspace_id, "id": event_id})
    if row is None:
        raise EventNotFound
    return event_view(row)


async def list_events(
    tx: Transaction,
    actor: Actor,
    *,
    status: OutboxStatus | None = None,
    job_id: UUID | None = None,
    cause: str | None = None,
    after: Position | None = None,
    limit: int,
) -> Page[OutboxEventView]:
    """Outbox events, newest first. With `cause`, only dead-lettered ones."""
    filters = (
        (sql("status = :status"), "status", status),
        (sql("job_id = :job_id"), "job_id", job_id),
        (joined(AND, [DEAD_EVENTS.failed, sql("cause = :cause")]), "cause", cause),
    )
    rows = await _newest_first(tx, actor, EVENTS, _EVENT, filters, after, limit)
    return _page(rows, limit).map(event_view)


async def failed_by_cause(tx: Transaction, actor: Actor, *, kind: str | None = None) -> CauseGroups:
    """Failed jobs by kind and cause, the most frequent first."""
    return await _by_cause(tx, actor, FAILED_JOBS, kind)


async def dead_by_cause(tx: Transaction, actor: Actor, *, kind: str | None = None) -> CauseGroups:
    """Dead-lettered events by kind and cause, the most frequent first."""
    return await _by_cause(tx, actor, DEAD_EVENTS, kind)


async def count_of_cause(tx: Transaction, actor: Actor, *, cause: FailureGroup, limit: int) -> int:
    """Number of failures with this cause, counted up to `limit`."""
    count = assemble(_COUNT_OF_CAUSE, table=cause.failures.table, conditions=cause.conditions)
    found: int = await tx.scalar(count, {**cause.values(actor), "limit": limit})
    return found


async def ids_of_cause(
    tx: Transaction, actor: Actor, *, cause: FailureGroup, after: UUID | None, limit: int
) -> list[UUID]:
    """IDs of failures with this cause, oldest first, after the given ID."""
    conditions = cause.conditions if after is None else joined(AND, [cause.conditions, sql("id > :after")])
    ids = assemble(_IDS_OF_CAUSE, table=cause.failures.table, conditions=conditions)
    rows = await tx.all(ids, {**cause.values(actor), "after": after, "limit": limit})
    return [row.id for row in rows]


async def states(tx: Transaction, actor: Actor, table: Sql, *, ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """Kind and status of the existing ones of the jobs or events."""
    rows = await tx.all(assemble(_STATES, table=table), {"workspace_id": actor.workspace_id, "ids": list(ids)})
    return {row.id: (row.kind, row.status) for row in rows}


async def get_queue(tx: Transaction, actor: Actor) -> QueueView:
    """State of the workspace's queue. For a long queue, the number due is estimated from the oldest jobs."""
    row = (await tx.all(_QUEUE, {"workspace_id": actor.workspace_id, "limit": WALKED + 1}))[0]
    whole = row.due + row.waiting <= WALKED
    return QueueView(
        due=Count(value=row.due, exact=whole),
        waiting=Count(value=row.waiting, exact=whole),
        running=Count.up_to(WALKED, row.running),
        oldest_due_at=row.oldest,
        oldest_due_seconds=row.seconds,
    )


async def list_workers(tx: Transaction) -> list[WorkerView]:
    """Workers, running ones first, over all workspaces: the table belongs to none. At most 1000."""
    return [WorkerView(**row) for row in await tx.all(_WORKERS, {"silent": SILENT_AFTER})]


async def queued_by_kind(tx: Transaction, kinds: Sequence[str]) -> dict[str, int]:
    """Number of queued jobs of these kinds, in all workspaces. Requires a system transaction."""
    return {row.kind: row.jobs for row in await tx.all(_QUEUED_BY_KIND, {"kinds": list(kinds)})}


async def hold_view(tx: Transaction, hold: Hold, outgoing: Sequence[str]) -> HoldView:
    """The hold, and the number of waiting jobs of the `outgoing` kinds. Requires a system transaction."""
    state = await hold.state(tx)
    return HoldView(
        closed=state.closed,
        closed_at=state.closed_at,
        reason=state.reason,
        differences=list(state.differences),
        instance_id=state.current.instance_id,
        waiting=await queued_by_kind(tx, outgoing),
    )


async def system_status(tx: Transaction) -> SystemStatus:
    """State of the workers, over all workspaces: the tables it reads belong to none."""
    (row,) = await tx.all(_STATUS, {"heartbeat": HEARTBEAT.name, "silent_after": SILENT_AFTER})
    return SystemStatus(
        last_heartbeat_at=row.beat_at,
        heartbeat_age_seconds=row.age,
        effects_on_hold=bool(row.on_hold),
        workers=row.workers,
        running_jobs=row.running,
    )


async def _by_cause(tx: Transaction, actor: Actor, failures: FailureSource, kind: str | None) -> CauseGroups:
    parts = {"table": failures.table, "failed": failures.failed}
    found = await tx.all(assemble(_CAUSES, **parts), {"workspace_id": actor.workspace_id, "steps": _STEPS})
    wanted = [row for row in found if kind in (None, row.kind)]
    listed = wanted[:LISTED_CAUSES]
    causes = {"causes": [row.cause for row in listed], "kinds": [row.kind for row in listed]}
    counted = assemble(_COUNTED, **parts, at=failures.at)
    rows = await tx.all(counted, {"workspace_id": actor.workspace_id, **causes, "limit": COUNTED + 1})
    groups = [
        CauseGroup(
            cause=row.cause,
            kind=row.kind,
            count=Count.up_to(COUNTED, row.counted),
            newest_id=row.id,
            newest_error=row.last_error,
            newest_at=row.at,
        )
        for row in rows
    ]
    groups.sort(key=lambda group: (-group.count.value, group.cause, group.kind))
    return CauseGroups(items=groups, complete=len(listed) == len(wanted) and len(found) < _STEPS)


async def _newest_first(
    tx: Transaction,
    actor: Actor,
    table: Sql,
    columns: Sql,
    filters: Sequence[tuple[Sql, str, object]],
    after: Position | None,
    limit: int,
) -> Sequence[Row]:
    """A page of a list, and one row more. A filter applies if its value is not None."""
    used = [*filters, (sql("id < :after"), "after", after.id if after else None)]
    conditions = [sql("workspace_id = :workspace_id"), *(part for part, _, value in used if value is not None)]
    query = assemble(_NEWEST_FIRST, columns=columns, table=table, conditions=joined(AND, conditions))
    values = {name: value for _, name, value in used}
    return await tx.all(query, {"workspace_id": actor.workspace_id, **values, "limit": limit + 1})


def _page(rows: Sequence[Row], limit: int) -> Page[Row]:
    return cut(rows, limit, lambda row: Position.at(row.created_at, row.id))
