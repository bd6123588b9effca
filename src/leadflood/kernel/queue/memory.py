"""The queue in memory: for tests of what publishes and consumes, without a database. Nothing outlives the process."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from leadflood.kernel.clock import monotonic
from leadflood.kernel.queue.ports import Connection, Delivery, QueueDepth, Ticket


@dataclass(slots=True)
class _Entry:
    ticket: Ticket
    due: float
    taken: float | None = None


class MemoryCarrier:
    """The `Carrier` on a dict. It knows no transactions: a ticket is there at once, even if the caller rolls back."""

    channel = "nobody_listens"

    def __init__(self, *, redelivery: float = 10.0, clock: Callable[[], float] = monotonic) -> None:
        """Args: redelivery: seconds, see `receive`. clock: seconds, never going back."""
        self._redelivery = redelivery
        self._clock = clock
        self._entries: dict[int, _Entry] = {}
        self._last_receipt = 0
        self._published = asyncio.Event()

    async def open(self) -> None:
        """See `Carrier.open`."""

    async def close(self) -> None:
        """See `Carrier.close`. The tickets stay."""

    async def publish(self, connection: Connection | None, tickets: Sequence[Ticket]) -> None:  # noqa: ARG002  no transactions here
        """See `Publisher.publish`."""
        present = {entry.ticket.dedupe_key for entry in self._entries.values()}
        for ticket in tickets:
            if ticket.dedupe_key not in present:
                present.add(ticket.dedupe_key)
                self._last_receipt += 1
                delivered = replace(ticket, delay=0.0, trace=dict(ticket.trace))
                self._entries[self._last_receipt] = _Entry(delivered, self._clock() + ticket.delay)
        if tickets:
            self._published.set()

    async def receive(self, kinds: Sequence[str], limit: int) -> Sequence[Delivery]:
        """See `Carrier.receive`."""
        self._published.clear()
        now = self._clock()
        due = [
            receipt
            for receipt, entry in self._entries.items()
            if entry.ticket.kind in kinds
            and entry.due <= now
            and (entry.taken is None or entry.taken + self._redelivery < now)
        ][:limit]
        for receipt in due:
            self._entries[receipt].taken = now
        return [Delivery(self._entries[receipt].ticket, receipt) for receipt in due]

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """See `Carrier.acknowledge`."""
        for delivery in deliveries:
            if isinstance(delivery.receipt, int):
                self._entries.pop(delivery.receipt, None)

    async def wait(self, kinds: Sequence[str], timeout: float) -> None:  # noqa: ASYNC109  it is the caller's poll interval
        """See `Carrier.wait`."""
        due = [entry.due for entry in self._entries.values() if entry.taken is None and entry.ticket.kind in kinds]
        delay = max(min([*due, self._clock() + timeout]) - self._clock(), 0)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._published.wait()
        self._published.clear()

    async def depth(self) -> Mapping[str, QueueDepth]:
        """See `Carrier.depth`."""
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
        """See `Carrier.check`. Memory is never away."""
