"""Fields that can be found about a person or a company: type, normalized form, lifetime and label of each.

The names are stored and permanent.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from leadflood.kernel.text import InvalidValue

FactValue: TypeAlias = str | bool | int | float
"""A stored value, as JSON."""


class SubjectKind(StrEnum):
    """The kind of subject that a fact is about. The values are stored."""

    LEAD = "lead"
    COMPANY = "company"


class FactType(StrEnum):
    """Type of a field's value. Of dates, ISO 8601 is stored."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    YEAR = "year"
    URL = "url"
    DOMAIN = "domain"
    EMAIL = "email"
    PHONE = "phone"
    COUNTRY = "country"
    LANGUAGE = "language"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, eq=False)
class FactField:
    """A field of a subject. There is one object per field, so that comparing and hashing are those of objects: fast.

    Attributes:
        subject: the kind of subject.
        name: stored name, unique per kind of subject.
        label: for people.
        type: of a value.
        time_to_live: age at which the confidence in a value is half of what it was.
        normalise: the stored form of a value. Raises InvalidValue for one that is none of this field.
        compare: the common key of all spellings of a stored value; sources whose values share it agree.
        multiple: whether there may be several values, each with a confidence of its own.
        fills: name of the field of a lead that the value is one for.
    """

    subject: SubjectKind
    name: str
    label: str
    type: FactType
    time_to_live: timedelta
    normalise: Callable[[FactValue], FactValue] = field(repr=False)
    compare: Callable[[FactValue], str] = field(repr=False)
    multiple: bool = False
    fills: str | None = None


@dataclass(frozen=True, slots=True)
class FieldKind:
    """Type, normalized form and comparison that several fields share."""

    type: FactType
    normalise: Callable[[FactValue], FactValue]
    compare: Callable[[FactValue], str]


class FactCatalog:
    """The fields of one kind of subject, in the order in which they are shown."""

    def __init__(self, subject: SubjectKind) -> None:
        self.subject = subject
        self._fields: dict[str, FactField] = {}

    def __iter__(self) -> Iterator[FactField]:
        return iter(self._fields.values())

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def __getitem__(self, name: str) -> FactField:
        """Raises: KeyError: there is no such field."""
        return self._fields[name]

    def names(self) -> frozenset[str]:
        """Names of all fields."""
        return frozenset(self._fields)

    def add(
        self,
        name: str,
        label: str,
        kind: FieldKind,
        *,
        days: int,
        compare: Callable[[FactValue], str] | None = None,
        multiple: bool = False,
        fills: str | None = None,
    ) -> FactField:
        """Add a field, whose `time_to_live` is some days. `compare` replaces that of its kind.

        Raises: ValueError: the name is taken.
        """
        if name in self._fields:
            raise ValueError(f"Two fields of a {self.subject} are called {name}.")
        lifetime = timedelta(days=days)
        made = FactField(
            self.subject, name, label, kind.type, lifetime, kind.normalise, compare or kind.compare, multiple, fills
        )
        self._fields[name] = made
        return made


def require_text(value: FactValue) -> str:
    """The value, if it is a text. Raises: InvalidValue."""
    if not isinstance(value, str):
        raise InvalidValue("Must be a text.")
    return value
