"""Jobs and outbox events as the API shows them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, Strict

from leadflood.domains.jobs.models import LONGEST_CAUSE, MOST_IDS, JobStatus, OutboxStatus
from leadflood.kernel.contract import Contract, Count, View

Kind = Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9._-]+$", examples=["leads.enrich.v1"])]
"""A kind of job or event, as a caller names it."""

Cause = Annotated[str, Field(max_length=LONGEST_CAUSE, pattern=r"^[^\x00]*$", examples=["No such mailbox: <email>"])]
"""The cause of a failure, exactly as it was shown."""


_ID = "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11"


class RetryJobs(Contract):
    """Which failed jobs to retry."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": [_ID]}]})

    ids: list[Annotated[UUID, Strict(strict=False)]] = Field(min_length=1, max_length=MOST_IDS)


class RetryCause(Contract):
    """Retry all jobs of a kind that failed for the same cause."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cause": "No such mailbox: <email>", "kind": "leads.enrich.v1"}]}
    )

    cause: Cause
    kind: Kind


class ReplayEvents(Contract):
    """Which dead-lettered events to replay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": [_ID]}]})

    ids: list[Annotated[UUID, Strict(strict=False)]] = Field(min_length=1, max_length=MOST_IDS)


class ReplayCause(Contract):
    """Replay all events of a kind that were dead-lettered for the same cause."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cause": "Not published in <n> attempts.", "kind": "job.queued"}]}
    )

    cause: Cause
    kind: Kind


class Refusal(View):
    """One of several that was left as it is, and why."""

    id: UUID
    code: str = Field(description="As the `code` of the problem that a request for this one alone gets.")
    detail: str


class BulkOutcome(View):
    """What became of many at once. Either they are done, or a job has been queued that does them."""

    done: int = Field(description="How many were brought back.")
    refused: list[Refusal] = Field(description="Those among the ids asked for that were left as they are.")
    job_id: UUID | None = Field(description="The job that does it, where there are too many for one request.")


class CauseGroup(View):
    """Failures of one kind for one cause."""

    cause: str = Field(
        description="The reason without ids, numbers, addresses and values. Empty where none was kept.",
        examples=["No such mailbox: <email>"],
    )
    kind: str
    count: Count
    newest_id: UUID = Field(description="The newest of them, as an example.")
    newest_error: str | None = Field(description="The reason of that one as it was.")
    newest_at: datetime = Field(description="When that one failed.")


class CauseGroups(View):
    """Failures by kind and cause, the most frequent first."""

    items: list[CauseGroup]
    complete: bool = Field(description="False where there are more causes than are listed.")


class JobProgress(View):
    """How far a long job is."""

    done: int
    total: int


class QueueView(View):
    """The queue of the workspace."""

    due: Count = Field(description="Jobs that could start now.")
    waiting: Count = Field(description="Jobs that wait for their time: the next attempt after a failure, mostly.")
    running: Count
    oldest_due_at: datetime | None = Field(description="Since when the job could start that waits longest.")
    oldest_due_seconds: float | None = Field(description="How long that is.")


class WorkerView(View):
    """A worker process. It serves all workspaces."""

    id: UUID
    host: str
    pid: int
    version: str
    running_jobs: int = Field(description="Jobs that it ran when it was last seen, of all workspaces.")
    started_at: datetime
    last_seen_at: datetime
    alive: bool = Field(description="Whether it was seen in the last 30 seconds. Silent ones are listed for a day.")


class WorkerList(View):
    """All workers, the living first."""

    items: list[WorkerView]


class CloseHold(Contract):
    """Why nothing may leave this installation."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Rehearsing a restore"}]})

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class HoldView(View):
    """Whether outgoing effects (mail) may leave this installation."""

    closed: bool
    closed_at: datetime | None
    reason: str = Field(description="Why it is closed; empty while it is open.")
    differences: list[str] = Field(description="In what this installation differs from the one that was recorded.")
    instance_id: str
    waiting: dict[str, int] = Field(description="Queued jobs that send something, by their kind, of all workspaces.")


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
    waiting_until: datetime | None = Field(
        description="Until when it waits for something that is no failure; null unless it does."
    )
    waiting_for: str | None = Field(description="What it waits for; null unless it waits.")
    on_hold: bool = Field(description="Whether it waits until outgoing effects are no longer on hold.")
    last_error: str | None
    cause: str | None = Field(description="The reason without ids, numbers, addresses and values: see failures.")
    progress: JobProgress | None = Field(description="How far it is; null for a job that does one thing.")
    failures: list[AttemptFailure]
    created_at: datetime
    started_at: datetime | None = Field(description="When the latest attempt started.")
    finished_at: datetime | None

    @property
    def shown_state(self) -> str:
        """The state as people are shown it."""
        if self.on_hold:
            return "on_hold"
        if self.waiting_until is not None:
            return "waiting"
        return "retrying" if self.retrying else self.status

    @property
    def retrying(self) -> bool:
        """Whether it waits for another attempt, after one that failed."""
        ready = not self.on_hold and self.waiting_until is None
        return self.status is JobStatus.QUEUED and self.attempts > 0 and ready


class OutboxEventView(View):
    """An event of the outbox: what had to be published, and whether it was."""

    id: UUID
    kind: str = Field(examples=["job.queued"])
    job_id: UUID
    status: OutboxStatus
    attempts: int
    next_attempt_at: datetime | None = Field(description="When it is tried next; null once sent or dead-lettered.")
    last_error: str | None
    cause: str | None = Field(description="The reason without ids, numbers, addresses and values.")
    created_at: datetime
    processed_at: datetime | None


class SystemStatus(View):
    """What `/ready` and `leadflood doctor` say of workers and queue."""

    last_heartbeat_at: datetime | None
    heartbeat_age_seconds: float | None
    effects_on_hold: bool = Field(
        description="Whether mails wait until an operator opens the hold. Requests are served all the same."
    )
    workers: int = Field(description="Workers seen in the last 30 seconds.")
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
        waiting_until=row.next_attempt_at if waiting else None,
        waiting_for=row.waiting_for if waiting else None,
        on_hold=row.on_hold and row.status == JobStatus.QUEUED,
        last_error=row.last_error,
        cause=row.cause or None,
        progress=JobProgress(**row.progress) if row.progress else None,
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
        cause=row.cause or None,
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
