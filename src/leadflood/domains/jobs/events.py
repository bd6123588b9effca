"""The jobs that the system gives itself, and how often."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from leadflood.domains.jobs.models import JobKind

HEARTBEAT = JobKind("system.heartbeat", max_attempts=1)
"""Payload: `{}`. Its way through schedule, queue and worker proves that all three live."""

CLEAN_UP = JobKind("system.clean_up", max_attempts=3)
"""Payload: `{}`. Removes records whose time is over: see `leadflood.domains.jobs.jobs`."""

RETRY_CAUSE = JobKind("jobs.retry_cause.v1", max_attempts=5)
"""Payload: `{"cause": text, "kind": text, "attempts": number}`. Retries all jobs that failed for a cause before it."""

REPLAY_CAUSE = JobKind("jobs.replay_cause.v1", max_attempts=5)
"""Payload: `{"cause": text, "kind": text}`. Replays all events that were dead-lettered for a cause before it."""

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

    kind: JobKind
    seconds: float
