"""Jobs of a test's own kind, run one attempt at a time or by real workers, and a look at what became of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID

from pydantic import ConfigDict

from leadflood.bootstrap import SUBSCRIBERS
from leadflood.domains.jobs import execution, queries, service
from leadflood.domains.jobs.completion import Completer
from leadflood.domains.jobs.contracts import JobView, OutboxEventView
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.models import JobKind, NewJob, Payload, RunningJob
from leadflood.domains.jobs.registry import FailureHook, Handler, JobContext, JobDefinition, JobRegistry
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.listener import Listener
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import RELAY_CHANNEL, Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Connection, QueueBackend, QueueDepth, QueueMessage
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from leadflood.worker.executor import Executor
from leadflood.worker.main import Worker, WorkerContext
from tests.support.waiting import eventually, soon

LEASE = 60.0
"""Seconds: a lease that no test outlives. Those that need it over call `expire_lease`."""

LEASES = (0.5, 2.0, 8.0)
"""Seconds: a machine that stalls for as long as a lease loses it rightly, so it is tried again with a longer one."""

# Written by handlers to show that they ran, to the table of heartbeats, the simplest one.
_WRITE = sql("INSERT INTO heartbeats (name, beat_at, worker_id) VALUES (:name, now(), :worker_id)")
_WRITTEN = sql("SELECT count(*) FROM heartbeats WHERE name LIKE :name || ':%'")
_TICKETS = sql("SELECT count(*) FROM leadflood_queue.tickets WHERE job_id = :id")


class ToyPayload(Payload):
    """Whatever a test puts in."""

    model_config = ConfigDict(extra="allow", strict=False)


async def nothing(_tx: Transaction, _job: RunningJob, _payload: object, _error: str) -> None:
    """The hook of jobs that tell nobody of their failure."""


def toy_kind(max_attempts: int = 3) -> JobKind[ToyPayload]:
    """A kind of job of a test's own."""
    return JobKind(f"toy.{new_id().hex}", ToyPayload, max_attempts=max_attempts)


