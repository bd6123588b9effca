"""The deadline of a request, whichever edge handles it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from leadflood.kernel.errors import DeadlineExceeded


class Deadline:
    """Ends what runs inside it after some seconds: `async with Deadline(10) as deadline`.

    What it ends is cancelled, so its transaction rolls back, unless the commit was under way. Raises: DeadlineExceeded.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as timeout:
            detail = (
                f"The request was not finished within {self._seconds:g} s. Send it again; with the same "
                "Idempotency-Key, it has no second effect and gets the answer of the first."
            )
            raise DeadlineExceeded(detail, retry_after=2) from timeout

    def lift(self) -> None:
        """End nothing any more: what follows has limits of its own."""
        self._timeout.reschedule(None)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time that does not count, such as that of a body to arrive."""
        loop = asyncio.get_running_loop()
        when = self._timeout.when()
        left = None if when is None else when - loop.time()
        self._timeout.reschedule(None)
        yield
        self._timeout.reschedule(None if left is None else loop.time() + left)
