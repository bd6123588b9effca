"""Filter fields of leads. Other domains add theirs: see `bootstrap`."""

from dataclasses import replace
from functools import lru_cache
from typing import Final

from leadflood.domains.leads.catalog import CUSTOM_FIELD, LEAD_FIELDS
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.stages.queries import stage_names
from leadflood.kernel.db.sql import sql
from leadflood.kernel.field_types import FieldType, check_field_key
from leadflood.kernel.fields import FieldDefinition
from leadflood.kernel.filter_fields import FilterFields
from leadflood.kernel.filters import Column, Compare, Comparison, FilterField, Kind, Relation

_TEXTS: Final = Relation(
    "lead_field_texts",
    sql("""
EXISTS (SELECT FROM lead_field_texts related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
)
_NUMBERS: Final = Relation(
    "lead_field_numbers",
    sql("""
EXISTS (SELECT FROM lead_field_numbers related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
)
_KEY: Final = Column("key", sql("related.key"))
_VALUE: Final = Column("value", sql("related.value"))
_TEXT_VALUE: Final = Column("value", sql("related.value"), searched=True)


@lru_cache(maxsize=500)
def _custom_field(key: str) -> FilterField:
    """A custom field: its values are where the projection of custom fields stores values of their type."""
    check_field_key(key)
    name, of_key = f"{CUSTOM_FIELD}{key}", (Compare(_KEY, Comparison.EQUAL, key),)
    text = FilterField(name, key, Kind.CHOICE, _VALUE, _TEXTS, of_key)
    places = {
        Kind.CHOICE: text,
        Kind.BOOLEAN: replace(text, kind=Kind.BOOLEAN),
        Kind.DATE: replace(text, kind=Kind.DATE),
        Kind.TEXT: replace(text, kind=Kind.TEXT, column=_TEXT_VALUE),
        Kind.NUMBER: FilterField(name, key, Kind.NUMBER, _VALUE, _NUMBERS, of_key),
    }
    return FilterField(name, key, Kind.CUSTOM, _VALUE, places=places)


def _field(field: FieldDefinition) -> FilterField:
    """A field of the catalog. Where a lead has no value of its own, the found one counts."""
    kind = {FieldType.CHOICE: Kind.CHOICE, FieldType.PERSON: Kind.PERSON}.get(field.type, Kind.TEXT)
    return FilterField(
        field.short_name,
        field.label,
        Kind.CHOICE if field.categorical else kind,
        Column(field.name, field.effective, searched=field.searchable),
        nullable=not field.required,
        choices=field.choices or None,
        options=stage_names if field.listed_by_workspace else None,
        normalise=field.normalise,
    )


LEAD_FILTERS: Final = FilterFields(
    (
        FilterField("search", "Search", Kind.SEARCH, Column("search_text", sql("search_text")), nullable=False),
        *(_field(field) for field in LEAD_FIELDS if field.filterable),
        FilterField(
            "status",
            "Enrichment",
            Kind.CHOICE,
            Column("status", sql("status")),
            nullable=False,
            choices={item.value: item.value.capitalize() for item in LeadStatus},
        ),
        FilterField("createdAt", "Created", Kind.TIME, Column("created_at", sql("created_at")), nullable=False),
        FilterField("updatedAt", "Updated", Kind.TIME, Column("updated_at", sql("updated_at")), nullable=False),
        FilterField("enrichedAt", "Enriched", Kind.TIME, Column("enriched_at", sql("enriched_at"))),
    )
)
"""Filter fields of leads. Column names are those that `search_leads` compares."""
LEAD_FILTERS.add_family(CUSTOM_FIELD, _custom_field)
