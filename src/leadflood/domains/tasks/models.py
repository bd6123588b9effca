"""Tasks by when they are due, and limits."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

MAX_TITLE: Final = 200
NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Due time of a task without a due date."""
_LONG_AGO: Final = datetime(1, 1, 2, tzinfo=UTC)


class TaskState(StrEnum):
    """Tasks of a list. All but `done` are open."""

    OPEN = "open"
    OVERDUE = "overdue"
    TODAY = "today"
    UPCOMING = "upcoming"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Span:
    """Times at which tasks are due: after `after`, and until `until`."""

    after: datetime
    until: datetime


def due_at(due_on: date | None, zone: ZoneInfo) -> datetime:
    """The end of a day in a time zone: a task is overdue from then on. `NEVER` without a day."""
    if due_on is None:
        return NEVER
    return datetime.combine(due_on + timedelta(days=1), time(), zone).astimezone(UTC)


def due_by_tonight(now: datetime, zone: ZoneInfo) -> Span:
    """Due times of tasks that are overdue, or due today in a time zone."""
    return Span(_LONG_AGO, due_at(now.astimezone(zone).date(), zone))


def span_of(state: TaskState, now: datetime, zone: ZoneInfo) -> Span:
    """Due times of the tasks of a list. `zone`: of the reader, for today."""
    tonight = due_at(now.astimezone(zone).date(), zone)
    spans = {
        TaskState.OVERDUE: Span(_LONG_AGO, now),
        TaskState.TODAY: Span(now, tonight),
        TaskState.UPCOMING: Span(tonight, NEVER - timedelta(seconds=1)),
    }
    return spans.get(state, Span(_LONG_AGO, NEVER))
