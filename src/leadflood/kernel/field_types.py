"""Types of custom fields, and parsing of values: from JSON, from a form, and from a cell of a file.

The functions are pure. Parsing a parsed value gives it back unchanged. What does not fit is refused with `InvalidValue`
(a ValueError) whose message names the remedy.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from leadflood.kernel.name_lists import split_names
from leadflood.kernel.text import InvalidValue, clean_block, clean_line, search_key
from leadflood.kernel.web_address import normalise_website

MAX_TEXT: Final = 2000
MAX_OPTION: Final = 200
MAX_OPTIONS: Final = 200
MAX_SAFE_INTEGER: Final = 2**53 - 1

FieldValue: TypeAlias = str | int | float | bool | list[str]
"""Stored value of a custom field, as JSON."""


class FieldType(StrEnum):
    """Type of a custom field. The values are stored."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    MULTI_CHOICE = "multi_choice"
    URL = "url"
    PERSON = "person"
    """A member of the workspace, stored by ID."""

    @property
    def has_options(self) -> bool:
        """Whether its values come from a list."""
        return self in (FieldType.CHOICE, FieldType.MULTI_CHOICE)


def check_field_key(text: str) -> str:
    """The key of a custom field, unchanged. Raises: InvalidValue."""
    if not _KEY.fullmatch(text):
        message = "Use letters, digits and underscores (maximum 64), starting with a letter."
        raise InvalidValue(message)
    return text


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a choice: stored value and label."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class AllowedValues:
    """Allowed values besides the type: options of a choice, and members by ID and by address."""

    options: Sequence[Option] = ()
    people: Mapping[str, UUID] | None = None


_ANY: Final = AllowedValues()


def parse_value(kind: FieldType, value: object, allowed: AllowedValues = _ANY) -> FieldValue | None:
    """The stored form of a value; None for an empty one. Raises: InvalidValue."""
    if value is None or (isinstance(value, str) and not value.strip()) or value == []:
        return None
    return _PARSERS[kind](value, allowed)


