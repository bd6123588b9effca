"""Times in input."""

from datetime import UTC, datetime
from typing import Annotated

from leadflood.kernel.text import FromText, InvalidValue


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


Timestamp = Annotated[datetime, FromText(parse_timestamp, {"format": "date-time"})]
"""A time in a contract or a query, converted to UTC."""
