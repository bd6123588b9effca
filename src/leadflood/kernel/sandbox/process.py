"""The parent's side of one child."""

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import closing
from typing import IO, Any

import structlog

from leadflood.kernel.sandbox.protocol import HEADER, Frame, StopReason, TaskLimits, encode, header

Task = Callable[[IO[bytes], Any], Iterator[Any]]
"""A module-level function that reads a file and yields results; request and results are JSON."""

_MAX_REUSED = 256 * 1024 * 1024
"""Peak memory in bytes up to which a child gets another task."""

_log = structlog.get_logger()
_running: set["Process"] = set()


class TaskRefused(Exception):
    """The task refused its input; `detail` is the reason, for people."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class TaskStopped(Exception):
    """The task reached a limit or its process ended."""

    def __init__(self, why: StopReason) -> None:
        super().__init__(why)
        self.why = why


class Process:
    """A child that serves one task at a time, each on its own channel."""

    def __init__(self, preload: Sequence[str]) -> None:
        """Start it. The kernel ends it with the thread that calls this: call it where the event loop runs.

        Args: preload: modules to import before the first task.
        """
        self.reusable = True
        self._control, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "leadflood.kernel.sandbox.child", str(os.getpid()), str(theirs.fileno())]
            self._process = subprocess.Popen(
                [*command, *preload],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUTF8": "1"},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        if not _running:
            atexit.register(_kill_all)
        _running.add(self)

    @property
    def pid(self) -> int:
        """Process ID."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it is running."""
        return self._process.poll() is None

    async def run(
        self,
        task: Task,
        file: IO[bytes],
        request: Any,  # noqa: ANN401  JSON
        limits: TaskLimits,
    ) -> AsyncGenerator[Any, None]:
        """The results of a task, as they come. The child works at most one result ahead.

        Close the generator (`contextlib.aclosing`): a task that is not read to its end is killed with its process.

        Args: file: a real one, on this machine; the child reads it from its start, by a descriptor of its own.

        Raises: TaskRefused, TaskStopped.
        """
        self.reusable = False
        ours, theirs = socket.socketpair()
        with theirs:
            copy = os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                socket.send_fds(self._control, [b"t"], [theirs.fileno(), copy])
            except BrokenPipeError as error:
                ours.close()
                raise TaskStopped(self._reason()) from error
            finally:
                os.close(copy)
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        with closing(writer):
            call = {
                "target": f"{task.__module__}:{task.__qualname__}",
                "request": request,
                "memory": limits.memory,
                "cpu": limits.cpu,
            }
            writer.write(encode(Frame.CALL, call))
            async for item in self._results(reader, limits):
                yield item

    async def _results(self, reader: asyncio.StreamReader, limits: TaskLimits) -> AsyncGenerator[Any, None]:
        while True:
            kind, payload = await self._next(reader, limits.wall)
            if kind is Frame.ITEM:
                yield payload
            elif kind is Frame.END:
                self.reusable = payload["peak"] <= _MAX_REUSED
                return
            elif kind is Frame.REFUSED:
                self.reusable = payload["peak"] <= _MAX_REUSED
                raise TaskRefused(payload["detail"])
            else:
                _log.warning("sandbox.task_failed", error=payload.get("error"), reason=payload["stopped"])
                raise TaskStopped(StopReason(payload["stopped"]))

    async def _next(self, reader: asyncio.StreamReader, wall: float) -> tuple[Frame, Any]:
        try:
            async with asyncio.timeout(wall):
                kind, length = header(await reader.readexactly(HEADER))
                return kind, json.loads(await reader.readexactly(length))
        except TimeoutError as error:
            raise TaskStopped(StopReason.TIME) from error
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
            raise TaskStopped(self._reason()) from error

    def _reason(self) -> StopReason:
        """Reason why the child stopped responding."""
        self._process.kill()
        code = self._process.wait()
        _log.warning("sandbox.process_ended", code=code)
        return StopReason.TIME if code == -signal.SIGXCPU else StopReason.CRASH

    async def end(self) -> None:
        """Kill the child and reap it."""
        self.kill()
        await asyncio.shield(self.wait())

    def wait(self) -> "asyncio.Future[int]":
        """Exit code, once it has ended."""
        return asyncio.get_running_loop().run_in_executor(None, self._process.wait)

    def kill(self) -> None:
        """Kill the child; the caller must still `wait` for it."""
        self._control.close()
        self._process.kill()
        _running.discard(self)


def _kill_all() -> None:
    for item in [*_running]:
        item.kill()
        item._process.wait()  # noqa: SLF001  of this module
