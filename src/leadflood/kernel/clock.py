"""The clock. Stored times come from the database's `now()`; this one is for what never reaches a table."""

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The wall clock of this process, with time zone UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a clock that never steps back, for durations."""
    return time.monotonic()
