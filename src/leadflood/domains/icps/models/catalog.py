"""The facts that a profile can test: fields of the lead, custom fields, and what was found about it and its company.

The keys are stored in profiles and permanent.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final

from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.models.fact_fields import FactField, FactType, SubjectKind
from leadflood.domains.enrichment.models.lead_fields import EMAIL
from leadflood.domains.fields.models import CustomField
from leadflood.domains.icps.models.profiles import FactOperator, FactValue
from leadflood.domains.leads.catalog import CUSTOM_FIELD, LEAD_FIELDS
from leadflood.kernel.field_types import FieldType

CUSTOM: Final = f"lead.{CUSTOM_FIELD}"
"""Prefix of the keys of custom fields."""
_ISO_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Shape(StrEnum):
    """Type of the values of a fact, which decides how they can be tested."""

    TEXT = "text"
    """Compared without regard to case and accents."""
    CODE = "code"
    """Compared as it is: a country, a choice."""
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    SET = "set"
    """Several texts."""

    @property
    def operators(self) -> tuple[FactOperator, ...]:
        """Operators that such values have, the usual one first."""
        return (*_OPERATORS[self], FactOperator.KNOWN)


_OPERATORS: Final[Mapping[Shape, tuple[FactOperator, ...]]] = {
    Shape.TEXT: (FactOperator.IN, FactOperator.IS),
    Shape.CODE: (FactOperator.IN, FactOperator.IS),
    Shape.NUMBER: (FactOperator.BETWEEN, FactOperator.AT_LEAST, FactOperator.AT_MOST, FactOperator.IS),
    Shape.BOOLEAN: (FactOperator.IS,),
    Shape.DATE: (FactOperator.WITHIN_DAYS,),
    Shape.SET: (FactOperator.ANY_OF, FactOperator.ALL_OF),
}


class FactPlace(StrEnum):
    """Location of the values of a fact."""

    COLUMN = "column"
    CUSTOM = "custom"
    LEAD = "lead"
    """Found about the person."""
    COMPANY = "company"
    """Found about the company."""


@dataclass(frozen=True, slots=True)
class ProfileField:
    """A fact that can be tested.

    Attributes:
        name: of its column, its custom field, or its found field.
        time_to_live: age from which a found value is too old.
    """

    key: str
    label: str
    shape: Shape
    place: FactPlace
    name: str
    time_to_live: timedelta | None = None

    def fits(self, value: FactValue) -> bool:
        """Whether a value is one of this shape."""
        match self.shape:
            case Shape.NUMBER:
                return isinstance(value, int | float) and not isinstance(value, bool)
            case Shape.BOOLEAN:
                return isinstance(value, bool)
            case Shape.SET:
                return isinstance(value, frozenset)
            case Shape.DATE:
                return isinstance(value, str) and _ISO_DAY.match(value) is not None
        return isinstance(value, str)


class ProfileCatalog:
    """The facts of a workspace, by key, in the order in which they are shown."""

    def __init__(self, fields: Iterable[ProfileField]) -> None:
        self._fields = {field.key: field for field in fields}

    def __contains__(self, key: object) -> bool:
        return key in self._fields

    def __getitem__(self, key: str) -> ProfileField:
        """Raises: KeyError: there is no such fact."""
        return self._fields[key]

    def __iter__(self) -> Iterator[ProfileField]:
        return iter(self._fields.values())

    def labelled(self, other: "ProfileCatalog") -> "ProfileCatalog":
        """The same with the labels of another catalog, where it has the field."""
        return ProfileCatalog(
            replace(field, label=other[field.key].label) if field.key in other else field for field in self
        )

    def with_custom(self, fields: Iterable[CustomField]) -> "ProfileCatalog":
        """The same with the custom fields of a workspace, archived ones included."""
        return ProfileCatalog([*self, *map(custom_field, fields)])


def custom_field(field: CustomField) -> ProfileField:
    """The entry of a custom field."""
    return ProfileField(f"{CUSTOM}{field.key}", field.label, _CUSTOM_SHAPES[field.type], FactPlace.CUSTOM, field.key)


_CUSTOM_SHAPES: Final[Mapping[FieldType, Shape]] = {
    FieldType.TEXT: Shape.TEXT,
    FieldType.URL: Shape.TEXT,
    FieldType.CHOICE: Shape.TEXT,
    FieldType.PERSON: Shape.CODE,
    FieldType.NUMBER: Shape.NUMBER,
    FieldType.BOOLEAN: Shape.BOOLEAN,
    FieldType.DATE: Shape.DATE,
    FieldType.MULTI_CHOICE: Shape.SET,
}
_FOUND_SHAPES: Final[Mapping[FactType, Shape]] = {
    FactType.BOOLEAN: Shape.BOOLEAN,
    FactType.INTEGER: Shape.NUMBER,
    FactType.YEAR: Shape.NUMBER,
    FactType.COUNTRY: Shape.CODE,
    FactType.LANGUAGE: Shape.CODE,
    FactType.CHOICE: Shape.CODE,
}


def _core() -> Iterator[ProfileField]:
    for field in LEAD_FIELDS:
        if field.listed and not field.identity:  # the name of a person says nothing of fit
            is_code = field.type in (FieldType.CHOICE, FieldType.PERSON)
            shape = Shape.CODE if is_code else Shape.TEXT
            yield ProfileField(f"lead.{field.api_name}", field.label, shape, FactPlace.COLUMN, field.name)
    yield ProfileField("lead.createdAt", "Created", Shape.DATE, FactPlace.COLUMN, "created_at")


def _found(subject: SubjectKind, field: FactField) -> ProfileField:
    shape = Shape.SET if field.multiple else _FOUND_SHAPES.get(field.type, Shape.TEXT)
    place = FactPlace.LEAD if subject is SubjectKind.LEAD else FactPlace.COMPANY
    label = f"Company: {field.label}" if subject is SubjectKind.COMPANY else field.label
    return ProfileField(f"{subject}.{field.name}", label, shape, place, field.name, field.time_to_live)


def _standard() -> Iterator[ProfileField]:
    yield from _core()
    for subject, catalog in CATALOGS.items():
        for field in catalog:
            is_column = subject is SubjectKind.LEAD and (field.fills is not None or field is EMAIL)
            if not is_column:
                yield _found(subject, field)


STANDARD: Final = ProfileCatalog(_standard())
"""The facts that every workspace has."""
