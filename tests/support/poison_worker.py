"""A worker that also knows a job which kills its process: `python -m tests.support.poison_worker`, settings as ever."""

import asyncio
import os
import signal
from dataclasses import replace
from typing import Any

from leadflood import bootstrap
from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.domains.jobs.registry import JobContext, JobDefinition, JobRegistry
from leadflood.kernel.config import Settings
from leadflood.kernel.observability import configure_logging

POISON = JobKind("tests.poison", NoPayload, max_attempts=3)


async def _poison(_context: JobContext[Any]) -> None:
    os._exit(137)


async def _work(settings: Settings) -> None:
    async with bootstrap.open_platform(settings, process="worker") as platform:
        known = [found for kind in platform.registry.kinds if (found := platform.registry.find(kind))]
        registry = JobRegistry([*known, JobDefinition(POISON, _poison)])
        worker = bootstrap.build_worker(replace(platform, registry=registry))
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signum, worker.stop)
        await worker.run()


if __name__ == "__main__":
    configure_logging("info", "json")
    asyncio.run(_work(Settings(_env_file=None)))
