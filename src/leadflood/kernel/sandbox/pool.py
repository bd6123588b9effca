"""The children of a process: a few at a time, shared fairly by workspaces, kept for a while for the next task."""

import asyncio
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from leadflood.kernel.fair_slots import FairSlots
from leadflood.kernel.sandbox.process import Process

IDLE_SECONDS: Final = 60.0
_QUEUE: Final = 1000


class Sandbox:
    """Starts children on demand and lends each to one caller at a time."""

    def __init__(self, *, processes: int, preload: Sequence[str]) -> None:
        """Args: processes: children at a time; one key gets all but one. preload: modules that their tasks need."""
        self._slots = FairSlots(processes, per_key=max(1, processes - 1), queue=_QUEUE)
        self._preload = tuple(preload)
        self._idle: dict[Process, asyncio.TimerHandle] = {}

    @asynccontextmanager
    async def process(self, key: Hashable) -> AsyncIterator[Process]:
        """A child for one task, once it is this key's turn. It is kept only if the task came to its end.

        Args: key: whose task it is, such as a workspace.

        Raises: Unavailable: too many wait.
        """
        async with self._slots.slot(key):
            process = self._acquire()
            try:
                yield process
            finally:
                if process.reusable:
                    self._release(process)
                else:
                    await process.end()

    @property
    def waiting(self) -> int:
        """Number of tasks waiting for a child."""
        return self._slots.waiting

    async def aclose(self) -> None:
        """End the idle children. Those in use end with their task."""
        idle = [*self._idle]
        for process in idle:
            self._idle.pop(process).cancel()
        await asyncio.gather(*(process.end() for process in idle))

    def _acquire(self) -> Process:
        while self._idle:
            process, timer = self._idle.popitem()
            timer.cancel()
            if process.alive:
                return process
            process.kill()  # `alive` has reaped its exit code
        return Process(self._preload)

    def _release(self, process: Process) -> None:
        loop = asyncio.get_running_loop()
        self._idle[process] = loop.call_later(IDLE_SECONDS, self._discard, process)

    def _discard(self, process: Process) -> None:
        if self._idle.pop(process, None) is not None:
            process.kill()
            process.wait()
