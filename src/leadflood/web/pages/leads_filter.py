"""The `filter` parameter of a list: the conditions that the list's other parameters cannot express, as a tree."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any, Final

from pydantic import JsonValue

from leadflood.domains.fields.models import CustomField
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.contracts.filters import MAX_CHOICES, LeadQuery, read_filter
from leadflood.domains.leads.filters import LEAD_FILTERS
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.field_types import FieldType, shown_value
from leadflood.kernel.filters import ME, WITHOUT_VALUE, Condition, FilterField, Group, Kind, Operator, written
from leadflood.web import formats, labels

OPERATORS: Final[Mapping[Operator, str]] = {
    Operator.IS: "is",
    Operator.IS_NOT: "is not",
    Operator.IS_ANY_OF: "is any of",
    Operator.IS_ALL_OF: "is all of",
    Operator.IS_NONE_OF: "is none of",
    Operator.CONTAINS: "contains",
    Operator.STARTS_WITH: "starts with",
    Operator.MATCHES: "matches",
    Operator.GREATER_THAN: "is greater than",
    Operator.LESS_THAN: "is less than",
    Operator.BETWEEN: "is between",
    Operator.BEFORE: "is before",
    Operator.ON_OR_AFTER: "is on or after",
    Operator.IN_LAST_DAYS: "in the last",
    Operator.IS_EMPTY: "is empty",
    Operator.IS_NOT_EMPTY: "is not empty",
}
"""Labels of operators, between a field and a value."""
CHOICE_LABELS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "country": formats.country,
    "source": labels.lead_source,
}
"""Labels of values of fields that have one for each value."""


def read_tree(text: str) -> Group | None:
    """The tree in a URL; None without one. Raises: InvalidInput."""
    return read_filter(text, "?filter").whole if text else None


def write_tree(tree: Group) -> str:
    """The tree for a URL; empty if it has no conditions."""
    return json.dumps(written(tree), ensure_ascii=False, separators=(",", ":")) if tree.parts else ""


async def reference_names(tx: Transaction, actor: Actor, tree: Group | None) -> dict[str, str]:
    """Names by ID of the records that conditions of the tree can reference. Runs one statement per field."""
    used = {part.field for part in tree.conditions} if tree is not None else ()
    loads = dict.fromkeys(field.options for field in LEAD_FILTERS if field.name in used and field.options is not None)
    found: dict[str, str] = {}
    for load in loads:
        found |= await load(tx, actor)
    return found


@dataclass(frozen=True, slots=True)
class FilterWords:
    """Names, labels and times of conditions, as a reader sees them.

    Attributes:
        names: of members, stages and other records by ID.
        custom: custom fields, also archived ones.
        zone: the reader's time zone.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    custom: Sequence[CustomField] = ()
    zone: tzinfo = UTC

    def custom_field(self, name: str) -> CustomField | None:
        """A custom field by its name in filters."""
        key = name.removeprefix(CUSTOM_FIELD)
        return next((each for each in self.custom if each.key == key), None)

    def moment(self, written: str) -> str:
        """A time in the reader's zone; a date if it is the beginning of a day."""
        local = datetime.fromisoformat(written).astimezone(self.zone)
        day = formats.local_time(local, "date")
        return day if local.time() == time() else f"{day}, {formats.local_time(local, 'time')}"


def in_words(part: Condition | Group, words: FilterWords) -> tuple[str, str]:
    """A condition or group in words: its field, and the rest."""
    if isinstance(part, Group):
        joined = " or " if part.match == "any" else " and "
        said = joined.join(" ".join(in_words(item, words)).removeprefix("Group ") for item in part.parts)
        return "Group", f"({said})"
    of = LEAD_FILTERS.get(part.field)
    custom = words.custom_field(part.field) if of.kind is Kind.CUSTOM else None
    label, operator = custom.label if custom else of.label, OPERATORS[part.operator]
    if part.operator in WITHOUT_VALUE:
        return label, operator
    if part.operator is Operator.IN_LAST_DAYS:
        return label, f"{operator} {part.value} days" if part.value != 1 else "in the last 24 hours"
    joined = " and " if part.operator is Operator.BETWEEN else ", "
    values = part.value if isinstance(part.value, tuple) else (part.value,)
    exact = part.operator not in _OF_TEXT
    said = joined.join(_value_in_words(of, value, words, custom) if exact else str(value) for value in values)
    return label, f"{operator} {said}"


