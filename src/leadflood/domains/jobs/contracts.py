"""Jobs and outbox events in the API."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, Strict

from leadflood.domains.jobs.models import MAX_CAUSE, MAX_IDS, JobStatus, OutboxStatus
from leadflood.kernel.actor import ActorKind
from leadflood.kernel.schema import Count, Schema, View

Kind = Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9._-]+$", examples=["leads.enrich.v1"])]
"""A kind of job or event, as a caller names it."""

Cause = Annotated[str, Field(max_length=MAX_CAUSE, pattern=r"^[^\x00]*$", examples=["No such mailbox: <email>"])]
"""The cause of a failure, exactly as shown."""


_ID = "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11"


class RetryJobs(Schema):
    """Failed jobs to retry."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": [_ID]}]})

    ids: list[Annotated[UUID, Strict(strict=False)]] = Field(min_length=1, max_length=MAX_IDS)


class RetryCause(Schema):
    """Selects all jobs of a kind that failed with the same error."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cause": "No such mailbox: <email>", "kind": "leads.enrich.v1"}]}
    )

    cause: Cause
    kind: Kind


class ReplayEvents(Schema):
    """Dead-lettered events to replay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": [_ID]}]})

    ids: list[Annotated[UUID, Strict(strict=False)]] = Field(min_length=1, max_length=MAX_IDS)


class ReplayCause(Schema):
    """Selects all events of a kind that were dead-lettered with the same error."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cause": "Not published in <n> attempts.", "kind": "job.queued"}]}
    )

    cause: Cause
    kind: Kind


class Refusal(View):
    """A skipped item and the reason."""

    id: UUID
    code: str = Field(description="Error code, as returned for a request for this item only.")
    detail: str


class BulkOutcome(View):
    """Result of a bulk request: done, or queued as a background job."""

    processed: int = Field(description="Number of items requeued.")
    refused: list[Refusal] = Field(description="Requested items that were skipped.")
    job_id: UUID | None = Field(description="Background job, if there are too many items for one request.")


class CauseGroup(View):
    """Failures of one kind with the same error."""

    cause: str = Field(
        description="Error with IDs and values removed. Empty if unknown.",
        examples=["No such mailbox: <email>"],
    )
    kind: str
    count: Count
    newest_id: UUID = Field(description="Most recent failure, as an example.")
    newest_error: str | None = Field(description="Full error of the most recent failure.")
    newest_at: datetime = Field(description="Time of the most recent failure.")


class CauseGroups(View):
    """Failures by kind and error, most frequent first."""

    items: list[CauseGroup]
    complete: bool = Field(description="False if there are more errors than listed.")


class JobProgress(View):
    """Progress of a long job."""

    processed: int
    total: int


class QueueView(View):
    """The queue of the workspace."""

    due: Count = Field(description="Jobs ready to run.")
    waiting: Count = Field(description="Scheduled jobs, mostly retries.")
    running: Count
    oldest_due_at: datetime | None = Field(description="Since when the oldest ready job has been waiting.")
    oldest_due_seconds: float | None = Field(description="Wait of the oldest ready job, in seconds.")


class WorkerView(View):
    """A worker process. It serves all workspaces."""

    id: UUID
    host: str
    pid: int
    version: str
    running_jobs: int = Field(description="Running jobs of all workspaces, when last seen.")
    started_at: datetime
    last_seen_at: datetime
    alive: bool = Field(
        description="Whether it was online in the last 30 seconds. Offline workers are listed for a day."
    )


class WorkerList(View):
    """All workers, online ones first."""

    items: list[WorkerView]


class CloseHold(Schema):
    """Puts outgoing email on hold."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Rehearsing a restore"}]})

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class HoldView(View):
    """State of the hold on outgoing email."""

    closed: bool
    closed_at: datetime | None
    reason: str = Field(description="Why email is on hold; empty if it isn't.")
    differences: list[str] = Field(description="Differences between this installation and the recorded one.")
    instance_id: str
    waiting: dict[str, int] = Field(description="Queued jobs that send email, by kind, in all workspaces.")


class AttemptFailure(View):
    """A failed attempt."""

    attempt: int
    at: datetime
    error: str
    worker_id: UUID | None = None


