"""Request bodies within limits, whichever edge reads them: memory per process, pace, and the loop's time."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Self, TypeVar

from leadflood.kernel.clock import monotonic
from leadflood.kernel.errors import Unavailable

T = TypeVar("T")

BUFFERED_BYTES = 64 * 1024 * 1024
"""Bytes of bodies that one process buffers at a time."""
MIN_BYTES_PER_SECOND = 1024
_GRACE = 6
"""A streamed body may wait this many times its patience in all before its rate counts."""
_SLICE_SECONDS = 0.002


class BodyBudget:
    """The bytes of bodies that this process holds in memory at a time. Over the limit, requests get 503."""

    def __init__(self, limit: int = BUFFERED_BYTES) -> None:
        self._limit = limit
        self.used = 0

    def lease(self) -> "BodyLease":
        """What one request takes of it, as a context: it is given back on leaving."""
        return BodyLease(self)

    def give_back(self, size: int) -> None:
        """The opposite of `take`."""
        self.used -= size

    def take(self, size: int) -> None:
        """Raises: Unavailable."""
        if self.used + size > self._limit:
            raise Unavailable("This server is reading too many large requests. Try again shortly.", retry_after=2)
        self.used += size


class BodyLease:
    """The bytes that one request holds of the budget."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.give_back(self.size)

    def take(self, size: int) -> None:
        """Hold more. Raises: Unavailable."""
        self._budget.take(size)
        self.size += size


async def paced(stream: AsyncIterator[bytes], patience: float) -> AsyncIterator[bytes]:
    """A body as it arrives, from a sender that keeps up. The time that its reader takes does not count.

    Args:
        stream: the pieces of the body.
        patience: seconds that the next piece may take. In all, the body may take six times that, and a second more for
            each KiB.

    Raises: TimeoutError.
    """
    waited, size = 0.0, 0
    while True:
        allowed = _GRACE * patience + size / MIN_BYTES_PER_SECOND - waited
        began = monotonic()
        async with asyncio.timeout(min(patience, allowed)):
            piece = await anext(stream, None)
        if piece is None:
            return
        waited += monotonic() - began
        size += len(piece)
        yield piece


async def in_slices(items: Iterable[T]) -> AsyncIterator[T]:
    """The items, for work that is long in all: every 2 ms, the event loop serves what else waits."""
    until = monotonic() + _SLICE_SECONDS
    for item in items:
        yield item
        if monotonic() >= until:
            await asyncio.sleep(0)
            until = monotonic() + _SLICE_SECONDS
