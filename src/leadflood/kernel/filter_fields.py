"""Fields that a list can be filtered by, and parsing and compiling of filters."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from leadflood.kernel.filter_meaning import compared, days_ago, kind_of, names_reader, person, with_reader
from leadflood.kernel.filters import (
    MAX_CONDITIONS,
    MAX_DAYS,
    MAX_DEPTH,
    MAX_TEXT,
    MAX_VALUES,
    ME,
    OF_SEVERAL,
    WITHOUT_VALUE,
    Condition,
    Either,
    Every,
    FilterField,
    FilterReader,
    Group,
    Kind,
    Node,
    Operator,
)
from leadflood.kernel.text import InvalidValue, clean_line
from leadflood.kernel.timestamps import parse_timestamp

Path = tuple[int | str, ...]

_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class InvalidFilter(ValueError):
    """An invalid filter: its errors with their paths."""

    def __init__(self, faults: Sequence[tuple[Path, InvalidValue]]) -> None:
        super().__init__("; ".join(str(fault) for _, fault in faults))
        self.faults = tuple(faults)


class FilterFields:
    """All filter fields of a kind of subject; domains declare them and `bootstrap` combines them."""

    def __init__(self, fields: Iterable[FilterField] = ()) -> None:
        self._fields: dict[str, FilterField] = {}
        self._families: dict[str, Callable[[str], FilterField]] = {}
        self.add(fields)

    def add(self, fields: Iterable[FilterField]) -> None:
        """Declare fields, each once or more. Raises: ValueError: the name belongs to another field."""
        for field in fields:
            if self._fields.setdefault(field.name, field) != field:
                message = f"There is another filter field {field.name}."
                raise ValueError(message)

    def add_family(self, prefix: str, make: Callable[[str], FilterField]) -> None:
        """Declare all fields with a prefix. `make` gets the rest of the name, and raises InvalidValue."""
        self._families[prefix] = make

    def __iter__(self) -> Iterator[FilterField]:
        return iter(self._fields.values())

    def get(self, name: str) -> FilterField:
        """The field with that name. Raises: InvalidValue."""
        if name in self._fields:
            return self._fields[name]
        for prefix, make in self._families.items():
            if name.startswith(prefix):
                return make(name.removeprefix(prefix))
        known = [*self._fields, *(f"{prefix}KEY" for prefix in self._families)]
        message = f"There is no such field. Provide one of {', '.join(known)}."
        raise InvalidValue(message, "unknown_field")

    def parse(self, data: object) -> Group:
        """The tree of the JSON. Raises: InvalidFilter."""
        reading = _Reading(self)
        tree = reading.group(data, (), 1)
        if reading.faults:
            raise InvalidFilter(reading.faults)
        return tree

    def compiled(self, tree: Group, reader: FilterReader) -> Node:
        """The parsed tree, compiled for a reader."""
        parts: list[Node] = []
        for part in tree.parts:
            if isinstance(part, Group):
                node = self.compiled(part, reader)
                parts += node.parts if isinstance(node, Every) and tree.match == "all" else [node]
            else:
                parts.append(compared(self.get(part.field), part, reader))
        if len(parts) == 1:
            return parts[0]
        return Either(tuple(parts)) if tree.match == "any" and parts else Every(tuple(parts))

    def fixed(self, tree: Group, reader: FilterReader) -> Group:
        """The same tree for a later job: relative dates and `me` are replaced by their current values."""
        return Group(
            tree.match,
            tuple(
                self.fixed(part, reader) if isinstance(part, Group) else self._fixed(part, reader)
                for part in tree.parts
            ),
        )

    def _fixed(self, part: Condition, reader: FilterReader) -> Condition:
        field = self.get(part.field)
        kind = Kind.DATE if field.places is not None else field.kind
        if part.operator is Operator.IN_LAST_DAYS:
            since = days_ago(part.value, reader)
            text = (since.date() if kind is Kind.DATE else since).isoformat()
            return Condition(part.field, Operator.ON_OR_AFTER, text)
        if field.places is not None and names_reader(part):
            return with_reader(part, reader, alone=True)
        if kind is not Kind.PERSON or part.value is None:
            return part
        if isinstance(part.value, tuple):
            return Condition(part.field, part.operator, tuple(str(person(item, reader)) for item in part.value))
        return Condition(part.field, part.operator, str(person(part.value, reader)))


class _Reading:
    """A tree while it is parsed: all errors are collected with their paths."""

    def __init__(self, fields: FilterFields) -> None:
        self._fields = fields
        self._conditions = 0
        self.faults: list[tuple[Path, InvalidValue]] = []

    def group(self, data: object, path: Path, depth: int) -> Group:
        match, parts = self._parts(data, path)
        if depth > MAX_DEPTH:
            self._refuse(path, f"Put groups at most {MAX_DEPTH} deep.", "too_deep")
            return Group("all")
        read: list[Condition | Group] = []
        for place, part in enumerate(parts):
            here = (*path, match, place)
            if isinstance(part, dict) and "field" not in part:
                read.append(self.group(part, here, depth + 1))
            elif (condition := self.condition(part, here)) is not None:
                read.append(condition)
        return Group(match, tuple(read))

    def condition(self, data: object, path: Path) -> Condition | None:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            if self._conditions == MAX_CONDITIONS + 1:
                self._refuse((), f"Use at most {MAX_CONDITIONS} conditions.", "too_long")
            return None
        if not isinstance(data, dict):
            self._refuse(path, "Provide a condition (field, operator, value) or a group (all, any).", "wrong_type")
            return None
        for name in data.keys() - {"field", "operator", "value"}:
            message = "Unknown field. Allowed: field, operator, value."
            self._refuse((*path, str(name)), message, "unknown_field")
        place = "field"
        try:
            field = self._fields.get(_string(data["field"]))
            place = "operator"
            operator = _operator(field, data.get("operator"))
            place = "value"
            return Condition(field.name, operator, _value(field, operator, data.get("value")))
        except InvalidValue as fault:
            self._refuse((*path, place), str(fault), fault.code)
            return None

    def _parts(self, data: object, path: Path) -> tuple[Literal["all", "any"], list[object]]:
        """The operator and the parts of a group. `{}` has no parts."""
        if not isinstance(data, dict):
            self._refuse(path, 'Provide an object: {"all": […]}, {"any": […]} or a condition.', "wrong_type")
            return "all", []
        unknown = data.keys() - {"all", "any"}
        for name in unknown:
            message = "Unknown field. Remove it; a group has all or any, a condition field, operator and value."
            self._refuse((*path, str(name)), message, "unknown_field")
        if "all" in data and "any" in data:
            self._refuse(path, "Provide all or any, not both: put one group into the other.", "not_allowed")
        match: Literal["all", "any"] = "any" if "any" in data else "all"
        parts = data.get(match, [])
        if not isinstance(parts, list):
            self._refuse((*path, match), "Provide a list.", "wrong_type")
            return match, []
        return match, parts

    def _refuse(self, path: Path, message: str, code: str) -> None:
        self.faults.append((path, InvalidValue(message, code)))


def _string(value: object) -> str:
    if not isinstance(value, str):
        message = "Provide a string."
        raise InvalidValue(message, "wrong_type")
    return value


def _operator(field: FilterField, given: object) -> Operator:
    found = next((operator for operator in field.operators if operator == given), None)
    if found is None:
        message = f"{field.name} has no such operator. Provide one of: {', '.join(field.operators)}."
        raise InvalidValue(message, "not_allowed")
    return found


def _value(field: FilterField, operator: Operator, value: object) -> Any:  # noqa: ANN401  whatever the field has
    """The value of a condition from JSON, validated. Raises: InvalidValue."""
    if field.places is not None and operator not in WITHOUT_VALUE:
        return _value(field.places[kind_of(operator, value)], operator, value)
    if operator in WITHOUT_VALUE:
        if value is not None:
            message = "Leave the value out."
            raise InvalidValue(message, "not_allowed")
        return None
    if operator is Operator.IN_LAST_DAYS:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_DAYS:
            message = f"Provide a number of days from 1 to {MAX_DAYS}."
            raise InvalidValue(message, "out_of_range")
        return value
    if operator in OF_SEVERAL:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_VALUES:
            message = f"Provide a list of 1 to {MAX_VALUES} values."
            raise InvalidValue(message, "wrong_type")
        return tuple(dict.fromkeys(_one(field, item) for item in value))
    if operator is Operator.BETWEEN:
        if not isinstance(value, list | tuple) or len(value) != 2:  # noqa: PLR2004  from and to
            message = "Provide a list of two values: from and to."
            raise InvalidValue(message, "wrong_type")
        return tuple(_one(field, item) for item in value)
    return _one(field, value)


def _one(field: FilterField, value: object) -> Any:  # noqa: ANN401  whatever the field has
    if field.kind is Kind.BOOLEAN:
        if not isinstance(value, bool):
            message = "Provide true or false."
            raise InvalidValue(message, "wrong_type")
        return value
    if field.kind is Kind.NUMBER:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            message = "Provide a number."
            raise InvalidValue(message, "wrong_type")
        return value
    text = _string(value)
    if field.choices is not None and text not in field.choices:
        message = f"Provide one of: {', '.join(field.choices)}."
        raise InvalidValue(message, "not_allowed")
    return _text(field, text)


def _text(field: FilterField, value: str) -> str:
    match field.kind:
        case Kind.TIME:
            return parse_timestamp(value).isoformat()
        case Kind.DATE:
            return _date(value).isoformat()
        case Kind.PERSON | Kind.REFERENCE:
            return ME if value == ME and field.kind is Kind.PERSON else str(_uuid(value))
        case Kind.SEARCH:
            cleaned = " ".join(_UNFIT.sub(" ", value).split())
            if len(cleaned) > MAX_TEXT:
                message = f"Use at most {MAX_TEXT} characters."
                raise InvalidValue(message, "too_long")
            return cleaned
        case _:
            cleaned = clean_line(value, max_length=MAX_TEXT)
            return field.normalise(cleaned) if field.normalise is not None else cleaned


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        message = 'Provide a UUID, such as "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10".'
        raise InvalidValue(message) from error


def _date(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        message = 'Provide an ISO 8601 date, such as "2026-03-01".'
        raise InvalidValue(message) from error
