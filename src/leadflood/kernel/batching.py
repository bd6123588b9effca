"""Batching of concurrent calls: one exchange with the database, or one wait for the disk, serves many of them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from functools import partial
from typing import Generic, TypeVar

from leadflood.kernel.db.errors import LockConflict
from leadflood.kernel.errors import Unavailable

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Key = TypeVar("Key", bound=Hashable)


class Batcher(Generic[Item, Outcome]):
    """Calls that wait while a group is served form the next group. A lone call is served immediately.

    A call that is cancelled while it waits is left out. One that is cancelled while it is served affects no other:
    its work is done, and its result is dropped.
    """

    def __init__(
        self, serve: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome | Exception]]], *, max_size: int
    ) -> None:
        """Args: serve: gives an outcome for each item, in order. max_size: items in a group."""
        self._serve = serve
        self._max_size = max_size
        self._waiting: deque[tuple[Item, asyncio.Future[Outcome]]] = deque()
        self._serving: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether no call is waiting or being served."""
        return self._serving is None

    async def __call__(self, item: Item) -> Outcome:
        """The outcome for one item. Raises: whatever its outcome is, or what `serve` raises for the whole group."""
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._serving is None:
            # In a separate context, so that logs do not name the first of many requests.
            self._serving = asyncio.create_task(self._serve_all(), context=Context())
        return await done

    async def _serve_all(self) -> None:
        try:
            while group := self._take():
                await self._serve_group(group)
        finally:
            self._serving = None
            for _, done in self._waiting:  # only if this task itself was cancelled
                done.cancel()

    def _take(self) -> list[tuple[Item, asyncio.Future[Outcome]]]:
        group: list[tuple[Item, asyncio.Future[Outcome]]] = []
        while self._waiting and len(group) < self._max_size:
            item, done = self._waiting.popleft()
            if not done.done():
                group.append((item, done))
        return group

    async def _serve_group(self, group: Sequence[tuple[Item, asyncio.Future[Outcome]]]) -> None:
        outcomes: Sequence[Outcome | Exception]
        try:
            outcomes = await self._serve([item for item, _ in group])
        except Exception as error:  # noqa: BLE001  each caller gets it, and handles or raises it
            outcomes = [error] * len(group)
        except asyncio.CancelledError:
            for _, done in group:
                done.cancel()
            raise
        for (_, done), outcome in zip(group, outcomes, strict=True):
            if done.done():
                continue
            if isinstance(outcome, Exception):
                done.set_exception(outcome)
            else:
                done.set_result(outcome)


class KeyedBatcher(Generic[Key, Item, Outcome]):
    """A batcher for each key, such as a workspace, that is kept while it has calls."""

    def __init__(
        self, serve: Callable[[Key, Sequence[Item]], Awaitable[Sequence[Outcome | Exception]]], *, max_size: int
    ) -> None:
        """Args: see `Batcher`."""
        self._serve = serve
        self._max_size = max_size
        self._batchers: dict[Key, Batcher[Item, Outcome]] = {}

    async def __call__(self, key: Key, item: Item) -> Outcome:
        """The outcome for one item. Raises: as `Batcher`."""
        batcher = self._batchers.get(key)
        if batcher is None:
            batcher = Batcher(partial(self._serve, key), max_size=self._max_size)
            self._batchers[key] = batcher
        try:
            return await batcher(item)
        finally:
            if batcher.idle and self._batchers.get(key) is batcher:
                del self._batchers[key]


async def together_or_alone(
    serve: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]],
    items: Sequence[Item],
    *,
    failed: Callable[[], object],
) -> list[Outcome | Exception]:
    """Serve items in one transaction. Where that fails, nothing was written, and each of them is served alone.

    Args: failed: called while the error of the group is handled, to log it.
    """
    try:
        return [*await serve(items)]
    except Exception as error:  # noqa: BLE001  the fault of one item must not end the others
        away = isinstance(error, Unavailable) and not isinstance(error, LockConflict)
        if away or len(items) == 1:
            return [error] * len(items)
        failed()
    alone = [await together_or_alone(serve, [item], failed=failed) for item in items]
    return [outcome for (outcome,) in alone]
