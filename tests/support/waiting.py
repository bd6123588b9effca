"""Waiting for a condition that sends no signal."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.02
"""Seconds between two looks."""
PATIENCE = 60.0
"""Seconds after which a condition counts as never coming true: to fail instead of hanging, not to measure."""


async def eventually(condition: Callable[[], Awaitable[T]]) -> T:
    """Ask until the answer is truthy, and return it."""
    async with asyncio.timeout(PATIENCE):
        while not (answer := await condition()):  # noqa: ASYNC110  rows and other processes set no event
            await asyncio.sleep(PAUSE)
        return answer


async def until(condition: Callable[[], bool]) -> None:
    """Look until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  as above
            await asyncio.sleep(PAUSE)


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
