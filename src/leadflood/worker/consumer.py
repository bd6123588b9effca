"""Receives messages from the queue, claims their jobs in one statement, and runs them concurrently."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import UUID

import structlog

from leadflood.domains.jobs import execution
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.clock import monotonic
from leadflood.kernel.config import Settings
from leadflood.kernel.db.database import Database
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.queue.ports import QueueBackend
from leadflood.worker.executor import Executor
from leadflood.worker.loops import Shutdown

BATCH = 200
LANES = 3
"""Concurrent batches of jobs: while one is claimed, the others are written."""

_log = structlog.get_logger()


class Consumer:
    """The consumer of a worker.

    `running` has the running attempts by task. `caught_up`: whether the last receive emptied the queue. Only then does
    an overdue job have a lost message; otherwise it may just be waiting in line.
    """

    def __init__(
        self,
        *,
        database: Database,
        queue_backend: QueueBackend,
        registry: JobRegistry,
        executor: Executor,
        worker_id: UUID,
        settings: Settings,
        stop: Shutdown,
    ) -> None:
        self._database = database
        self._queue_backend = queue_backend
        self._registry = registry
        self._executor = executor
        self._worker_id = worker_id
        self._concurrency = settings.worker_concurrency
        self._lease = settings.job_lease_seconds
        self._poll_interval = settings.poll_interval_seconds
        self._stop = stop
        self._slot_freed = asyncio.Event()
        self.running: dict[asyncio.Task[object], Sequence[RunningJob]] = {}
        self._groups: set[asyncio.Task[object]] = set()
        self.caught_up = False

    @property
    def count(self) -> int:
        """Number of running attempts."""
        return sum(map(len, self.running.values()))

    async def step(self) -> None:
        """Receive as many jobs as there is room for, or wait until there are some."""
        room = self._room()
        if room <= 0:
            self._slot_freed.clear()
            await self._stop.first(self._slot_freed.wait())
            return
        tickets = await self._queue_backend.receive(self._registry.kinds, room)
        self.caught_up = len(tickets) < room
        if tickets:
            # A claimed job whose message stays is harmless: the message's attempt is over when it is delivered again.
            jobs = await execution.claim(self._database, tickets, self._worker_id, self._lease)
            self._start_all(jobs)
            locked = set(await execution.locked(self._database, tickets, jobs))
            await self._queue_backend.acknowledge([ticket for ticket in tickets if ticket not in locked])
        if self.caught_up:
            await self._stop.first(self._queue_backend.wait(self._registry.kinds, self._poll_interval))

    async def renew_leases(self) -> None:
        """Renew leases, stop jobs that were taken over or cancelled, and wait for a third of the lease."""
        running = dict(self.running)
        if running:
            jobs = [job for item in running.values() for job in item]
            lost = {job.key for job in await execution.renew(self._database, jobs, self._lease)}
            for task, (job, *others) in running.items():
                # A group continues for the jobs that are not lost, and completes only those.
                if not others and job.key in lost and not task.done():
                    _log.warning("job.lost", job_id=str(job.id), attempt=job.attempt)
                    task.cancel()
        await asyncio.sleep(self._lease / 3)

    async def drain(self, seconds: float) -> None:
        """Let running jobs finish for up to `seconds`, then release the rest to the queue."""
        if self.running:
            _log.info("worker.draining", running=self.count)
        # Not `asyncio.timeout`: before Python 3.11.3 it cancels a task whose TaskGroup has failed, and then no job is
        # released.
        deadline = monotonic() + seconds
        while self.running and (rest := deadline - monotonic()) > 0:  # a group can leave jobs to run alone
            await asyncio.wait(self.running, timeout=rest)
        left = dict(self.running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        try:
            for job in (job for jobs in left.values() for job in jobs):
                if await execution.release(self._database, job):
                    _log.info("job.released", job_id=str(job.id), attempt=job.attempt)
        except Unavailable as away:
            # Their leases expire, and another worker rescues them.
            _log.warning("worker.not_drained", detail=away.detail)

    def _room(self) -> int:
        """Number of further jobs that can be received. Jobs in groups only wait for the database."""
        batch = min(BATCH, self._concurrency)
        together = sum(len(self.running[task]) for task in self._groups)
        if together > (LANES - 1) * batch:
            return 0
        return min(batch, self._concurrency - (self.count - together))

    def _start_all(self, jobs: Sequence[RunningJob]) -> None:
        groups: defaultdict[tuple[UUID, str], list[RunningJob]] = defaultdict(list)
        for job in jobs:
            if self._executor.takes_many(job):
                groups[job.workspace_id, job.kind].append(job)
            else:
                self.start([job], self._executor.run(job))
        for group in groups.values():
            self._groups.add(self.start(group, self._run_many(group)))

    async def _run_many(self, jobs: Sequence[RunningJob]) -> None:
        for job in await self._executor.run_many(jobs):
            self.start([job], self._executor.run(job))

    def start(self, jobs: Sequence[RunningJob], work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        """Let `work` run these claimed jobs: their leases are renewed as long as it does."""
        task = asyncio.create_task(work, name=f"job {jobs[0].id}")
        self.running[task] = jobs
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[object]) -> None:
        jobs = self.running.pop(task)
        self._groups.discard(task)
        self._slot_freed.set()
        if not task.cancelled() and (fault := task.exception()) is not None:
            # The jobs stay `running`; their leases expire, and the rescue counts the attempts as lost.
            for job in jobs:
                _log.error("job.result_not_saved", job_id=str(job.id), attempt=job.attempt, exc_info=fault)
