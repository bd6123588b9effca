"""SQL that reads jobs, the outbox, and how the workers are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    column,
    func,
    literal,
    select,
    text,
    true,
    tuple_,
    values,
)

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
from leadflood.domains.jobs.tables import job_executions, outbox_events, worker_processes
from leadflood.kernel.actor import Actor
from leadflood.kernel.contract import Count
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.hold import ON_HOLD, Hold
from leadflood.kernel.ids import first_id_at
from leadflood.kernel.pagination import Page, Position, cut

LISTED_CAUSES, _STEPS = 100, 1000
"""Causes that are listed, and looked at. There may be many where `cause_of` cannot tell what differs in a text."""

COUNTED = 10_000
"""Failures of one cause that are counted."""

WALKED = 5000
"""Queued jobs, oldest first, that are looked at to tell how the queue is."""

SILENT_AFTER = timedelta(seconds=30)
"""A worker that was not seen for longer counts as silent."""

_CLOCKS_DIFFER = timedelta(hours=1)
"""How far the clock that made an id may be from the database's, and an id from its commit, at most."""

# The walk is in the order of an index that leads with workspace and status: what others have queued is not read.
_QUEUE = text("""
SELECT count(*) FILTER (WHERE due) AS due, count(*) FILTER (WHERE NOT due) AS waiting,
       min(next_attempt_at) FILTER (WHERE due) AS oldest,
       extract(epoch FROM now() - min(next_attempt_at) FILTER (WHERE due))::double precision AS seconds,
       (SELECT count(*) FROM (
            SELECT FROM job_executions WHERE workspace_id = :workspace_id AND status = 'running' LIMIT :most
        ) running) AS running
FROM (
    SELECT next_attempt_at, next_attempt_at <= now() AS due FROM job_executions
    WHERE workspace_id = :workspace_id AND status = 'queued'
    ORDER BY id
    LIMIT :most
) queued
""").bindparams(bindparam("workspace_id", type_=Uuid), bindparam("most", type_=Integer))


# The latest heartbeat, the live workers, and whether outgoing effects are on hold.
_STATUS = assemble(
    sql("""
SELECT h.beat_at, extract(epoch FROM now() - h.beat_at)::float8 AS age, w.workers, w.running, {on_hold} AS on_hold
FROM (SELECT count(*) AS workers, coalesce(sum(running_jobs), 0) AS running FROM worker_processes
      WHERE last_seen_at > now() - :silent_after::interval) w
LEFT JOIN heartbeats h ON h.name = :heartbeat
"""),
    on_hold=ON_HOLD,
)

_QUEUED_BY_KIND = text("""
SELECT kind, count(*) AS jobs FROM job_executions
WHERE status = 'queued' AND kind = ANY(:kinds)
GROUP BY kind ORDER BY kind
""").bindparams(bindparam("kinds", type_=ARRAY(Text)))


@dataclass(frozen=True, slots=True)
class Failures:
    """The rows that ended badly in one of the two tables: which they are, and the column that tells since when."""

    table: Table
    status: str
    at: ColumnElement[datetime]

    def of(self, workspace_id: UUID, table: Any = None) -> Sequence[ColumnElement[bool]]:  # noqa: ANN401  or an alias
        """Which rows they are. The status is written out: else PostgreSQL might not know the partial index by it."""
        columns = (self.table if table is None else table).c
        status = literal(self.status, Text, literal_execute=True)
        return (columns.workspace_id == workspace_id, columns.status == status)


FAILED_JOBS = Failures(job_executions, JobStatus.FAILED.value, job_executions.c.finished_at)
DEAD_EVENTS = Failures(outbox_events, OutboxStatus.DEAD_LETTER.value, outbox_events.c.updated_at)


@dataclass(frozen=True, slots=True)
class Cause:
    """What failed for one cause. `before`: only what failed before that time, and not what may fail again since."""

    failures: Failures
    cause: str
    kind: str
    before: datetime | None = None

    def of(self, workspace_id: UUID) -> Sequence[ColumnElement[bool]]:
        """Which rows they are."""
        columns = self.failures.table.c
        same = (*self.failures.of(workspace_id), columns.cause == self.cause, columns.kind == self.kind)
        return same if self.before is None else (*same, self.failures.at < self.before)


