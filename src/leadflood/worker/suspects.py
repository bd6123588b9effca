"""Claims jobs that were lost with their workers twice, and runs each in a separate process.

They may have killed those workers. Their messages start nothing: workers poll for them, one job per process.
"""

import asyncio
from collections.abc import Callable, Sequence

from leadflood.domains.jobs import execution
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.db.database import Database
from leadflood.worker.consumer import Consumer
from leadflood.worker.executor import Executor
from leadflood.worker.isolation import Isolation
from leadflood.worker.loops import Shutdown

_SHORT = 600.0
"""Seconds. Kinds whose attempts may take longer have their own process, so that an import delays no lead."""


class _Lane:
    """A process for suspects of these kinds."""

    def __init__(self, kinds: Sequence[str], isolation: Isolation) -> None:
        self.kinds = kinds
        self.isolation = isolation
        self.task: asyncio.Task[object] | None = None

    @property
    def free(self) -> bool:
        return self.task is None or self.task.done()


class Suspects:
    """`consumer` renews the leases of running suspects, and ends them when the worker stops."""

    def __init__(
        self,
        database: Database,
        consumer: Consumer,
        executor: Executor,
        isolation: Callable[[], Isolation],
        *,
        lease: float,
        poll_interval_seconds: float,
        stop: Shutdown,
    ) -> None:
        self._database = database
        self._consumer = consumer
        self._executor = executor
        self._lanes = [_Lane(kinds, isolation()) for kinds in kinds_by_duration(executor.registry)]
        self._lease = lease
        self._poll_interval = poll_interval_seconds
        self._stop = stop

    async def step(self) -> None:
        """Start the next suspect for which a process is free, or wait for the next poll."""
        free = {kind: lane for lane in self._lanes if lane.free for kind in lane.kinds}
        job = None
        if free:
            worker_id = self._executor.worker_id
            job = await execution.claim_suspect(self._database, list(free), worker_id, self._lease)
        if job is not None:
            lane = free[job.kind]
            lane.task = self._consumer.start([job], self._executor.run_isolated(job, lane.isolation))
            return
        busy = [lane.task for lane in self._lanes if lane.task is not None and not lane.free]
        if busy:
            ended = asyncio.wait(busy, timeout=self._poll_interval, return_when=asyncio.FIRST_COMPLETED)
            await self._stop.first(ended)
        else:
            await self._stop.wait(self._poll_interval)

    async def close(self) -> None:
        """Release the processes."""
        for lane in self._lanes:
            await lane.isolation.close()


def kinds_by_duration(registry: JobRegistry) -> tuple[list[str], list[str]]:
    """The kinds with short attempts, and the others."""
    short: list[str] = []
    long: list[str] = []
    for kind in registry.kinds:
        definition = registry.find(kind)
        if definition is not None:
            (short if definition.timeout <= _SHORT else long).append(kind)
    return short, long
