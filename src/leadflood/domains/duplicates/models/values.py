"""Values of fields in normalized form, and their similarity."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from rapidfuzz.distance import OSA, JaroWinkler

from leadflood.kernel.field_types import FieldType, FieldValue
from leadflood.kernel.text import search_key


class ValueKind(StrEnum):
    """Kind of comparison. The values are stored."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    CHOICE = "choice"
    SET = "set"
    URL = "url"


class Level(IntEnum):
    """Similarity level of two values."""

    EXACT = 0
    SIMILAR = 1
    DIFFERENT = 2


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """A value in normalized form: equal values have equal keys."""

    kind: ValueKind
    key: str


KINDS: Final[Mapping[FieldType, ValueKind]] = {
    FieldType.TEXT: ValueKind.TEXT,
    FieldType.NUMBER: ValueKind.NUMBER,
    FieldType.DATE: ValueKind.DATE,
    FieldType.BOOLEAN: ValueKind.CHOICE,
    FieldType.CHOICE: ValueKind.CHOICE,
    FieldType.MULTI_CHOICE: ValueKind.SET,
    FieldType.URL: ValueKind.URL,
}
"""Kinds by type of field. A field that names a user does not identify a lead."""


def comparable(value: FieldValue, kind: ValueKind | None = None) -> ComparedValue | None:
    """The normalized form of a value; None if it is empty. Without a kind, the value decides."""
    kind = kind or _kind_of(value)
    match value:
        case bool():
            key = "yes" if value else "no"
        case list():
            key = "\n".join(sorted(map(search_key, value)))
        case str():
            key = search_key(value[:_COMPARED_CHARACTERS])
        case _:
            key = repr(float(value))
    if kind is ValueKind.URL:
        key = _SCHEME.sub("", key).rstrip("/")
    return ComparedValue(kind, key) if key else None


def level_of(one: ComparedValue, two: ComparedValue) -> Level:
    """Similarity level of two values. Dates are similar if two digits differ at most, or day and month are swapped."""
    if one.key == two.key:
        return Level.EXACT
    return Level.SIMILAR if _SIMILAR[one.kind](one.key, two.key) else Level.DIFFERENT


_COMPARED_CHARACTERS: Final = 200
_SCHEME: Final = re.compile(r"^https?://(?:www\.)?")
_ISO_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[t ].*)?")
_DATE_SLIPS: Final = 2
_MIN_SIMILAR: Final = 4
_LONG: Final = 9
_ALIKE: Final = 0.92


def _kind_of(value: FieldValue) -> ValueKind:
    match value:
        case bool():
            return ValueKind.CHOICE
        case int() | float():
            return ValueKind.NUMBER
        case list():
            return ValueKind.SET
        case _:
            return ValueKind.DATE if _ISO_DATE.fullmatch(value.lower()) else ValueKind.TEXT


def _similar_dates(one: str, two: str) -> bool:
    a, b = _ISO_DATE.fullmatch(one), _ISO_DATE.fullmatch(two)
    if not a or not b:
        return False
    if a[1] == b[1] and (a[2], a[3]) == (b[3], b[2]):
        return True
    first, second = "".join(a.groups()), "".join(b.groups())
    return sum(x != y for x, y in zip(first, second, strict=True)) <= _DATE_SLIPS or OSA.distance(first, second) <= 1


def _similar_texts(one: str, two: str) -> bool:
    short, long = sorted((len(one), len(two)))
    if short < _MIN_SIMILAR:
        return False
    if OSA.distance(one, two, score_cutoff=2) <= (2 if long >= _LONG else 1):
        return True
    return JaroWinkler.similarity(one, two) >= _ALIKE


def _overlap(one: str, two: str) -> bool:
    return not set(one.split("\n")).isdisjoint(two.split("\n"))


def _same_host(one: str, two: str) -> bool:
    return one.partition("/")[0] == two.partition("/")[0]


_SIMILAR: Final[Mapping[ValueKind, Callable[[str, str], bool]]] = {
    ValueKind.TEXT: _similar_texts,
    ValueKind.DATE: _similar_dates,
    ValueKind.NUMBER: lambda _one, _two: False,
    ValueKind.CHOICE: lambda _one, _two: False,
    ValueKind.SET: _overlap,
    ValueKind.URL: _same_host,
}
"""Whether two different values are similar, by kind."""