async def get_job(tx: Transaction, actor: Actor, *, job_id: UUID) -> JobView:
    """Raises: JobNotFound."""
    query = select(*_shown(job_executions)).where(
        job_executions.c.workspace_id == actor.workspace_id, job_executions.c.id == job_id
    )
    row = await tx.first(query)
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
    jobs = job_executions.c
    query = _newest_first(job_executions, actor, after, limit)
    if status is not None:
        query = query.where(jobs.status == status)
    if kind is not None:
        query = query.where(jobs.kind == kind)
    if subject_id is not None:
        query = query.where(jobs.subject_id == subject_id)
    if cause is not None:
        query = query.where(*FAILED_JOBS.of(actor.workspace_id), jobs.cause == cause)
    # Ids are in the order of time, and indexed.
    if created_from is not None:
        query = query.where(jobs.created_at >= created_from, jobs.id >= first_id_at(created_from, -_CLOCKS_DIFFER))
    if created_until is not None:
        query = query.where(jobs.created_at < created_until, jobs.id < first_id_at(created_until, _CLOCKS_DIFFER))
    return _page(await tx.all(query), limit).map(job_view)


async def get_event(tx: Transaction, actor: Actor, *, event_id: UUID) -> OutboxEventView:
    """Raises: EventNotFound."""
    query = select(*_shown(outbox_events)).where(
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
    cause: str | None = None,
    after: Position | None = None,
    limit: int,
) -> Page[OutboxEventView]:
    """Outbox events, newest first. With `cause`, only dead-lettered ones."""
    query = _newest_first(outbox_events, actor, after, limit)
    if status is not None:
        query = query.where(outbox_events.c.status == status)
    if job_id is not None:
        query = query.where(outbox_events.c.job_id == job_id)
    if cause is not None:
        query = query.where(*DEAD_EVENTS.of(actor.workspace_id), outbox_events.c.cause == cause)
    return _page(await tx.all(query), limit).map(event_view)


async def failed_by_cause(tx: Transaction, actor: Actor, *, kind: str | None = None) -> CauseGroups:
    """Failed jobs by kind and cause, the most frequent first."""
    return await _by_cause(tx, actor, FAILED_JOBS, kind)


async def dead_by_cause(tx: Transaction, actor: Actor, *, kind: str | None = None) -> CauseGroups:
    """Dead-lettered events by kind and cause, the most frequent first."""
    return await _by_cause(tx, actor, DEAD_EVENTS, kind)


async def count_of_cause(tx: Transaction, actor: Actor, *, cause: Cause, most: int) -> int:
    """How many failed for this cause, counted up to `most`."""
    some = select(literal(1)).where(*cause.of(actor.workspace_id)).limit(most).subquery()
    found: int = await tx.scalar(select(func.count()).select_from(some))
    return found


async def ids_of_cause(tx: Transaction, actor: Actor, *, cause: Cause, after: UUID | None, limit: int) -> list[UUID]:
    """Those that failed for this cause, oldest first, after the id given."""
    ids = cause.failures.table.c.id
    query = select(ids).where(*cause.of(actor.workspace_id)).order_by(ids).limit(limit)
    if after is not None:
        query = query.where(ids > after)
    return [row.id for row in await tx.all(query)]


