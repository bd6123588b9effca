"""A worker that also knows a job which kills its process: `python -m tests.support.poison_worker`, settings as ever."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from typing import Any

from leadflood import bootstrap
from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.domains.jobs.registry import JobContext, JobDefinition, JobRegistry
from leadflood.kernel.config import Settings
from leadflood.kernel.observability import configure_logging
from leadflood.kernel.process_lifetime import die_with_parent

POISON = JobKind("tests.poison", NoPayload, max_attempts=1)
_ISOLATED = "--isolated"


async def _poison(_context: JobContext[Any]) -> None:
    os._exit(137)


async def _work(settings: Settings) -> None:
    async with bootstrap.open_platform(settings, process="worker") as platform:
        known = [found for kind in platform.registry.kinds if (found := platform.registry.find(kind))]
        poisonous = replace(platform, registry=JobRegistry([*known, JobDefinition(POISON, _poison)]))
        if _ISOLATED in sys.argv:
            await bootstrap.run_isolated(poisonous)
            return
        worker = bootstrap.build_worker(
            poisonous, isolated=(sys.executable, "-m", "tests.support.poison_worker", _ISOLATED)
        )
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signum, worker.stop)
        await worker.run()


if __name__ == "__main__":
    die_with_parent(os.environ, grace=0)
    configure_logging("info", "json")
    asyncio.run(_work(Settings(_env_file=None)))