def whole_in_words(given: Mapping[str, JsonValue], words: FilterWords) -> str:
    """A stored filter in words, in one line; empty if it matches everything."""
    tree = LeadQuery.model_validate(given).lead_filter().whole
    parts = [tree] if tree.match == "any" and tree.parts else tree.parts
    return "; ".join(" ".join(in_words(part, words)) for part in parts)


_OF_TEXT: Final = frozenset({Operator.CONTAINS, Operator.STARTS_WITH, Operator.MATCHES})
"""Operators with a part of a text as the value."""


def _value_in_words(of: FilterField, value: Any, words: FilterWords, custom: CustomField | None) -> str:  # noqa: ANN401  whatever the field has
    if of.kind is Kind.PERSON:
        return "me" if value == ME else words.names.get(value, "Former member")
    if of.kind is Kind.CUSTOM:
        return _custom_in_words(value, words, custom)
    if of.kind is Kind.REFERENCE:
        return words.names.get(value, "Deleted")
    if of.kind is Kind.TIME:
        return words.moment(str(value))
    if of.name in CHOICE_LABELS:
        return CHOICE_LABELS[of.name](str(value)) or str(value)
    known = of.choices or (words.names if of.options is not None else {})
    return known.get(value) or _plain_in_words(value)


def _custom_in_words(value: Any, words: FilterWords, custom: CustomField | None) -> str:  # noqa: ANN401  whatever the field has
    if custom is None or custom.type is FieldType.PERSON:
        return "me" if value == ME else words.names.get(str(value)) or _plain_in_words(value)
    if custom.type is FieldType.DATE:
        with suppress(ValueError):
            return formats.day(date.fromisoformat(str(value)))
    return shown_value(value, custom.options) if isinstance(value, str) else _plain_in_words(value)


def _plain_in_words(value: Any) -> str:  # noqa: ANN401  whatever the field has
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return formats.number(value) if isinstance(value, int | float) else str(value)


def apart(tree: Group) -> tuple[dict[str, Any], Group]:
    """Split a tree into the list's own parameters and the rest. Together they are equal to the tree."""
    said: dict[str, Any] = {}
    left: list[Condition | Group] = []
    if tree.match == "any" and len(tree.parts) > 1:
        return said, tree
    for part in tree.parts:
        own = _parameter(part) if isinstance(part, Condition) else None
        if own is None or own[0] in said:
            left.append(part)
        else:
            said[own[0]] = own[1]
    return said, Group("all", tuple(left))


def _parameter(part: Condition) -> tuple[str, Any] | None:  # noqa: PLR0911  one for each parameter
    match part:
        case Condition("search", Operator.MATCHES, value) if value:
            return "q", value
        case Condition("status" | "source" | "country" | "stage" as name, Operator.IS, value):
            return name, (value,)
        case Condition("status" | "source" | "country" | "stage" as name, Operator.IS_ANY_OF, values) if (
            len(values) <= MAX_CHOICES
        ):
            return name, values
        case Condition("owner", Operator.IS, value):
            return "owner", value
        case Condition("owner", Operator.IS_EMPTY):
            return "owner", "nobody"
        case Condition("phone", Operator.IS_EMPTY | Operator.IS_NOT_EMPTY as operator):
            return "phone", "no" if operator is Operator.IS_EMPTY else "yes"
        case Condition("createdAt", Operator.IN_LAST_DAYS, days) if days in {1, 7, 30}:
            return "days", str(days)
        case Condition("createdAt", Operator.ON_OR_AFTER, since):
            return "since", since
        case _:
            return None


def without(tree: Group, place: int) -> Group:
    """The tree without one of its parts."""
    return Group(tree.match, (*tree.parts[:place], *tree.parts[place + 1 :]))


def chips(tree: Group | None, words: FilterWords) -> Sequence[tuple[str, str, str]]:
    """The parts of a tree: field, text, and the tree without the part. An any-group is one part."""
    if tree is None:
        return []
    if tree.match == "any" and len(tree.parts) > 1:
        return [(*in_words(tree, words), "")]
    return [(*in_words(part, words), write_tree(without(tree, n))) for n, part in enumerate(tree.parts)]