async def states(tx: Transaction, actor: Actor, table: Table, *, ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """Kind and status of those of the jobs or events that there are."""
    query = select(table.c.id, table.c.kind, table.c.status).where(
        table.c.workspace_id == actor.workspace_id, table.c.id.in_(ids)
    )
    return {row.id: (row.kind, row.status) for row in await tx.all(query)}


async def get_queue(tx: Transaction, actor: Actor) -> QueueView:
    """How the queue of the workspace is. Where much is queued, what is due among the oldest stands for the rest."""
    row = (await tx.all(_QUEUE, {"workspace_id": actor.workspace_id, "most": WALKED + 1}))[0]
    whole = row.due + row.waiting <= WALKED
    return QueueView(
        due=Count(value=row.due, exact=whole),
        waiting=Count(value=row.waiting, exact=whole),
        running=Count.up_to(WALKED, row.running),
        oldest_due_at=row.oldest,
        oldest_due_seconds=row.seconds,
    )


async def list_workers(tx: Transaction) -> list[WorkerView]:
    """Workers, the living first, over all workspaces: the table belongs to none. At most 1000."""
    alive = (worker_processes.c.last_seen_at > func.now() - SILENT_AFTER).label("alive")
    workers = worker_processes.c
    query = select(worker_processes, alive).order_by(alive.desc(), workers.host, workers.pid, workers.id).limit(1000)
    return [WorkerView(**row) for row in await tx.all(query)]


async def queued_by_kind(tx: Transaction, kinds: Sequence[str]) -> dict[str, int]:
    """How many jobs of these kinds are queued, in all workspaces. Needs a system transaction."""
    return {row.kind: row.jobs for row in await tx.all(_QUEUED_BY_KIND, {"kinds": list(kinds)})}


async def hold_view(tx: Transaction, hold: Hold, outgoing: Sequence[str]) -> HoldView:
    """The hold, and how many jobs of the `outgoing` kinds, which send something, wait. Needs a system transaction."""
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
    """How the workers are, over all workspaces: the tables read belong to none."""
    (row,) = await tx.all(_STATUS, {"heartbeat": HEARTBEAT.name, "silent_after": SILENT_AFTER})
    return SystemStatus(
        last_heartbeat_at=row.beat_at,
        heartbeat_age_seconds=row.age,
        effects_on_hold=bool(row.on_hold),
        workers=row.workers,
        running_jobs=row.running,
    )


async def _by_cause(tx: Transaction, actor: Actor, failures: Failures, kind: str | None) -> CauseGroups:
    found = await tx.all(_causes(failures, actor.workspace_id))
    wanted = [row for row in found if kind in (None, row.kind)]
    listed = wanted[:LISTED_CAUSES]
    rows = await tx.all(_counted(failures, actor.workspace_id, listed)) if listed else []
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


def _causes(failures: Failures, workspace_id: UUID) -> Select[Any]:
    """All causes with their kinds: one step in the index for each, however many failures it has.

    DISTINCT would read them all.
    """
    table, one = failures.table, failures.table.alias("one")
    first = select(table.c.cause, table.c.kind, literal(1).label("step")).where(*failures.of(workspace_id))
    found = first.order_by(table.c.cause, table.c.kind).limit(1).cte("found", recursive=True)
    following = (
        select(one.c.cause, one.c.kind)
        .where(*failures.of(workspace_id, one), tuple_(one.c.cause, one.c.kind) > tuple_(found.c.cause, found.c.kind))
        .order_by(one.c.cause, one.c.kind)
        .limit(1)
        .lateral("following")
    )
    step = select(following.c.cause, following.c.kind, found.c.step + 1).select_from(found.join(following, true()))
    return select(found.union_all(step.where(found.c.step < _STEPS)))


def _counted(failures: Failures, workspace_id: UUID, listed: Sequence[Row]) -> Select[Any]:
    """How many there are of each, and the newest of them."""
    table = failures.table
    wanted = values(column("cause", Text), column("kind", Text), name="wanted").data(
        [(row.cause, row.kind) for row in listed]
    )
    same = and_(*failures.of(workspace_id), table.c.cause == wanted.c.cause, table.c.kind == wanted.c.kind)
    some = select(literal(1)).select_from(table).where(same).correlate(wanted).limit(COUNTED + 1).subquery()
    counted = select(func.count().label("counted")).select_from(some).lateral("counted")
    newest = select(table.c.id, table.c.last_error, failures.at.label("at")).where(same).correlate(wanted)
    last = newest.order_by(table.c.id.desc()).limit(1).lateral("newest")
    columns = (wanted.c.cause, wanted.c.kind, counted.c.counted, last.c.id, last.c.last_error, last.c.at)
    return select(*columns).select_from(wanted.join(counted, true()).join(last, true()))


def _shown(table: Table) -> list[Column[Any]]:
    """What views are made of. Payload and trace stay out: one that cannot be read must not hide its neighbours."""
    return [each for each in table.c if each.name not in {"payload", "trace"}]


def _newest_first(table: Table, actor: Actor, after: Position | None, limit: int) -> Select[Any]:
    # The ids are UUIDv7, so their order is the order of creation.
    query = select(*_shown(table)).where(table.c.workspace_id == actor.workspace_id)
    if after is not None:
        query = query.where(tuple_(table.c.id) < tuple_(after.id))
    return query.order_by(table.c.id.desc()).limit(limit + 1)


def _page(rows: Any, limit: int) -> Page[Row]:  # noqa: ANN401  rows of either table
    return cut(rows, limit, lambda row: Position.at(row.created_at, row.id))
