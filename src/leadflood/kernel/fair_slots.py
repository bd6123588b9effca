"""A few slots for costly work, shared fairly: frequent callers wait behind their own requests, not those of others."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from leadflood.kernel.errors import Unavailable


class FairSlots:
    """Slots that keys get in turn, one waiter of each. All callers run in one event loop."""

    def __init__(self, slots: int, *, per_key: int, queue: int) -> None:
        """Args: per_key: slots that one key may have at a time. queue: waiters of all keys together."""
        self._free = slots
        self._per_key = per_key
        self._queue = queue
        self._used: Counter[Hashable] = Counter()
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, key: Hashable) -> AsyncIterator[None]:
        """One slot, as long as the block runs. Raises: Unavailable: immediately if the queue is full."""
        await self._acquire(key)
        try:
            yield
        finally:
            self._release(key)

    @property
    def waiting(self) -> int:
        """Number of callers waiting for a slot."""
        return sum(len(item) for item in self._waiting.values())

    async def _acquire(self, key: Hashable) -> None:
        if self.waiting >= self._queue:
            raise Unavailable("Too much work of this kind is waiting. Try again in a few seconds.", retry_after=5)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        self._assign()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(key)
            else:
                self._remove(key, turn)
            raise

    def _release(self, key: Hashable) -> None:
        self._free += 1
        self._used[key] -= 1
        if not self._used[key]:
            del self._used[key]
        self._assign()

    def _assign(self) -> None:
        while self._free:
            for key in self._waiting:  # a key may be anything, None too
                if self._used[key] < self._per_key:
                    break
            else:
                return
            turn = self._waiting[key].popleft()
            self._waiting.move_to_end(key)
            if not self._waiting[key]:
                del self._waiting[key]
            if not turn.done():
                self._free -= 1
                self._used[key] += 1
                turn.set_result(None)

    def _remove(self, key: Hashable, turn: "asyncio.Future[None]") -> None:
        waiting = self._waiting.get(key)
        if waiting is not None and turn in waiting:
            waiting.remove(turn)
            if not waiting:
                del self._waiting[key]
