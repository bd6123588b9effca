"""Jobs: one durable piece of asynchronous work, its states, and how long to wait between attempts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

FORGOTTEN_AFTER = 300.0
"""Seconds after which a queued job that is due gets a second ticket."""

LONGEST_REASON = 1000
OUTBOX_MAX_ATTEMPTS = 5
STALE_PROCESSING_SECONDS = 60


class JobStatus(StrEnum):
    """`queued → running → completed | failed`; an attempt that may be repeated goes back to `queued`."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class OutboxStatus(StrEnum):
    """`pending → processing → sent`, or `failed` (to be tried again), or `dead_letter`."""

    PENDING = "pending"
    PROCESSING = "processing"
    SENT = "sent"
    FAILED = "failed"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True)
class JobKind:
    """What is to be done. The name carries a version: a change of payload is a new kind."""

    name: str
    max_attempts: int = 5


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to enqueue. `payload` is small JSON; `trace` holds `traceparent` and `request_id` of its cause."""

    kind: JobKind
    payload: Mapping[str, Any]
    subject_id: UUID | None = None
    trace: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job as claimed by a worker: `attempt` is the fencing token of everything it writes."""

    workspace_id: UUID
    id: UUID
    kind: str
    attempt: int
    max_attempts: int
    payload: Mapping[str, Any]
    subject_id: UUID | None
    trace: Mapping[str, str]
    created_at: datetime

    @property
    def key(self) -> tuple[UUID, UUID, int]:
        """Workspace, job and attempt: what guards each write."""
        return (self.workspace_id, self.id, self.attempt)


def job_backoff(attempt: int, chance: Callable[[], float]) -> float:
    """Seconds before the attempt after `attempt`: full jitter over 4 s doubling to 10 minutes, at least 1 s.

    Full jitter as in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
    """
    return max(1.0, chance() * min(600.0, 4.0 * 2.0 ** min(attempt - 1, 8)))


def outbox_backoff(attempts: int, chance: Callable[[], float]) -> float:
    """Seconds before an event is published again: 5 s doubling to 60 s, with up to a fifth taken off as jitter."""
    return min(60.0, 5.0 * 2.0 ** (attempts - 1)) * (1.0 - 0.2 * chance())


def storable_reason(text: str) -> str:
    """The reason of a failure as it is kept: what PostgreSQL cannot store becomes `?`, at most 1000 characters."""
    return text[:LONGEST_REASON].encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")
