"""Jobs and outbox events as the API shows them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from leadflood.domains.jobs.models import JobStatus, OutboxStatus
from leadflood.kernel.contract import View


class AttemptFailure(View):
    """One attempt that did not succeed."""

    attempt: int
    at: datetime
    error: str
    worker_id: UUID | None = None


class JobView(View):
    """A job: what it does, to whom, how far it is, and why its attempts failed."""

    id: UUID
    kind: str = Field(description="What is done, with its version.", examples=["leads.enrich.v1"])
    status: JobStatus
    subject_id: UUID | None = Field(description="The lead that the job is about, where there is one.")
    attempts: int = Field(description="Attempts so far, one that was cancelled before its start included.")
    max_attempts: int
    next_attempt_at: datetime | None = Field(description="When the next attempt is due; null unless queued.")
    last_error: str | None
    failures: list[AttemptFailure]
    created_at: datetime
    started_at: datetime | None = Field(description="When the latest attempt started.")
    finished_at: datetime | None


class OutboxEventView(View):
    """An event of the outbox: what had to be published, and whether it was."""

    id: UUID
    kind: str = Field(examples=["job.queued"])
    job_id: UUID
    status: OutboxStatus
    attempts: int
    next_attempt_at: datetime | None = Field(description="When it is tried next; null once sent or dead-lettered.")
    last_error: str | None
    created_at: datetime
    processed_at: datetime | None


class SystemStatus(View):
    """What `/ready` and `leadflood doctor` say of workers and queue."""

    last_heartbeat_at: datetime | None
    heartbeat_age_seconds: float | None
    workers: int = Field(description="Workers seen in the last 30 seconds.")
    running_jobs: int


def job_view(row: Any) -> JobView:  # noqa: ANN401  a row of job_executions
    """The view of a row."""
    return JobView(
        id=row.id,
        kind=row.kind,
        status=JobStatus(row.status),
        subject_id=row.subject_id,
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        next_attempt_at=row.next_attempt_at if row.status == JobStatus.QUEUED else None,
        last_error=row.last_error,
        failures=[_failure(each) for each in row.failures],
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def event_view(row: Any) -> OutboxEventView:  # noqa: ANN401  a row of outbox_events
    """The view of a row."""
    waiting = row.status not in (OutboxStatus.SENT, OutboxStatus.DEAD_LETTER)
    return OutboxEventView(
        id=row.id,
        kind=row.kind,
        job_id=row.job_id,
        status=OutboxStatus(row.status),
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at if waiting else None,
        last_error=row.last_error,
        created_at=row.created_at,
        processed_at=row.processed_at,
    )


def _failure(entry: dict[str, Any]) -> AttemptFailure:
    return AttemptFailure(
        attempt=entry["attempt"],
        at=datetime.fromisoformat(entry["at"]),
        error=entry["error"],
        worker_id=UUID(entry["workerId"]) if entry.get("workerId") else None,
    )
