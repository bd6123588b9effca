"""Custom fields: key, label, type, and the options of a choice."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from leadflood.kernel.field_types import (
    MAX_OPTION,
    MAX_OPTIONS,
    AllowedValues,
    FieldType,
    FieldValue,
    Option,
    parse_value,
)
from leadflood.kernel.text import InvalidValue, clean_line, search_key

MAX_FIELDS: Final = 200
"""Custom fields of one kind of subject in a workspace."""
MAX_LABEL: Final = 100

_NO_WORD: Final = re.compile("[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class CustomField:
    """The definition of a custom field. `key` is its name in the API and in files; it never changes."""

    id: UUID
    key: str
    label: str
    type: FieldType
    options: Sequence[Option] = ()
    archived: bool = False

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Value and label of each option."""
        return [(option.value, option.label) for option in self.options]

    def parse(self, value: object, people: Mapping[str, UUID] | None = None) -> FieldValue | None:
        """The stored form of a value; None for an empty one. `people`: members by id and address.

        Raises: InvalidValue.
        """
        return parse_value(self.type, value, AllowedValues(self.options, people))


def key_of(label: str) -> str:
    """The key for a field with this label; empty if the label has no letter or digit."""
    key = "_".join(_NO_WORD.sub(" ", search_key(label)).split())[:64].rstrip("_")
    return key if not key or key[0].isalpha() else f"c_{key}"[:64]


def label_of(key: str) -> str:
    """Default label of a field without a definition: `annualRevenue` becomes "Annual revenue"."""
    words = re.sub("(?<=[a-z0-9])(?=[A-Z])", " ", key).replace("_", " ").split()
    text = " ".join(word if word.isupper() else word.lower() for word in words)
    return text[:1].upper() + text[1:]


def check_options(options: Sequence[Option]) -> list[Option]:
    """The options of a choice, distinct by value and by label. Raises: InvalidValue."""
    if len(options) > MAX_OPTIONS:
        message = f"Maximum {MAX_OPTIONS} options."
        raise InvalidValue(message, "too_long")
    checked = [Option(clean_line(item.value, max_length=MAX_OPTION), item.label) for item in options]
    names = [search_key(item.label) for item in checked]
    values = [search_key(item.value) for item in checked]
    for index, option in enumerate(checked):
        clashes = [
            place for place in range(len(checked)) if place != index and values[index] in (values[place], names[place])
        ]
        if clashes or names.count(names[index]) > 1:
            message = f"The option {option.label} is listed twice."
            raise InvalidValue(message, "duplicate")
    return checked
