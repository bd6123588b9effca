"""The system's own jobs and their schedules."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.deliveries import ListenerRef
from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.actor import ActorKind
from leadflood.kernel.queue.ports import Priority


class CausePayload(Payload):
    """Failures of one cause, and the actor who asked to handle them; None in jobs of an earlier release."""

    cause: str
    kind: str
    asked_by: ActorKind | None = None
    asked_by_id: UUID | None = None


class RetryCausePayload(CausePayload):
    """The failures to retry, and the number of attempts of that kind of job."""

    attempts: int


class ReplayCausePayload(CausePayload):
    """The dead-lettered events to replay."""


HEARTBEAT = JobKind("system.heartbeat", NoPayload, max_attempts=1)
"""It passes through schedule, queue and worker, and so proves that all three work."""

CLEAN_UP = JobKind("system.clean_up", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Deletes expired records: see `leadflood.domains.jobs.jobs`."""

RETRY_CAUSE = JobKind("jobs.retry_cause.v1", RetryCausePayload, max_attempts=5)
"""Retries all jobs that failed with a cause before this job."""

REPLAY_CAUSE = JobKind("jobs.replay_cause.v1", ReplayCausePayload, max_attempts=5)
"""Replays all events that were dead-lettered with a cause before this job."""

DELIVER_EVENTS = JobKind("events.deliver.v1", ListenerRef, max_attempts=20)
"""Runs a listener for more events than fit in one transaction."""

JOB: Final = "job"
OUTBOX_EVENT: Final = "outbox_event"


class JobAuditAction(StrEnum):
    """Audit actions of jobs and the outbox. The names are stable: people filter and alert by them."""

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
    """A kind of job that is queued every `seconds`."""

    kind: JobKind[NoPayload]
    seconds: float
