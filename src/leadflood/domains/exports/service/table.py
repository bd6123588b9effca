"""Columns of tables: headers, and the values that people or programs read."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from leadflood.domains.exports.models import (
    CUSTOM,
    ENRICHED,
    FOUND,
    OWNER,
    ExportRecord,
    FileColumn,
    HeaderStyle,
    getter,
)
from leadflood.domains.fields.models import CustomField, label_of
from leadflood.domains.imports.models.column_detection import custom_key
from leadflood.domains.imports.models.export_headers import SYSTEM_LABELS, custom_label, found_label
from leadflood.domains.imports.models.header_names import name_key
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.labels import FIELDS
from leadflood.kernel.field_types import FieldType, Option

_EXTENSION = ";ext="


def table_columns(
    names: Sequence[str], fields: Mapping[str, CustomField], stages: Mapping[str, str], headers: HeaderStyle
) -> list[FileColumn]:
    """The columns of a file.

    Args:
        names: resolved columns.
        fields: all custom fields of the workspace by key, archived ones included.
        stages: names of all stages by key.
        headers: with labels, values are for people, too: options and stages have their labels, and extensions of
            phone numbers are written as `ext. 12`.
    """
    for_people = headers is HeaderStyle.LABELS
    labels = [field.label for field in fields.values()]
    times_used = Counter(map(name_key, [*labels, *(each.label for each in LEAD_EXTENSIONS.file_columns.values())]))
    return [
        FileColumn(
            name,
            _label(name, fields, times_used) if for_people else name,
            fields[key].type if (key := name.removeprefix(CUSTOM)) != name and key in fields else None,
            _reader(name, fields, stages, for_people=for_people),
        )
        for name in names
    ]


def _label(name: str, fields: Mapping[str, CustomField], times_used: Mapping[str, int]) -> str:
    if name.startswith(CUSTOM):
        key = name.removeprefix(CUSTOM)
        if key in fields:
            label = fields[key].label
            return custom_label(key, label, unique=times_used[name_key(label)] == 1)
        label = label_of(key)
        return custom_label(key, label, unique=custom_key(label) == key and name_key(label) not in times_used)
    if name.startswith(ENRICHED):
        return found_label(name.removeprefix(ENRICHED))
    if name in LEAD_EXTENSIONS.file_columns:
        return LEAD_EXTENSIONS.file_columns[name].label
    return SYSTEM_LABELS.get(name) or FIELDS["ownerId" if name == OWNER else name]


def _reader(
    name: str, fields: Mapping[str, CustomField], stages: Mapping[str, str], *, for_people: bool
) -> Callable[[ExportRecord], Any]:
    read = getter(name)
    if name == "stage" and for_people:
        return lambda record: stages.get(read(record), read(record))
    if name == FOUND and for_people:
        return lambda record: [FIELDS[each] for each in record.found] or None
    if name == "phone" and for_people:
        return lambda record: _readable_phone(read(record))
    field = fields.get(name.removeprefix(CUSTOM)) if name.startswith(CUSTOM) else None
    if field is not None and field.type is FieldType.PERSON:
        return lambda record: _person(read(record), record.people)
    if field is not None and field.type.has_options and for_people:
        labels = {option.value: option for option in field.options}
        return lambda record: _labelled(read(record), labels)
    return read


def _readable_phone(phone: str | None) -> str | None:
    return phone.replace(_EXTENSION, " ext. ") if phone else phone


def _person(value: object, people: Mapping[str, str]) -> object:
    """A member by email. Other values, such as those from before the field had its type, as they are."""
    return people.get(value, value) if isinstance(value, str) else value


def _labelled(value: object, options: Mapping[str, Option]) -> object:
    if isinstance(value, list):
        return [_labelled(item, options) for item in value]
    return options[value].label if isinstance(value, str) and value in options else value
