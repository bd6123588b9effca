"""The clock. Stored times come from the database's `now()`; this clock is for times that are not stored."""

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Current time of this process, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a monotonic clock, for durations."""
    return time.monotonic()
