"""Jobs: durable asynchronous work, its states, and delays between attempts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from pydantic_core import from_json

from leadflood.kernel.queue.ports import Priority
from leadflood.kernel.schema import StoredJson

LOST_IN_QUEUE_AFTER = 300.0
"""Seconds after which a queued job that is due gets a second message."""

SUSPECT_AFTER = 2
"""Losses with a worker after which a job runs in a separate process."""

UNCOUNTED_LOSSES = 5
"""Losses with a worker that do not count as attempts: other jobs of the worker may have caused them."""

MAX_REASON = 1000
MAX_CAUSE = 200
MAX_IDS = 1000
"""Maximum jobs or events named in one request."""

MAX_PER_REQUEST = 5000
"""Maximum failures of one cause that a request retries itself; a job retries more."""

MAX_SUBJECTS = 500
"""Maximum subjects per row of domain events, and per listener call in the same transaction."""

OUTBOX_MAX_ATTEMPTS = 5
STALE_PROCESSING_SECONDS = 60


class JobStatus(StrEnum):
    """`queued → running → completed | failed`; a failed attempt with retries left returns to `queued`."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class OutboxStatus(StrEnum):
    """`pending → processing → sent`, or `failed` (will be retried), or `dead_letter`."""

    PENDING = "pending"
    PROCESSING = "processing"
    SENT = "sent"
    FAILED = "failed"
    DEAD_LETTER = "dead_letter"


class Payload(StoredJson):
    """Payload of a job; keep it small. A change of its fields is a new kind of job."""


class NoPayload(Payload):
    """The payload of a job without parameters, such as a purge."""


P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class JobKind(Generic[P]):
    """Kind of a job. The name carries a version: a change of payload is a new kind."""

    name: str
    payload: type[P]
    max_attempts: int = 5
    priority: Priority = Priority.NORMAL
    outgoing: bool = False
    """Whether it has effects outside this installation, such as an email: during a hold it waits."""

    unique: bool = False
    """Whether only one is queued or runs per subject: see `leadflood.domains.jobs.service.enqueue`."""

    former_name: str | None = None
    """Name in the previous release, whose processes may still queue jobs of it during a deploy."""


@dataclass(frozen=True, slots=True)
class NewJob(Generic[P]):
    """A job to enqueue. `trace` has `traceparent` and `request_id` of its cause.

    `id` is for callers that must know it in advance; otherwise it is new. `priority`: overrides the kind's.
    """

    kind: JobKind[P]
    payload: P
    subject_id: UUID | None = None
    trace: Mapping[str, str] = field(default_factory=dict)
    id: UUID | None = None
    priority: Priority | None = None

    @property
    def urgency(self) -> Priority:
        """The priority in the queue."""
        return self.kind.priority if self.priority is None else self.priority


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job claimed by a worker: `attempt` is the fencing token of all its writes.

    `payload` is the JSON as it is stored, which only the job's definition reads.
    """

    workspace_id: UUID
    id: UUID
    kind: str
    attempt: int
    max_attempts: int
    payload: str
    subject_id: UUID | None
    trace: Mapping[str, str]
    created_at: datetime
    started_at: datetime | None = None
    losses: int = 0
    """Number of consecutive attempts that were lost with their worker."""

    priority: Priority = Priority.NORMAL

    @property
    def key(self) -> tuple[UUID, UUID, int]:
        """Workspace, job and attempt: the guard of all writes."""
        return (self.workspace_id, self.id, self.attempt)

    def failed_attempts(self, allowed: int) -> int:
        """Attempts before this one that counted: for each of the others, one more is allowed.

        Args: allowed: attempts of its kind.
        """
        return max(0, self.attempt - 1 - (self.max_attempts - allowed))


def job_backoff(attempt: int, random_unit: Callable[[], float]) -> float:
    """Seconds before the attempt after `attempt`: full jitter over 4 s doubling to 10 minutes, at least 1 s.

    Full jitter as in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
    """
    return max(1.0, random_unit() * min(600.0, 4.0 * 2.0 ** min(attempt - 1, 8)))


def outbox_backoff(attempts: int, random_unit: Callable[[], float]) -> float:
    """Seconds before an event is published again: 5 s doubling to 60 s, less up to a fifth as jitter."""
    return min(60.0, 5.0 * 2.0 ** (attempts - 1)) * (1.0 - 0.2 * random_unit())


def readable_trace(stored: str) -> dict[str, str]:
    """The trace of a stored job, without non-text values: a damaged trace must not prevent the job."""
    try:
        value = from_json(stored)
    except ValueError:
        return {}
    if not isinstance(value, Mapping):
        return {}
    return {name: item for name, item in value.items() if isinstance(item, str)}


_TELLING = 500
"""Characters of a reason that identify its cause: more would cost time and rarely help."""

# The varying parts of failures with the same cause, most specific form first. Everything matched has a digit, a
# quotation mark or another character that no placeholder has, so that a cause is its own cause.
_PARTICULAR = re.compile(
    r"""
    (?P<same>  \b(?:HTTP|SMTP|SQLSTATE|[Ss]tatus|[Cc]ode|[Ee]rrno)[ =:]{1,2}\d+\b )
  | (?P<value> "[^"]*" | `[^`]*` | (?<!\w)'[^']*'(?!\w)
             | \u201c[^\u201d]*\u201d | \u2018[^\u2019]*\u2019 | \u00ab[^\u00bb]*\u00bb )
  | (?P<url>   \b[a-z][a-z0-9+.-]*://[^\s"'<>]+ )
  | (?P<email> [^\s"<>@]+@[\w-]+(?:\.[\w-]+)* )
  | (?P<time>  \b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?(?!\w) )
  | (?P<id>    \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b | \b(?=(?:\w*?\d){3})(?!\d+\b)\w{8,}\b )
  | (?P<host>  \b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b | \b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}\b )
  | (?P<n>     [+-]?\d+(?:[.,:]\d+)* )
    """,
    re.VERBOSE,
)


def cause_of(error: str) -> str:
    """The common cause of failures: their reason without IDs, numbers, addresses and values.

    At most 200 characters; never empty. `cause_of(cause_of(error))` is `cause_of(error)`.
    """
    cause = storable_reason(error)[:_TELLING]
    while (reduced := " ".join(_PARTICULAR.sub(_placeholder, cause).split())[:MAX_CAUSE].rstrip()) != cause:
        cause = reduced
    return cause or "No reason given."


def _placeholder(found: re.Match[str]) -> str:
    return found[0] if found.lastgroup == "same" else f"<{found.lastgroup}>"


def storable_reason(text: str) -> str:
    """The stored reason of a failure: characters that PostgreSQL cannot store become `?`, at most 1000 characters."""
    return text[:MAX_REASON].encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")
