"""Waiting for a condition that sends no signal."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

PAUSE, LONGEST_PAUSE = 0.02, 0.1
"""Seconds between two looks, at first and at last: looking takes processor time from what is waited for."""
PATIENCE = 60.0
"""Seconds after which a condition counts as never coming true: to fail instead of hanging, not to measure."""


def pauses() -> Iterator[float]:
    """Seconds between looks: a tenth of the time that has passed, within bounds."""
    began = time.monotonic()
    while True:
        yield min(max((time.monotonic() - began) / 10, PAUSE), LONGEST_PAUSE)


async def eventually(condition: Callable[[], Awaitable[T]]) -> T:
    """Ask until the answer is truthy, and return it."""
    times = pauses()
    async with asyncio.timeout(PATIENCE):
        while not (answer := await condition()):  # noqa: ASYNC110  rows and other processes set no event
            await asyncio.sleep(next(times))
        return answer


async def until(condition: Callable[[], bool]) -> None:
    """Look until the condition holds."""
    times = pauses()
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  as above
            await asyncio.sleep(next(times))


async def soon(awaitable: Awaitable[T]) -> T:
    """Await a result, or fail instead of hanging."""
    async with asyncio.timeout(PATIENCE):
        return await awaitable


async def turns(number: int) -> None:
    """Let the event loop run so many times, to come in between anywhere."""
    for _ in range(number):
        turn = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(turn.set_result, None)
        await turn
