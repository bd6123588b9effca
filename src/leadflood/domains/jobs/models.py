"""Jobs: one durable piece of asynchronous work, its states, and how long to wait between attempts."""

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
"""Seconds after which a queued job that is due gets a second ticket."""

SUSPECT_AFTER = 2
"""Losses with a worker after which a job runs in a process of its own."""

UNCOUNTED_LOSSES = 5
"""Losses with a worker that do not count as attempts: others that it ran may have caused them."""

MAX_REASON = 1000
MAX_CAUSE = 200
MAX_IDS = 1000
"""Jobs or events that one request may name."""

MAX_PER_REQUEST = 5000
"""Failures of one cause that are retried while the caller waits; more are a job's work."""

MAX_SUBJECTS = 500
"""Subjects of one row of domain events, and those for which a listener runs in the same transaction."""

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
    """What a job is about, small. A change of its fields is a new kind of job."""


class NoPayload(Payload):
    """The payload of a job that is about nothing in particular, such as a sweep."""


P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class JobKind(Generic[P]):
    """What is to be done. The name carries a version: a change of payload is a new kind."""

    name: str
    payload: type[P]
    max_attempts: int = 5
    priority: Priority = Priority.NORMAL
    outgoing: bool = False
    """Whether it has effects outside this installation, such as a mail: while they are on hold, it waits."""

    unique: bool = False
    """Whether one at a time is queued or runs for a subject: see `leadflood.domains.jobs.service.enqueue`."""


@dataclass(frozen=True, slots=True)
class NewJob(Generic[P]):
    """A job to enqueue. `trace` holds `traceparent` and `request_id` of its cause.

    `id` is for callers that must know it beforehand; the others get a fresh one. `priority`: another than the kind's.
    """

    kind: JobKind[P]
    payload: P
    subject_id: UUID | None = None
    trace: Mapping[str, str] = field(default_factory=dict)
    id: UUID | None = None
    priority: Priority | None = None

    @property
    def urgency(self) -> Priority:
        """The priority that it is queued with."""
        return self.kind.priority if self.priority is None else self.priority


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job as claimed by a worker: `attempt` is the fencing token of everything it writes.

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
    """How often it was lost with its worker, one time after the other."""

    @property
    def key(self) -> tuple[UUID, UUID, int]:
        """Workspace, job and attempt: what guards each write."""
        return (self.workspace_id, self.id, self.attempt)


def job_backoff(attempt: int, random_unit: Callable[[], float]) -> float:
    """Seconds before the attempt after `attempt`: full jitter over 4 s doubling to 10 minutes, at least 1 s.

    Full jitter as in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
    """
    return max(1.0, random_unit() * min(600.0, 4.0 * 2.0 ** min(attempt - 1, 8)))


def outbox_backoff(attempts: int, random_unit: Callable[[], float]) -> float:
    """Seconds before an event is published again: 5 s doubling to 60 s, with up to a fifth taken off as jitter."""
    return min(60.0, 5.0 * 2.0 ** (attempts - 1)) * (1.0 - 0.2 * random_unit())


def readable_trace(stored: str) -> dict[str, str]:
    """The trace of a stored job, without what is not text: a damaged trace must not keep its job from running."""
    try:
        value = from_json(stored)
    except ValueError:
        return {}
    if not isinstance(value, Mapping):
        return {}
    return {name: item for name, item in value.items() if isinstance(item, str)}


_TELLING = 500
"""Characters of a reason that identify its cause: more would cost time and rarely help."""

# What differs between two failures for the same cause, most specific form first. Whatever is found holds a digit, a
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
    """What failures of the same kind have in common: their reason without ids, numbers, addresses and values.

    At most 200 characters; never empty. `cause_of(cause_of(error))` is `cause_of(error)`.
    """
    cause = storable_reason(error)[:_TELLING]
    while (reduced := " ".join(_PARTICULAR.sub(_placeholder, cause).split())[:MAX_CAUSE].rstrip()) != cause:
        cause = reduced
    return cause or "No reason given."


def _placeholder(found: re.Match[str]) -> str:
    return found[0] if found.lastgroup == "same" else f"<{found.lastgroup}>"


def storable_reason(text: str) -> str:
    """The reason of a failure as it is kept: what PostgreSQL cannot store becomes `?`, at most 1000 characters."""
    return text[:MAX_REASON].encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")
