"""Loops of the worker: each survives an unavailable database, and ends on shutdown."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from leadflood.kernel.crypto import random_unit
from leadflood.kernel.errors import Unavailable

_MAX_PAUSE = 5.0
_log = structlog.get_logger()


class Shutdown:
    """A request to stop; any number of tasks can wait for it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        """Request the stop."""
        self._event.set()

    @property
    def requested(self) -> bool:
        """Whether a stop was requested."""
        return self._event.is_set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait for the stop, at most `seconds`. Returns whether it was requested."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True

    async def first(self, awaitable: Awaitable[object]) -> None:
        """Wait for `awaitable` or for the stop, whichever is first; the other is cancelled. Errors are raised."""
        work = asyncio.ensure_future(awaitable)
        stop = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            if not work.done():
                work.cancel()
            await asyncio.gather(work, stop, return_exceptions=True)
        if work.done() and not work.cancelled():
            work.result()


async def repeat(name: str, step: Callable[[], Awaitable[None]], stop: Shutdown) -> None:
    """Run `step` repeatedly. While the database is unavailable, pause: 0.1 s doubling to 5 s, jittered."""
    failures = 0
    while not stop.requested:
        try:
            await step()
        except Unavailable as error:
            failures += 1
            if failures == 1:
                _log.warning("worker.database_unavailable", loop=name, detail=error.detail)
            pause = min(_MAX_PAUSE, 0.1 * 2.0 ** min(failures, 10))
            await stop.wait(pause * (0.5 + random_unit() / 2))
        else:
            if failures:
                _log.info("worker.database_available", loop=name)
            failures = 0
