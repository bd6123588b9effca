"""The queue in memory: for tests of what publishes and consumes, without a database. Nothing outlives the process."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from leadflood.kernel.clock import monotonic
from leadflood.kernel.queue.ports import Connection, QueueDepth, QueueMessage

_Key = tuple[UUID, int]


@dataclass(slots=True)
class _Entry:
    ticket: QueueMessage
    due: float
    taken: float | None = None


class MemoryCarrier:
    """The `QueueBackend` on a dict. It has no transactions: a message is visible immediately, even after a rollback."""

    channel = "nobody_listens"

    def __init__(self, *, redelivery: float = 10.0, clock: Callable[[], float] = monotonic) -> None:
        """Args: redelivery: seconds, see `receive`. clock: seconds, never going back."""
        self._redelivery = redelivery
        self._clock = clock
        self._entries: dict[_Key, _Entry] = {}
        self._last_workspace = UUID(int=0)
        self._published = asyncio.Event()

    async def open(self) -> None:
        """See `QueueBackend.open`."""

    async def close(self) -> None:
        """See `QueueBackend.close`. The tickets stay."""

    async def publish(self, connection: Connection | None, tickets: Sequence[QueueMessage]) -> None:
        """See `Publisher.publish`."""
        for ticket in tickets:
            entry = _Entry(replace(ticket, delay=0.0), self._clock() + ticket.delay)
            self._entries.setdefault((ticket.job_id, ticket.attempt), entry)
        if tickets:
            self._published.set()

    async def receive(self, kinds: Sequence[str], limit: int) -> Sequence[QueueMessage]:
        """See `QueueBackend.receive`."""
        self._published.clear()
        now = self._clock()
        lanes: dict[UUID, list[_Entry]] = {}
        for entry in sorted(self._entries.values(), key=lambda item: (item.ticket.priority, item.due)):
            available = entry.taken is None or entry.taken + self._redelivery < now
            if entry.ticket.kind in kinds and entry.due <= now and available:
                lanes.setdefault(entry.ticket.workspace_id, []).append(entry)
        taken: list[_Entry] = []
        while lanes and len(taken) < limit:
            for workspace_id in sorted(lanes, key=lambda item: self._turn(lanes[item][0].ticket))[: limit - len(taken)]:
                taken.append(lanes[workspace_id].pop(0))
                if not lanes[workspace_id]:
                    del lanes[workspace_id]
        for entry in taken:
            entry.taken = now
        if taken:
            self._last_workspace = taken[-1].ticket.workspace_id
        return [entry.ticket for entry in taken]

    def _turn(self, ticket: QueueMessage) -> tuple[int, bool, UUID]:
        return ticket.priority, ticket.workspace_id <= self._last_workspace, ticket.workspace_id

    async def acknowledge(self, tickets: Sequence[QueueMessage]) -> None:
        """See `QueueBackend.acknowledge`."""
        for ticket in tickets:
            self._entries.pop((ticket.job_id, ticket.attempt), None)

    async def wait(self, kinds: Sequence[str], timeout: float) -> None:  # noqa: ASYNC109  it is the caller's poll interval
        """See `QueueBackend.wait`."""
        due = [entry.due for entry in self._entries.values() if entry.taken is None and entry.ticket.kind in kinds]
        delay = max(min([*due, self._clock() + timeout]) - self._clock(), 0)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._published.wait()
        self._published.clear()

    async def depth(self) -> Mapping[str, QueueDepth]:
        """See `QueueBackend.depth`."""
        now = self._clock()
        due: dict[str, list[float]] = {}
        for entry in self._entries.values():
            due.setdefault(entry.ticket.kind, []).append(entry.due)
        return {
            kind: QueueDepth(
                waiting=sum(moment <= now for moment in moments),
                deferred=sum(moment > now for moment in moments),
                oldest_age=max(now - min(moments), 0.0),
            )
            for kind, moments in due.items()
        }

    async def check(self) -> None:
        """See `QueueBackend.check`. Memory is never away."""