class JobView(View):
    """A background job: kind, subject, status, progress and errors."""

    id: UUID
    kind: str = Field(description="Kind of work, with its version.", examples=["leads.enrich.v1"])
    status: JobStatus
    subject_id: UUID | None = Field(description="Lead or company of the job, if any.")
    attempts: int = Field(description="Number of attempts, including one cancelled before it started.")
    max_attempts: int
    next_attempt_at: datetime | None = Field(description="Time of the next attempt; null unless queued.")
    waiting_until: datetime | None = Field(
        description="Time until which the job is postponed without a failure; null if it waits for something to end."
    )
    waiting_for: str | None = Field(description="Why the job is postponed, or what it waits for; otherwise null.")
    on_hold: bool = Field(description="Whether it waits because outgoing email is on hold.")
    last_error: str | None
    cause: str | None = Field(description="Error with IDs and values removed, as in the list of failures.")
    progress: JobProgress | None = Field(description="Progress of a long job; otherwise null.")
    failures: list[AttemptFailure]
    created_at: datetime
    started_at: datetime | None = Field(description="Start of the latest attempt.")
    finished_at: datetime | None

    @property
    def shown_state(self) -> str:
        """The state as shown to people."""
        if self.on_hold:
            return "on_hold"
        if self.waiting_for is not None:
            return "awaiting" if self.waiting_until is None else "waiting"
        return "retrying" if self.retrying else self.status

    @property
    def retrying(self) -> bool:
        """Whether it waits for another attempt after a failed one."""
        ready = not self.on_hold and self.waiting_for is None
        return self.status is JobStatus.QUEUED and self.attempts > 0 and ready


class OutboxEventView(View):
    """An outbox event and its delivery state."""

    id: UUID
    kind: str = Field(examples=["job.queued"])
    job_id: UUID | None = Field(description="The job to publish; null for a domain event.")
    subject_kind: str | None = Field(description="What a domain event is about; null for a job.")
    subject_count: int = Field(description="How many subjects a domain event is about.")
    status: OutboxStatus
    attempts: int
    next_attempt_at: datetime | None = Field(description="Time of the next attempt; null once sent or dead-lettered.")
    last_error: str | None
    cause: str | None = Field(description="Error with IDs and values removed.")
    created_at: datetime
    processed_at: datetime | None


class EventSubject(View):
    """Subject of an event."""

    kind: str = Field(examples=["lead"])
    id: UUID


class EventActor(View):
    """Actor who caused an event."""

    kind: ActorKind
    id: UUID | None


class EventView(View):
    """Something that happened to a lead or another subject."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11.1",
                    "type": "lead.created.v1",
                    "subject": {"kind": "lead", "id": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"},
                    "at": "2026-03-01T09:30:00Z",
                    "actor": {"kind": "user", "id": "0197a3a8-7c31-7d05-9f4e-2b6a8c0d1e2f"},
                    "data": {"source": "api", "jobId": "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11"},
                }
            ]
        }
    )

    id: str = Field(description="Unique and stable: use it to skip an event that you have already processed.")
    type: str = Field(description="What happened, with the version of `data`.", examples=["lead.created.v1"])
    subject: EventSubject
    at: datetime = Field(description="Start of the transaction that recorded it.")
    actor: EventActor
    data: dict[str, JsonValue] = Field(description="Details, depending on the type.")


class EventPage(View):
    """A page of events, oldest first."""

    items: list[EventView]
    next_cursor: str = Field(description="Store it, and send it as `after` to read what comes next.")
    has_more: bool = Field(description="Whether more can be read now, even if the page is empty.")


class SystemStatus(View):
    """State of workers and queue, for `/ready` and `leadflood doctor`."""

    last_heartbeat_at: datetime | None
    heartbeat_age_seconds: float | None
    effects_on_hold: bool = Field(description="Whether outgoing email is on hold. Requests are still served.")
    workers: int = Field(description="Workers online in the last 30 seconds.")
    running_jobs: int


def job_view(row: Any) -> JobView:  # noqa: ANN401  a row of job_executions
    """The view of a row."""
    waiting = row.status == JobStatus.QUEUED and row.waiting_for is not None
    return JobView(
        id=row.id,
        kind=row.kind,
        status=JobStatus(row.status),
        subject_id=row.subject_id,
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        next_attempt_at=row.next_attempt_at if row.status == JobStatus.QUEUED else None,
        waiting_until=row.next_attempt_at if waiting and row.awaited_id is None else None,
        waiting_for=row.waiting_for if waiting else None,
        on_hold=row.on_hold and row.status == JobStatus.QUEUED,
        last_error=row.last_error,
        cause=row.cause or None,
        progress=_progress(row.progress),
        failures=[_failure(failure) for failure in row.failures],
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
        job_id=None if row.subject_kind else row.job_id,
        subject_kind=row.subject_kind,
        subject_count=row.subject_count or 0,
        status=OutboxStatus(row.status),
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at if waiting else None,
        last_error=row.last_error,
        cause=row.cause or None,
        created_at=row.created_at,
        processed_at=row.processed_at,
    )


def _progress(stored: dict[str, int] | None) -> JobProgress | None:
    return JobProgress(processed=stored["done"], total=stored["total"]) if stored else None


def _failure(entry: dict[str, Any]) -> AttemptFailure:
    return AttemptFailure(
        attempt=entry["attempt"],
        at=datetime.fromisoformat(entry["at"]),
        error=entry["error"],
        worker_id=UUID(entry["workerId"]) if entry.get("workerId") else None,
    )