def shown_value(value: object, options: Sequence[Option] = (), people: Mapping[str, str] | None = None) -> str:
    """A stored value as text. `people`: names by ID."""
    if isinstance(value, list):
        return "; ".join(shown_value(item, options) for item in value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    text = str(value)
    if people is not None and text in people:
        return people[text]
    return next((option.label for option in options if option.value == text), text)


def _text(value: object, _allowed: AllowedValues) -> FieldValue:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return clean_block(_string(value), max_length=MAX_TEXT)


def _number(value: object, _allowed: AllowedValues) -> FieldValue:
    if isinstance(value, str):
        value = _number_of(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = 'Must be a number, e.g. 12 or "12.5".'
        raise InvalidValue(message, "wrong_type")
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_SAFE_INTEGER:
        value = int(value)
    if not math.isfinite(value) or (isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER):
        message = f"Must be between -{MAX_SAFE_INTEGER} and {MAX_SAFE_INTEGER}."
        raise InvalidValue(message, "out_of_range")
    return value


def _number_of(text: str) -> float | int:
    """A number as people write it: with grouped thousands, a currency (which is left out) or as a percentage."""
    plain = _CURRENCY.sub("", _SPACES.sub("", text))
    if plain.endswith("%"):
        return float(Decimal(str(_number_of(plain[:-1]))) / 100)
    if _GROUPED_BY_COMMA.fullmatch(plain):
        plain = plain.replace(",", "")
    elif _GROUPED_BY_POINT.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    else:
        plain = plain.replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        message = "Must be a number, e.g. 12, 12.5 or 1,200."
        raise InvalidValue(message, "wrong_type")
    return float(plain) if _FRACTION.search(plain) else int(plain)


def _date(value: object, _allowed: AllowedValues) -> FieldValue:
    text = clean_line(_string(value), max_length=MAX_OPTION)
    return _date_of(text).isoformat()


def _date_of(text: str) -> date:
    if _ISO_DATE.match(text):
        try:
            return datetime.fromisoformat(text.replace("/", "-")).date()
        except ValueError:
            pass
    if slashes := _SLASHES.fullmatch(text):
        first, second, year = map(int, slashes.groups())
        if min(first, second) > _MONTHS_IN_YEAR or (first != second and max(first, second) <= _MONTHS_IN_YEAR):
            raise _no_date()
        day, month = (first, second) if first > _MONTHS_IN_YEAR else (second, first)
        return _calendar(year, month, day)
    if points := _POINTS.fullmatch(text):
        day, month, year = map(int, points.groups())
        return _calendar(year, month, day)
    named = _DAY_FIRST.fullmatch(text) or _MONTH_FIRST.fullmatch(text)
    if named:
        for month, name in enumerate(_MONTHS, start=1):
            if name.startswith(named["month"].lower()):
                return _calendar(int(named["year"]), month, int(named["day"]))
    raise _no_date()


def _calendar(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise _no_date() from error


def _no_date() -> InvalidValue:
    return InvalidValue("Must be a date, e.g. 2026-03-01 or 01.03.2026.")


def _boolean(value: object, _allowed: AllowedValues) -> FieldValue:
    if isinstance(value, bool):
        return value
    word = search_key(str(value)) if isinstance(value, str | int) else ""
    if word in _YES:
        return True
    if word in _NO:
        return False
    message = "Must be yes or no, or true or false."
    raise InvalidValue(message, "wrong_type")


def _choice(value: object, allowed: AllowedValues) -> FieldValue:
    return _option(_string(value), allowed.options)


def _multi_choice(value: object, allowed: AllowedValues) -> FieldValue:
    if isinstance(value, list):
        given = [_string(item) for item in value]
    else:
        text = _string(value)
        known = _by_name(allowed.options)
        given = [text] if search_key(text) in known else split_names(text)
    return list(dict.fromkeys(_option(item, allowed.options) for item in given))


def _option(text: str, options: Sequence[Option]) -> str:
    found = next((option.value for option in options if option.value == text), None)
    found = found or _by_name(options).get(search_key(text))
    if found is None:
        named = ", ".join(option.label for option in options[:_SHOWN_OPTIONS])
        message = f"Must be one of: {named}{', …' if len(options) > _SHOWN_OPTIONS else ''}."
        raise InvalidValue(message, "not_allowed")
    return found


def _by_name(options: Sequence[Option]) -> dict[str, str]:
    labels = {search_key(option.label): option.value for option in options}
    return labels | {search_key(option.value): option.value for option in options}


def _url(value: object, _allowed: AllowedValues) -> FieldValue:
    return normalise_website(_string(value))


def _person(value: object, allowed: AllowedValues) -> FieldValue:
    text = _string(value).strip().lower()
    found = (allowed.people or {}).get(text)
    if found is None:
        message = "Must be the email or ID of a workspace member."
        raise InvalidValue(message, "unknown_member")
    return str(found)


def _string(value: object) -> str:
    if not isinstance(value, str):
        message = "Must be a string."
        raise InvalidValue(message, "wrong_type")
    return value


_PARSERS: Final[Mapping[FieldType, Callable[[object, AllowedValues], FieldValue]]] = {
    FieldType.TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.DATE: _date,
    FieldType.BOOLEAN: _boolean,
    FieldType.CHOICE: _choice,
    FieldType.MULTI_CHOICE: _multi_choice,
    FieldType.URL: _url,
    FieldType.PERSON: _person,
}
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_SHOWN_OPTIONS: Final = 10
_SPACES: Final = re.compile("[\\s'\u2019\u00a0\u202f]+")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_FRACTION: Final = re.compile("[.eE]")
_CURRENCY: Final = re.compile(
    "^(?:[$\u00a3\u00a5\u20ac\u20b9]|[A-Z]{3}(?=[0-9.+-]))|(?:[$\u00a3\u00a5\u20ac\u20b9]|(?<=[0-9.])[A-Z]{3})$"
)
_GROUPED_BY_COMMA: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_GROUPED_BY_POINT: Final = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]*|[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}"
)
"""A point before three digits, as in 1.234, is a decimal point unless there is a comma or a second point."""
_MONTHS_IN_YEAR: Final = 12
_ISO_DATE: Final = re.compile(r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}(?:[T ]|$)|[0-9]{8}$")
_SLASHES: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
"""Day and month are recognized only if one is above 12: 03/04/2026 is refused as ambiguous."""
_POINTS: Final = re.compile(r"([0-9]{1,2})\. ?([0-9]{1,2})\. ?([0-9]{4})")
_DAY_FIRST: Final = re.compile(
    r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?[ -](?P<month>[A-Za-z]{3,9})\.?,?[ -](?P<year>[0-9]{4})"
)
_MONTH_FIRST: Final = re.compile(
    r"(?P<month>[A-Za-z]{3,9})\.? (?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,? (?P<year>[0-9]{4})"
)
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_YES: Final = frozenset(
    {"true", "yes", "y", "1", "on", "t", "ja", "j", "wahr", "oui", "vrai", "si", "verdadero", "sim", "vero"}
)
_NO: Final = frozenset({"false", "no", "n", "0", "off", "f", "nein", "falsch", "non", "faux", "falso", "nao", "nee"})
