"""Values of a lead's fields as text for people."""

from collections.abc import Callable, Mapping
from typing import Final

from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.stages.models import StageList
from leadflood.kernel.field_types import FieldType
from leadflood.kernel.fields import FieldDefinition
from leadflood.web import formats, labels

_FIELDS: Final[Mapping[str, FieldDefinition]] = {
    name: field for field in LEAD_FIELDS for name in (field.name, field.api_name, field.short_name)
}
_FORMATS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "country": formats.country,
    "phone": formats.phone,
    "source": labels.lead_source,
}


class Names(dict[str, str]):
    """Names of members by ID, and the stages of the workspace: what values of leads refer to."""

    def __init__(self, members: Mapping[str, str], stages: StageList) -> None:
        super().__init__(members)
        self.stages = stages

    @property
    def all(self) -> dict[str, str]:
        """Names of members and stages, for filters."""
        return {**self.stages.labels, **self}


def definition_of(name: str) -> FieldDefinition | None:
    """A field of the catalog, by its name in the API, in the database or in a list."""
    return _FIELDS.get(name)


def field_text(field: FieldDefinition, value: str, names: Names) -> str | None:
    """A stored value as text; None for someone who is no member any more."""
    if field.type is FieldType.PERSON:
        return names.get(value)
    if field.listed_by_workspace:
        return names.stages.labels.get(value, value)
    if field.name in _FORMATS:
        return _FORMATS[field.name](value) or value
    return field.choices.get(value, value)
