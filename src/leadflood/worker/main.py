"""A worker: consumer, leases, relay, rescue, schedules and heartbeat, concurrently in one event loop."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from leadflood import __version__
from leadflood.domains.jobs import execution, relay, schedules
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.jobs import deregister_worker, report_worker
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.config import Settings
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.listener import Listener
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueBackend
from leadflood.worker.consumer import Consumer
from leadflood.worker.executor import Executor
from leadflood.worker.isolation import Isolation
from leadflood.worker.loops import Shutdown, repeat
from leadflood.worker.suspects import Suspects

PRESENCE_SECONDS = 10.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class WorkerContext:
    """Dependencies of a worker; the composition root provides them."""

    settings: Settings
    database: Database
    queue_backend: QueueBackend
    registry: JobRegistry
    schedules: Sequence[Schedule]
    bell: Listener
    isolation: Callable[[], Isolation]
    """A process for jobs that may kill it."""


class Worker:
    """Runs until shutdown is requested, then drains."""

    def __init__(self, parts: WorkerContext) -> None:
        self.id = new_id()
        self.stop = Shutdown()
        self._parts = parts
        executor = Executor(parts.database, parts.registry, self.id)
        self._consumer = Consumer(
            database=parts.database,
            queue_backend=parts.queue_backend,
            registry=parts.registry,
            executor=executor,
            worker_id=self.id,
            settings=parts.settings,
            stop=self.stop,
        )
        self._suspects = Suspects(
            parts.database,
            self._consumer,
            executor,
            parts.isolation,
            lease=parts.settings.job_lease_seconds,
            poll_interval_seconds=parts.settings.poll_interval_seconds,
            stop=self.stop,
        )

    async def run(self) -> None:
        """Work until `stop` is called; then let running jobs finish, and release those that do not finish in time."""
        _log.info("worker.started", worker_id=str(self.id), kinds=sorted(self._parts.registry.kinds))
        endless = Shutdown()
        until_stopped: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("consumer", self._consumer.step),
            ("relay", self._relay),
            ("rescue", self._rescue),
            ("schedules", self._schedules),
            ("suspects", self._suspects.step),
        ]
        # Leases and heartbeat continue while the last jobs finish.
        until_drained: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("leases", self._consumer.renew_leases),
            ("presence", self._presence),
        ]
        try:
            async with asyncio.TaskGroup() as group:
                background = [group.create_task(repeat(name, step, endless)) for name, step in until_drained]
                async with asyncio.TaskGroup() as work:
                    for name, step in until_stopped:
                        work.create_task(repeat(name, step, self.stop))
                await self._consumer.drain(self._parts.settings.drain_timeout_seconds)
                for task in background:
                    task.cancel()
        finally:
            # Nothing is left after a drain; a loop that failed leaves jobs, which other workers can claim immediately.
            await self._consumer.drain(0)
            await self._suspects.close()
            await self._leave()

    async def _relay(self) -> None:
        taken = await relay.relay(self._parts.database, self._parts.queue_backend)
        if taken < relay.BATCH:
            await self.stop.first(self._parts.bell.wait(self._parts.settings.poll_interval_seconds))

    async def _rescue(self) -> None:
        rescued = await execution.rescue(self._parts.database, self._parts.registry)
        requeued = await execution.requeue_lost(self._parts.database) if self._consumer.caught_up else 0
        released = await execution.release_from_hold(self._parts.database)
        if released:
            _log.info("worker.released_from_hold", jobs=released)
            return
        if rescued or requeued:
            _log.warning("worker.rescued", jobs=rescued, requeued=requeued)
            return
        await self.stop.wait(self._parts.settings.poll_interval_seconds)

    async def _schedules(self) -> None:
        await schedules.register(self._parts.database, self._parts.schedules)
        seconds = await schedules.run_due(self._parts.database, self._parts.schedules)
        await self.stop.wait(max(seconds, 0.05))

    async def _presence(self) -> None:
        await report_worker(
            self._parts.database,
            worker_id=self.id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            running=self._consumer.count,
        )
        await asyncio.sleep(PRESENCE_SECONDS)

    async def _leave(self) -> None:
        await self._parts.bell.close()
        try:
            await deregister_worker(self._parts.database, worker_id=self.id)
        except Unavailable as away:
            _log.info("worker.deregister_failed", detail=away.detail)
        _log.info("worker.stopped", worker_id=str(self.id))
