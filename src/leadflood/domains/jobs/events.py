"""The jobs that the system gives itself, and how often."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.deliveries import ListenerRef
from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.actor import ActorKind
from leadflood.kernel.queue.ports import Priority


class CausePayload(Payload):
    """Failures of one cause, and who asked to deal with all of them; None in jobs of an earlier release."""

    cause: str
    kind: str
    asked_by: ActorKind | None = None
    asked_by_id: UUID | None = None


class RetryCausePayload(CausePayload):
    """Which failures to retry, and how often a job of that kind is attempted."""

    attempts: int


class ReplayCausePayload(CausePayload):
    """Which dead-lettered events to replay."""


HEARTBEAT = JobKind("system.heartbeat", NoPayload, max_attempts=1)
"""Its way through schedule, queue and worker proves that all three live."""

CLEAN_UP = JobKind("system.clean_up", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Removes records whose time is over: see `leadflood.domains.jobs.jobs`."""

RETRY_CAUSE = JobKind("jobs.retry_cause.v1", RetryCausePayload, max_attempts=5)
"""Retries all jobs that failed for a cause before it."""

REPLAY_CAUSE = JobKind("jobs.replay_cause.v1", ReplayCausePayload, max_attempts=5)
"""Replays all events that were dead-lettered for a cause before it."""

DELIVER_EVENTS = JobKind("events.deliver.v1", ListenerRef, max_attempts=20)
"""Runs a listener for more events than one transaction may hold up."""

JOB: Final = "job"
OUTBOX_EVENT: Final = "outbox_event"


class JobAuditAction(StrEnum):
    """What jobs and the outbox write into the audit log. The names are stable: people filter and alert by them."""

    RETRIED = "job.retried"
    CANCELLED = "job.cancelled"
    MANY_CANCELLED = "jobs.cancelled"
    MANY_RETRIED = "jobs.retried"
    RETRY_FINISHED = "jobs.retry_finished"
    REPLAYED = "outbox_event.replayed"
    MANY_REPLAYED = "outbox_events.replayed"
    REPLAY_FINISHED = "outbox_events.replay_finished"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A kind of job that is enqueued again every `seconds`."""

    kind: JobKind[NoPayload]
    seconds: float
