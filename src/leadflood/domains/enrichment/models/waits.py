"""Times that servers ask callers to wait. Pure."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

DEFAULT_WAIT: Final = timedelta(minutes=5)
"""After a 429 that does not say when to ask again."""
MAX_WAIT: Final = timedelta(days=1)
"""A longer `Retry-After` is shortened to this."""


def retry_after(text: str, now: datetime) -> timedelta | None:
    """The wait of a `Retry-After` header (RFC 9110, 10.2.3), at most a day; None where there is none."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return MAX_WAIT if len(text) > len("86400") else min(timedelta(seconds=int(text)), MAX_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at - now, timedelta(0)), MAX_WAIT)
