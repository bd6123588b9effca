"""Failures of attempts, and errors of requests about jobs."""

from datetime import datetime
from uuid import UUID

from leadflood.kernel.errors import AppError, Conflict, NotFound


class Retryable(Exception):
    """The attempt failed for a temporary reason: the queue repeats it, at `retry_at` if the other side named a time."""

    def __init__(self, reason: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_at = retry_at


class Terminal(Exception):
    """The attempt failed permanently: the job fails now."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AttemptLost(Exception):
    """Another attempt runs the job, or an operator cancelled it: this attempt must not write any more."""

    def __init__(self, job_id: UUID, attempt: int) -> None:
        super().__init__(f"attempt {attempt} of job {job_id} is over")


class JobNotFound(NotFound):
    """No job with this ID in the workspace."""

    code = "job_not_found"
    title = "Job not found"

    def __init__(self) -> None:
        super().__init__("No job with this ID in your workspace.")


class EventNotFound(NotFound):
    """No outbox event with this ID in the workspace."""

    code = "outbox_event_not_found"
    title = "Event not found"

    def __init__(self) -> None:
        super().__init__("No outbox event with this ID in your workspace.")


class JobNotRetryable(Conflict):
    """The job is not `failed`."""

    code = "job_not_retryable"
    title = "Job can't be retried"
    remedy = "Retry only jobs whose `status` is `failed`."


class JobNotCancellable(Conflict):
    """The job has already ended."""

    code = "job_not_cancellable"
    title = "Job can't be canceled"
    remedy = "Nothing to do: the job has already ended."


class CursorExpired(AppError):
    """The cursor is too old: events after it may have been deleted."""

    code = "cursor_expired"
    status = 410
    title = "Cursor expired"
    remedy = "Read the current state, then read events from the start, without a cursor."

    def __init__(self) -> None:
        super().__init__(
            "Events after this cursor have been removed. Read the current state, then read events without a cursor."
        )


class EventNotDeadLettered(Conflict):
    """The event is not dead-lettered."""

    code = "outbox_event_not_dead_lettered"
    title = "Event can't be replayed"
    remedy = "Replay only events whose `status` is `dead_letter`."
