"""The deadline of a request, for every edge."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from leadflood.kernel.errors import BodyTimeout, DeadlineExceeded


class Deadline:
    """Ends what runs inside it after some seconds: `async with Deadline(10) as deadline`.

    What it ends is cancelled, so its transaction rolls back, unless the commit was under way. One timer serves for the
    request and for its body. Raises: DeadlineExceeded, BodyTimeout.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)
        self._paused_at: float | None = None
        self._body_seconds: float | None = None
        self._body_late = False

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._loop = asyncio.get_running_loop()
        self._when = self._loop.time() + self._seconds
        self._timer = self._loop.call_at(self._when, self._check)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as timeout:
            if self._body_late:
                detail = f"The body did not arrive within {self._body_seconds:g} s. Send it again."
                raise BodyTimeout(detail) from timeout
            detail = (
                f"The request was not finished within {self._seconds:g} s. Send it again; with the same "
                "Idempotency-Key, it has no second effect and gets the answer of the first."
            )
            raise DeadlineExceeded(detail, retry_after=2) from timeout

    def lift(self) -> None:
        """Remove the deadline, for work with its own limits."""
        self._timer.cancel()

    @contextmanager
    def paused(self, body_seconds: float | None = None) -> Iterator[None]:
        """Time that does not count, such as waiting for a body.

        Args: body_seconds: limit for the body; None if its reader limits it.
        """
        self._paused_at = self._loop.time()
        self._body_seconds = body_seconds
        if body_seconds is not None:
            self._wake_by(self._paused_at + body_seconds)
        yield
        self._when += self._loop.time() - self._paused_at
        self._paused_at = None
        self._wake_by(self._when)

    def _wake_by(self, when: float) -> None:
        """Move the timer to `when` if it would expire later."""
        if when < self._timer.when() and not self._timer.cancelled():
            self._timer.cancel()
            self._timer = self._loop.call_at(when, self._check)

    def _check(self) -> None:
        """End the block, or check again later: a pause moves the deadline but not the timer, which rarely matters."""
        now = self._loop.time()
        if self._paused_at is None:
            left = self._when - now
        elif self._body_seconds is None:
            left = self._when - self._paused_at
        else:
            left = self._paused_at + self._body_seconds - now
            self._body_late = left <= 0
        if left <= 0:
            self._timeout.reschedule(now)
        else:
            self._timer = self._loop.call_at(now + left, self._check)
