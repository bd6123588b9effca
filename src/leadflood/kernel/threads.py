"""Separate threads for each kind of blocking work, so that one kind cannot block another.

`asyncio.to_thread` shares one small pool with everything in the process, address look-ups of the event loop included.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from leadflood.kernel.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class BoundedThreads:
    """A few threads and a bounded queue in front of them. No thread starts before the first call."""

    def __init__(self, name: str, *, threads: int, queue: int) -> None:
        """Args: name: of the work, for the names of threads. queue: calls that may wait for a thread."""
        self._name = name
        self._free = threading.Semaphore(threads + queue)
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a call in one of the threads.

        A call whose caller was cancelled keeps its place until it has run: memory stays bounded.

        Raises: Unavailable: immediately, when the queue is full.
        """
        if not self._free.acquire(blocking=False):
            raise self._full()
        try:
            future = self._executor.submit(function, *args, **kwargs)
        except BaseException:
            self._free.release()
            raise
        future.add_done_callback(lambda _: self._free.release())
        return await asyncio.wrap_future(future)

    def require_capacity(self) -> None:
        """Raises: Unavailable: a call would be refused now; check before work that would be wasted."""
        if not self._free.acquire(blocking=False):
            raise self._full()
        self._free.release()

    def _full(self) -> Unavailable:
        return Unavailable(f"Too many requests need {self._name} at the moment. Try again in a few seconds.")


PASSWORD_HASHING: Final = BoundedThreads("password hashing", threads=2, queue=64)
"""Each hash takes 19 MiB and tens of milliseconds; with over a second of them queued, callers should fail early."""
EXPORT_ENCODING: Final = BoundedThreads("export encoding", threads=2, queue=256)