@dataclass(frozen=True)
class Jobs:
    """One kind of job, in one workspace of one database."""

    database: Database
    workspace_id: UUID
    kind: JobKind[Any] = field(default_factory=toy_kind)

    @property
    def actor(self) -> Actor:
        """Somebody who may do everything in the workspace."""
        return Actor.cli(self.workspace_id)

    def registry(
        self, handler: Handler[Any], *, on_failed: FailureHook[Any] = nothing, timeout: float = 60
    ) -> JobRegistry:
        """A program that knows this kind of job only."""
        return JobRegistry([JobDefinition(self.kind, handler, on_failed, timeout)])

    async def enqueue(self, count: int = 1, payload: Mapping[str, Any] | None = None) -> list[UUID]:
        """Queue `count` jobs."""
        async with self.database.transaction(self.workspace_id) as tx:
            new = NewJob(self.kind, self.kind.payload(**payload or {}))
            return await service.enqueue(tx, self.actor, jobs=[new] * count)

    async def one(self) -> UUID:
        """Queue one job."""
        return (await self.enqueue())[0]

    async def claim(self, job_id: UUID, attempt: int = 1, *, lease: float = LEASE) -> RunningJob | None:
        """Start an attempt as a worker does that then falls silent."""
        ticket = QueueMessage(self.kind.name, self.workspace_id, job_id, attempt)
        return next(iter(await execution.claim(self.database, [ticket], new_id(), lease)), None)

    async def started(self, job_id: UUID, attempt: int = 1) -> RunningJob:
        """As `claim`, where it must succeed."""
        job = await self.claim(job_id, attempt)
        assert job is not None
        return job

    async def alone(self, job_id: UUID) -> RunningJob:
        """Start the next attempt of a job that runs in a process of its own, whenever it is due."""
        await self.change("UPDATE job_executions SET next_attempt_at = now() WHERE id = :id", id=job_id)
        job = await execution.claim_suspect(self.database, [self.kind.name], new_id(), LEASE)
        assert job is not None
        assert job.id == job_id
        return job

    def context(self, job: RunningJob) -> JobContext[Any]:
        """Context for the handler of this attempt."""
        return JobContext(self.database, job, self.kind.payload.model_validate_json(job.payload), worker_id=new_id())

    async def attempt(self, registry: JobRegistry, job_id: UUID, attempt: int = 1) -> JobView:
        """Run one attempt to its end, whenever it is due. Returns what became of the job."""
        await Executor(self.database, registry, new_id()).run(await self.started(job_id, attempt))
        return await self.view(job_id)

    async def retry(self, registry: JobRegistry, job_id: UUID) -> JobView:
        """Bring the failed job back, as an operator does."""
        async with self.database.transaction(self.workspace_id) as tx:
            return await service.retry_job(tx, self.actor, registry, job_id=job_id)

    async def cancel(self, registry: JobRegistry, job_id: UUID) -> JobView:
        """Cancel the job, as an operator does."""
        async with self.database.transaction(self.workspace_id) as tx:
            return await service.cancel_job(tx, self.actor, registry, job_id=job_id)

    async def view(self, job_id: UUID) -> JobView:
        """The job as the API shows it."""
        async with self.database.transaction(self.workspace_id, read_only=True) as tx:
            return await queries.get_job(tx, self.actor, job_id=job_id)

    async def events(self, job_id: UUID) -> Sequence[OutboxEventView]:
        """The job's outbox events, oldest first."""
        async with self.database.transaction(self.workspace_id, read_only=True) as tx:
            page = await queries.list_events(tx, self.actor, job_id=job_id, limit=100)
        return page.items[::-1]

    async def ended(self, *ids: UUID) -> dict[str, int]:
        """Wait until all these jobs are over. Returns how many ended how."""

        async def statuses() -> list[str]:
            rows = await self.rows("SELECT status FROM job_executions WHERE id = ANY(:ids)", ids=list(ids))
            found = [row[0] for row in rows]
            return found if {"queued", "running"}.isdisjoint(found) and found else []

        found = await eventually(statuses)
        return {status: found.count(status) for status in found}

    async def rows(self, query: LiteralString, **values: Any) -> Sequence[Any]:  # noqa: ANN401  any bind parameter
        """Rows of a query across workspaces."""
        async with self.database.system() as tx:
            return await tx.all(sql(query), values)

    async def change(self, statement: LiteralString, **values: Any) -> int:  # noqa: ANN401  any bind parameter
        """Plant a fault. Returns how many rows it touched."""
        async with self.database.system() as tx:
            return await tx.changed(sql(statement), values)

    async def postpone_others(self) -> None:
        """Let the workers of a test run nothing that other tests have left in the queue."""
        others = {"workspace_id": self.workspace_id}
        await self.change(
            """
            UPDATE job_executions SET next_attempt_at = now() + interval '1 day'
            WHERE status = 'queued' AND workspace_id <> :workspace_id
            """,
            **others,
        )
        await self.change("DELETE FROM leadflood_queue.tickets WHERE workspace_id <> :workspace_id", **others)

    async def expire_lease(self, job_id: UUID) -> None:
        """Let the running attempt's lease be over, before any that tests before this one left running."""
        sql = "UPDATE job_executions SET lease_expires_at = now() - interval '1 day' WHERE id = :id"
        assert await self.change(sql, id=job_id) == 1

    async def hurry(self) -> None:
        """Let every back-off be over."""
        await self.change("UPDATE leadflood_queue.tickets SET due_at = now(), visible_at = now() WHERE due_at > now()")

    async def tickets(self, job_id: UUID) -> int:
        """Number of queue messages for the job in the queue's own database."""
        return await _scalar(self.database, _TICKETS, id=job_id)

    async def write(self, tx: Transaction, job_id: UUID) -> None:
        """Write to our database as a handler does."""
        await tx.execute(_WRITE, {"name": f"{job_id}:{new_id()}", "worker_id": new_id()})

    async def writes(self, tx: Transaction, _actor: Actor, jobs: Sequence[tuple[RunningJob, Any]], /) -> None:
        """The effect of handlers that write."""
        for job, _ in jobs:
            await self.write(tx, job.id)

    async def complete(self, job: RunningJob) -> None:
        """Write and complete, as the executor does for a handler that returns. Raises: AttemptLost."""
        (fault,) = await Completer(self.database).complete(self.writes, [(job, None)])
        if fault is not None:
            raise fault

    async def written(self, job_id: UUID) -> int:
        """Number of writes by handlers of this job."""
        return await _scalar(self.database, _WRITTEN, name=str(job_id))


async def _scalar(database: Database, statement: Any, **values: Any) -> int:  # noqa: ANN401  a statement and its values
    async with database.system() as tx:
        found: int = await tx.scalar(statement, values)
        return found


@dataclass(frozen=True)
class Elsewhere:
    """The application's database with a queue that lives in another one."""

    database: Database
    queue_backend: PostgresQueueBackend
    queue_url: str


