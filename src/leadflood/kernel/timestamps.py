"""Times in input."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from leadflood.kernel.clock import utc_now
from leadflood.kernel.text import FromText, InvalidValue

_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_TOLERANCE: Final = timedelta(minutes=5)
"""Lead of the clock of a caller that is accepted."""


def parse_timestamp(text: str) -> datetime:
    """A time with its zone (RFC 3339), in UTC. Raises: InvalidValue."""
    try:
        moment = datetime.fromisoformat(text)
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = 'Must be an RFC 3339 time, such as "2026-03-01T09:30:00Z".'
        raise InvalidValue(message) from error
    if moment.tzinfo is None:
        message = 'Add the time zone, such as "Z" at the end.'
        raise InvalidValue(message)
    return in_utc


def parse_past_time(text: str) -> datetime:
    """A time between 1990 and now, or a date, which is its beginning in UTC. Raises: InvalidValue."""
    given = text.strip()
    at = parse_timestamp(f"{given}T00:00:00Z" if _DAY.fullmatch(given) else given)
    if not _EARLIEST <= at <= utc_now() + _TOLERANCE:
        message = "Must be between 1990 and now."
        raise InvalidValue(message, "out_of_range")
    return at


Timestamp = Annotated[datetime, FromText(parse_timestamp, {"format": "date-time"})]
"""A time in a contract or a query, converted to UTC."""
PastTime = Annotated[
    datetime,
    FromText(parse_past_time, {"description": "A date, or a time with its zone. A date is its beginning in UTC."}),
]
"""Time of something that happened."""
