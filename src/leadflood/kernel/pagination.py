"""Keyset pagination: an encrypted cursor has the sort position of the last row, so that inserts do not disturb it."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import Sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import FieldError, InvalidCursor
from leadflood.kernel.timestamps import parse_timestamp

MAX_PAGE_SIZE = 200
DEFAULT_PAGE_SIZE = 50

_NUMBER = re.compile("[0-9]{1,9}")
_SIGNED_NUMBER = re.compile("-?[0-9]{1,9}")
_SERIAL = re.compile("[0-9]{1,18}")
_UNFIT = re.compile("[\0\ud800-\udfff]")  # a character that PostgreSQL text cannot contain

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Position:
    """The sort value and ID of a row; the next page starts after it.

    A list reads the value in its sort type: `time`, `number`, `signed_number`, `serial`, `key`, or `value` for text. A
    value of another type, as written by a release with another sort order, raises InvalidCursor.
    """

    value: str
    id: UUID

    @classmethod
    def at(cls, value: datetime | int | str | UUID, row_id: UUID) -> Self:
        """The position of a row sorted by `value`."""
        return cls(value.isoformat() if isinstance(value, datetime) else str(value), row_id)

    @property
    def time(self) -> datetime:
        """The value of a list sorted by a time."""
        return self._value_as(parse_timestamp)

    @property
    def number(self) -> int:
        """The value of a list sorted by a number of at most 9 digits."""
        if not _NUMBER.fullmatch(self.value):
            raise _bad_cursor()
        return int(self.value)

    @property
    def signed_number(self) -> int:
        """The value of a list sorted by a number of at most 9 digits that can be negative."""
        if not _SIGNED_NUMBER.fullmatch(self.value):
            raise _bad_cursor()
        return int(self.value)

    @property
    def serial(self) -> int:
        """The value of a list sorted by a row number of at most 18 digits: any that fits a `bigint` column."""
        if not _SERIAL.fullmatch(self.value):
            raise _bad_cursor()
        return int(self.value)

    @property
    def key(self) -> UUID:
        """The value of a list sorted by a second ID."""
        return self._value_as(UUID)

    @property
    def text_and_time(self) -> tuple[str, datetime]:
        """The value of a list sorted by a text without spaces, then by a time."""
        text, space, _ = self.value.partition(" ")
        if not space:
            raise _bad_cursor()
        return text, Position(self.value.removeprefix(f"{text} "), self.id).time

    @property
    def optional(self) -> str | None:
        """The value of a list sorted by a text that may be missing."""
        if self.value and not self.value.startswith("="):
            raise _bad_cursor()
        return self.value[1:] if self.value else None

    @property
    def optional_number(self) -> int | None:
        """The value of a list sorted by a number of at most 9 digits that may be missing, or negative."""
        text = self.optional
        return None if text is None else Position(text, self.id).signed_number

    @property
    def optional_fraction(self) -> float | None:
        """The value of a list sorted by a number with a fraction that may be missing."""
        text = self.optional
        try:
            return None if text is None else float(text)
        except ValueError as error:
            raise _bad_cursor() from error

    def _value_as(self, parse: Callable[[str], T]) -> T:
        try:
            return parse(self.value)
        except ValueError as error:
            raise _bad_cursor() from error


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of rows, and the position after it; `after` is None at the end."""

    items: Sequence[T]
    after: Position | None

    def map(self, shape: Callable[[T], U]) -> "Page[U]":
        """The same page with every row converted."""
        return Page([shape(item) for item in self.items], self.after)


def cut(rows: Sequence[T], limit: int, position: Callable[[T], Position]) -> Page[T]:
    """A page of at most `limit` from a query for `limit + 1` rows: the extra row shows that there is more."""
    items = rows[:limit]
    return Page(items, position(items[-1]) if len(rows) > limit else None)


async def page_by_id(
    tx: Transaction, statement: Sql, sought: Mapping[str, Any], *, after: Position | None, limit: int
) -> Page[Row]:
    """A page of a list sorted by ID. The statement's parameters are the given ones, `after` and `limit`."""
    rows = await tx.all(statement, {**sought, "after": after.id if after else None, "limit": limit + 1})
    return cut(rows, limit, lambda row: Position.at(row.id, row.id))


class Cursors:
    """Writes and reads cursors. Each is encrypted for one workspace and one list with its sort and filters."""

    def __init__(self, secret_box: SecretBox) -> None:
        self._secret_box = secret_box

    def write(self, position: Position, workspace_id: UUID, scope: str) -> str:
        """The cursor for the page after `position`. `scope` names the list with its sort and filters."""
        body = json.dumps([position.value, str(position.id)], ensure_ascii=False).encode()
        return urlsafe_b64encode(self._secret_box.encrypt(body, _context(workspace_id, scope))).decode().rstrip("=")

    def read(self, cursor: str, workspace_id: UUID, scope: str) -> Position:
        """Raises: InvalidInput: the cursor was changed, or belongs to another workspace or list."""
        try:
            sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            body = self._secret_box.decrypt(sealed, _context(workspace_id, scope))
            if body is None or urlsafe_b64encode(sealed).decode().rstrip("=") != cursor:
                raise _bad_cursor()
            value, row_id = json.loads(body)
            if _UNFIT.search(value):
                raise _bad_cursor()
            return Position(value, UUID(str(row_id)))
        except (ValueError, TypeError) as error:
            raise _bad_cursor() from error


def _context(workspace_id: UUID, scope: str) -> bytes:
    return b"cursor" + workspace_id.bytes + scope.encode("utf-8", "surrogatepass")


def _bad_cursor() -> InvalidCursor:
    message = "Use the cursor exactly as the previous page gave it, with the same sort and filters, or leave it out."
    return InvalidCursor("The cursor has expired.", errors=[FieldError("?cursor", "invalid_cursor", message)])
