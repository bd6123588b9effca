"""The queue's port. It delivers messages at least once; the state of a job is its row in `job_executions`.

A message means that one attempt of one job can start. The consumer receives messages, claims the jobs in our table by
compare-and-set on the attempt, and then acknowledges. From then on the lease in our table counts, not the queue. So a
message that arrives twice, late, or for a finished job is refused by the claim and does no harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol
from uuid import UUID


class Priority(IntEnum):
    """Priority of a queue message. Within a workspace, all messages of a priority are delivered before the next one."""

    NORMAL = 0
    BULK = 1

    @classmethod
    def _missing_(cls, value: object) -> "Priority | None":
        """Bulk, for lower priorities of other releases."""
        return cls.BULK if isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """Leave to start one attempt of a job. Two tickets of the same `job_id` and `attempt` are the same ticket.

    Attributes:
        kind: what the job is, such as `leads.enrich.v1`; consumers choose by it.
        workspace_id: the workspace of the job; the queue shares the workers among workspaces.
        job_id: the job's row in `job_executions`.
        attempt: the attempt that may start, counted from 1.
        priority: the more urgent tickets are delivered first.
        delay: seconds after publishing until the ticket may be delivered; 0 in a ticket that was received.
    """

    kind: str
    workspace_id: UUID
    job_id: UUID
    attempt: int
    priority: Priority = Priority.NORMAL
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The tickets of one kind that are not acknowledged.

    Attributes:
        waiting: how many may be delivered now, or are delivered and not acknowledged yet.
        deferred: how many wait for their delay.
        oldest_age: seconds since the oldest of `waiting` could first be delivered; 0 without any.
    """

    waiting: int
    deferred: int
    oldest_age: float


class Connection(Protocol):
    """Methods of the caller's `asyncpg.Connection` that a queue backend uses."""

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]:  # noqa: ANN401  any bind parameter
        """Run one statement and return its rows."""
        ...


class Publisher(Protocol):
    """Publishes messages to the queue."""

    @property
    def channel(self) -> str:
        """Channel to NOTIFY after a caller's transaction committed messages. A hint: consumers also poll."""
        ...

    async def publish(self, connection: Connection | None, tickets: Sequence[QueueMessage]) -> None:
        """Put tickets on the queue with one statement; a ticket that is on it already is skipped.

        Args:
            connection: the caller's, inside its transaction: the tickets appear when that commits, and never if it
                rolls back. None: the carrier uses its own and has committed when this returns.
            tickets: of any workspaces.

        Raises: leadflood.kernel.errors.Unavailable: the queue cannot be reached. Without `connection`, the tickets may
            have been published all the same: publish them again.
        """
        ...


class QueueBackend(Publisher, Protocol):
    """A queue. Whatever cannot reach it raises `leadflood.kernel.errors.Unavailable`; the next call connects again.

    Pausing between calls that fail is left to the caller.
    """

    async def open(self) -> None:
        """Prepare for the other calls. Does not connect yet, so an unavailable queue does not fail it."""
        ...

    async def close(self) -> None:
        """Close all connections, within seconds even if the queue does not respond."""
        ...

    async def receive(self, kinds: Sequence[str], limit: int) -> Sequence[QueueMessage]:
        """Take up to `limit` due messages of these kinds; fewer only if no others are due.

        Normal tickets come before bulk ones, and the batch is shared equally among the workspaces that have tickets,
        or served to them in turn where there are more of them than `limit`. What a workspace has of one priority
        comes in the order in which it fell due. No other consumer gets a ticket until it is acknowledged or the
        carrier's redelivery time has passed.
        """
        ...

    async def acknowledge(self, tickets: Sequence[QueueMessage]) -> None:
        """Remove messages whose jobs are claimed (or cannot be). Those already removed are skipped."""
        ...

    async def wait(self, kinds: Sequence[str], timeout: float) -> None:  # noqa: ASYNC109  it is the caller's poll interval
        """Return when `receive` is worth a call: at a publish, a ticket that falls due, or after `timeout` seconds.

        Call it after a `receive` that came back with less than its limit. It can return for nothing. A ticket that was
        delivered and never acknowledged wakes no consumer, so `timeout` bounds how late it is found.
        """
        ...

    async def depth(self) -> Mapping[str, QueueDepth]:
        """Queue depth by kind, without empty kinds. Counts rows: for probes, not for loops."""
        ...

    async def check(self) -> None:
        """Return if the queue is usable. Raises: leadflood.kernel.errors.Unavailable: with the reason."""
        ...
