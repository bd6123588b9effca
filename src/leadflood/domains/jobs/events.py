"""The jobs that the system gives itself, and how often."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload


class RetryCausePayload(Payload):
    """Which failures to retry, and how often a job of that kind is attempted."""

    cause: str
    kind: str
    attempts: int


class ReplayCausePayload(Payload):
    """Which dead-lettered events to replay."""

    cause: str
    kind: str


HEARTBEAT = JobKind("system.heartbeat", NoPayload, max_attempts=1)
"""Its way through schedule, queue and worker proves that all three live."""

CLEAN_UP = JobKind("system.clean_up", NoPayload, max_attempts=3)
"""Removes records whose time is over: see `leadflood.domains.jobs.jobs`."""

RETRY_CAUSE = JobKind("jobs.retry_cause.v1", RetryCausePayload, max_attempts=5)
"""Retries all jobs that failed for a cause before it."""

REPLAY_CAUSE = JobKind("jobs.replay_cause.v1", ReplayCausePayload, max_attempts=5)
"""Replays all events that were dead-lettered for a cause before it."""

JOB: Final = "job"
OUTBOX_EVENT: Final = "outbox_event"


class AuditAction(StrEnum):
    """What jobs and the outbox write into the audit log. The names are stable: people filter and alert by them."""

    RETRIED = "job.retried"
    CANCELLED = "job.cancelled"
    MANY_CANCELLED = "jobs.cancelled"
    MANY_RETRIED = "jobs.retried"
    REPLAYED = "outbox_event.replayed"
    MANY_REPLAYED = "outbox_events.replayed"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A kind of job that is enqueued again every `seconds`."""

    kind: JobKind[NoPayload]
    seconds: float
