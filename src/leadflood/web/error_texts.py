"""Error pages in the words of people who do not use the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from leadflood.kernel.db.errors import DatabaseUnavailable, LockConflict
from leadflood.kernel.errors import AppError, DeadlineExceeded, InvalidCursor


@dataclass(frozen=True, slots=True)
class ShownError:
    """Heading and text of an error page."""

    title: str
    text: str


_TEXTS: Final[Mapping[type[AppError], ShownError]] = {
    InvalidCursor: ShownError("This page link has expired", "The list has changed since. Show it from its start."),
    DatabaseUnavailable: ShownError("We’ll be right back", "The service is temporarily unavailable."),
    LockConflict: ShownError("Someone else is changing this", "Nothing was saved. Try again in a moment."),
    DeadlineExceeded: ShownError("This took too long", "The server is busy. Try again in a moment."),
}


def shown_error(error: AppError) -> ShownError:
    """The texts of an error. Errors without texts of their own keep those of the API."""
    return _TEXTS.get(type(error)) or ShownError(error.title, error.detail)
