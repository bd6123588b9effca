"""Runs jobs that were lost with their workers in a separate process.

The worker claims such a job, renews its lease and sends it to the process. If the process dies, the worker records it
immediately. One process runs one job after the other, as long as they end normally.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol
from uuid import UUID

import structlog

from leadflood.domains.jobs import execution
from leadflood.domains.jobs.models import RunningJob
from leadflood.kernel.db.database import Database
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.process_lifetime import ParentWatch

ISOLATED_JOBS = (sys.executable, "-m", "leadflood", "isolated-jobs")
"""The command that runs jobs which may kill their process."""

_READY = "ready"
_LAST_SECONDS = 5.0
IDLE_SECONDS = 30.0
"""How long an idle process is kept."""

_log = structlog.get_logger()


class ProcessEnded(Exception):
    """The separate process ended before its job did."""


class Isolation(Protocol):
    """Runs jobs that may kill their process."""

    async def run(self, job: RunningJob) -> str:
        """One attempt, from claimed to recorded. Returns how it ended.

        Raises: ProcessEnded. Unavailable: there is no process for it now.
        """
        ...

    async def close(self) -> None:
        """Release what is kept between jobs."""
        ...


class IsolatedProcess:
    """A child process, started when there is a job for it. It ends with this process, and when its job kills it."""

    def __init__(self, argv: Sequence[str]) -> None:
        """Args: argv: a command that calls `serve_isolated`."""
        self._argv = argv
        self._parent_watch = ParentWatch()
        self._child: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def run(self, job: RunningJob) -> str:
        """See `Isolation.run`. Cancelling kills the process."""
        if self._idle is not None:
            self._idle.cancel()
        child = await self._alive()
        try:
            outcome = await _run_in(child, job)
        except asyncio.CancelledError:
            self._kill()
            raise
        if not outcome:
            message = f"The process in which the job ran alone ended with {_how(await self._ended(child))}."
            raise ProcessEnded(message)
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._kill)
        return outcome

    async def close(self) -> None:
        """See `Isolation.close`."""
        child = self._child
        self._kill()
        if child is not None:
            await child.wait()
        self._parent_watch.close()

    async def _alive(self) -> asyncio.subprocess.Process:
        if self._child is not None and self._child.returncode is None:
            return self._child
        child = await asyncio.create_subprocess_exec(
            *self._argv,
            env={**os.environ, **self._parent_watch.env},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=(self._parent_watch.fd,),
            start_new_session=True,  # Ctrl-C is handled by the worker
        )
        self._child = child
        _log.info("worker.isolated_process_started", process=child.pid)
        try:
            ready = await _line(child)
        except asyncio.CancelledError:
            self._kill()
            raise
        if ready != _READY:
            self._kill()
            raise Unavailable("The process for jobs that run alone did not start.")
        return child

    async def _ended(self, child: asyncio.subprocess.Process) -> int:
        """Exit code of a child that reports no other reason."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await child.wait()
        self._kill()
        return await child.wait()

    def _kill(self) -> None:
        if self._child is not None and self._child.returncode is None:
            self._child.kill()
        self._child = None


async def serve_isolated(database: Database, run: Callable[[RunningJob], Awaitable[str]]) -> None:
    """In the child: run the jobs named on standard input, and report the end of each, until it is closed."""
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # output of a library is not a result
    os.write(answers, f"{_READY}\n".encode())
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        workspace_id, job_id, attempt = json.loads(line)
        try:
            job = await execution.running(database, (UUID(workspace_id), UUID(job_id), attempt))
        except Unavailable as away:
            _log.warning("job.database_unavailable", job_id=job_id, detail=away.detail)
            job = None
        outcome = "lost" if job is None else await run(job)
        os.write(answers, f"{outcome}\n".encode())


async def _run_in(child: asyncio.subprocess.Process, job: RunningJob) -> str:
    """Result of the job, as the child reports it; empty if the child ended first."""
    if child.stdin is not None:
        child.stdin.write(json.dumps([str(job.workspace_id), str(job.id), job.attempt]).encode() + b"\n")
    return await _line(child)


async def _line(child: asyncio.subprocess.Process) -> str:
    """Next line from the child; empty if it ended."""
    return "" if child.stdout is None else (await child.stdout.readline()).decode().strip()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
