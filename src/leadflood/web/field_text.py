"""Values of a lead's fields as text for people."""

from collections.abc import Callable, Mapping
from typing import Final

from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.kernel.field_types import FieldType
from leadflood.kernel.fields import FieldDefinition
from leadflood.web import formats

_FIELDS: Final[Mapping[str, FieldDefinition]] = {
    name: field for field in LEAD_FIELDS for name in (field.name, field.api_name, field.short_name)
}
_FORMATS: Final[Mapping[str, Callable[[str], str | None]]] = {"country": formats.country, "phone": formats.phone}


def definition_of(name: str) -> FieldDefinition | None:
    """A field of the catalog, by its name in the API, in the database or in a list."""
    return _FIELDS.get(name)


def field_text(field: FieldDefinition, value: str, people: Mapping[str, str]) -> str | None:
    """A stored value as text; None for someone who is no member any more. `people`: names of members by ID."""
    if field.type is FieldType.PERSON:
        return people.get(value)
    if field.name in _FORMATS:
        return _FORMATS[field.name](value) or value
    return field.choices.get(value, value)