@dataclass
class Running:
    """A worker at work."""

    worker: Worker
    task: asyncio.Task[None]
    pool: ConnectionPool

    async def stop(self) -> None:
        """Drain and wait for the end, as SIGTERM does."""
        self.worker.stop()
        await soon(self.task)


@dataclass(frozen=True)
class InThisProcess:
    """Runs in this process what would get one of its own: handlers of tests exist nowhere else."""

    database: Database
    registry: JobRegistry

    async def run(self, job: RunningJob) -> str:
        """See `Isolation.run`."""
        return await Executor(self.database, self.registry, new_id()).run(job)

    async def close(self) -> None:
        """See `Isolation.close`."""


class Workers:
    """Starts real workers in this process, each with connections of its own, and stops them at the end of the test."""

    def __init__(self, url: str, settings: Settings, stack: AsyncExitStack) -> None:
        self._url = url
        self._settings = settings
        self._stack = stack

    async def start(
        self,
        registry: JobRegistry,
        *,
        schedules: Sequence[Schedule] = (),
        queue_url: str | None = None,
        wrap: Callable[[QueueBackend], QueueBackend] = lambda queue_backend: queue_backend,
        **changes: float,
    ) -> Running:
        """Start a worker. `changes` are settings; `wrap` puts something of the test's around its carrier."""
        settings = self._settings.model_copy(update=changes)
        queue_backend = PostgresQueueBackend(queue_url or self._url, role=APP_ROLE, redelivery=2)
        await queue_backend.open()
        self._stack.push_async_callback(queue_backend.close)
        pool = ConnectionPool(self._url, application_name="worker", size=20, statement_timeout=10)
        database = Database(pool, queue_backend if queue_url is None else None, SUBSCRIBERS)
        self._stack.push_async_callback(database.close)
        isolation = InThisProcess(database, registry)
        bell = Listener(self._url, RELAY_CHANNEL, application_name="worker bell")
        worker = Worker(
            WorkerContext(settings, database, wrap(queue_backend), registry, schedules, bell, lambda: isolation)
        )
        running = Running(worker, asyncio.create_task(worker.run()), pool)
        self._stack.push_async_callback(_stop, running)
        return running


@asynccontextmanager
async def workers_on(url: str, settings: Settings) -> AsyncIterator[Workers]:
    """Workers on the database at `url`, all stopped on leaving."""
    async with AsyncExitStack() as stack:
        yield Workers(url, settings, stack)


async def _stop(running: Running) -> None:
    if not running.task.done():
        await running.stop()


def completes() -> Handler[Any]:
    """A handler with nothing to do."""

    async def handler(_context: JobContext[Any]) -> None:
        return

    return handler


def raises(fault: Exception) -> Handler[Any]:
    """A handler that ends badly, each time."""

    async def handler(_context: JobContext[Any]) -> None:
        raise fault

    return handler


class Gate:
    """A handler that tells of its start, and ends when the test lets it, or when it is cancelled."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, _context: JobContext[Any]) -> None:
        self.entered.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


class Wrapped:
    """A carrier that passes everything on: to plant a fault in one of its verbs, or to listen."""

    def __init__(self, queue_backend: QueueBackend) -> None:
        self._queue_backend = queue_backend

    @property
    def channel(self) -> str:
        """See `Publisher.channel`."""
        return self._queue_backend.channel

    async def open(self) -> None:
        """See `QueueBackend.open`."""
        await self._queue_backend.open()

    async def close(self) -> None:
        """See `QueueBackend.close`."""
        await self._queue_backend.close()

    async def publish(self, connection: Connection | None, tickets: Sequence[QueueMessage]) -> None:
        """See `Publisher.publish`."""
        await self._queue_backend.publish(connection, tickets)

    async def receive(self, kinds: Sequence[str], limit: int) -> Sequence[QueueMessage]:
        """See `QueueBackend.receive`."""
        return await self._queue_backend.receive(kinds, limit)

    async def acknowledge(self, tickets: Sequence[QueueMessage]) -> None:
        """See `QueueBackend.acknowledge`."""
        await self._queue_backend.acknowledge(tickets)

    async def wait(self, kinds: Sequence[str], timeout: float) -> None:  # noqa: ASYNC109  as the port
        """See `QueueBackend.wait`."""
        await self._queue_backend.wait(kinds, timeout)

    async def depth(self) -> Mapping[str, QueueDepth]:
        """See `QueueBackend.depth`."""
        return await self._queue_backend.depth()

    async def check(self) -> None:
        """See `QueueBackend.check`."""
        await self._queue_backend.check()
