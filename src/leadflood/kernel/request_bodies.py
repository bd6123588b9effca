"""Request bodies within limits, for every edge: memory per process, speed, and time on the event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any, Self, TypeVar

from leadflood.kernel.clock import monotonic
from leadflood.kernel.errors import BodyTimeout, ContentTooLarge, Unavailable

T = TypeVar("T")

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""ASGI callable that receives the pieces of a request's body."""

BUFFERED_BYTES = 64 * 1024 * 1024
"""Maximum bytes of bodies that one process buffers."""
MIN_BYTES_PER_SECOND = 1024
_GRACE = 6
"""A streamed body may take this many times its timeout in all before its rate counts."""
_SLICE_SECONDS = 0.002


class BodyBudget:
    """The bytes of bodies in this process's memory. Above the limit, requests get 503."""

    def __init__(self, limit: int = BUFFERED_BYTES) -> None:
        self._limit = limit
        self.used = 0

    def lease(self) -> "BodyLease":
        """Context in which one request holds its share; leaving it returns the share."""
        return BodyLease(self)

    def release(self, size: int) -> None:
        """Return a share."""
        self.used -= size

    def reserve(self, size: int) -> None:
        """Raises: Unavailable."""
        if self.used + size > self._limit:
            raise Unavailable("This server is reading too many large requests. Try again shortly.", retry_after=2)
        self.used += size


class BodyLease:
    """The share of one request."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.release(self.size)

    def reserve(self, size: int) -> None:
        """Take more. Raises: Unavailable."""
        self._budget.reserve(size)
        self.size += size


async def read_whole(
    receive: Receive,
    *,
    declared: str,
    limit: int,
    lease: BodyLease,
    watch: Callable[[Sequence[bytes]], None] | None = None,
) -> bytes:
    """A body that is held in memory. The deadline of its request limits the time: see `Deadline.paused`.

    Args:
        receive: of the ASGI request.
        declared: its Content-Length, where it has one.
        limit: bytes.
        lease: of the request.
        watch: called with what has arrived so far after each piece; what it raises ends the reading.

    Raises: ContentTooLarge, BodyTimeout, Unavailable.
    """
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise too_large(limit)
    pieces: list[bytes] = []
    async for piece in _received(receive):
        if lease.size + len(piece) > limit:
            raise too_large(limit)
        lease.reserve(len(piece))
        pieces.append(piece)
        if watch is not None:
            watch(pieces)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def read_pieces(receive: Receive, idle_timeout: float) -> AsyncIterator[bytes]:
    """A body as it arrives, from a sender that keeps up; its reader limits the size, and the reader's time is free.

    Args:
        receive: of the ASGI request.
        idle_timeout: seconds that the next piece may take. The whole body may take six times that, plus a second per
        KiB.

    Raises: BodyTimeout.
    """
    stream, waited, size = _received(receive), 0.0, 0
    while True:
        allowed = _GRACE * idle_timeout + size / MIN_BYTES_PER_SECOND - waited
        began = monotonic()
        try:
            async with asyncio.timeout(min(idle_timeout, allowed)):
                piece = await anext(stream, None)
        except TimeoutError as error:
            raise BodyTimeout("The body arrived too slowly. Send it again.") from error
        if piece is None:
            return
        waited += monotonic() - began
        size += len(piece)
        yield piece


def too_large(limit: int) -> ContentTooLarge:
    """The error for a body, or a part of one, above a limit in bytes."""
    return ContentTooLarge(f"A body may have {limit} bytes. Reduce the payload.")


async def _received(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyTimeout("The connection closed before the body was here.")
        if piece := message.get("body", b""):
            yield piece
        more = message.get("more_body", False)


async def in_slices(items: Iterable[T]) -> AsyncIterator[T]:
    """The items of long work: every 2 ms, the event loop serves other tasks."""
    until = monotonic() + _SLICE_SECONDS
    for item in items:
        yield item
        if monotonic() >= until:
            await asyncio.sleep(0)
            until = monotonic() + _SLICE_SECONDS
