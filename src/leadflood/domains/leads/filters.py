"""Filter fields of leads. Other domains add theirs: see `bootstrap`."""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final

from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.labels import FIELDS
from leadflood.domains.leads.models import LeadStatus, normalise_source
from leadflood.kernel.country_names import normalise_country
from leadflood.kernel.db.sql import sql
from leadflood.kernel.field_types import check_field_key
from leadflood.kernel.filter_fields import FilterFields
from leadflood.kernel.filters import Column, Compare, Comparison, FilterField, Kind, Relation

_FORMATTING: Final = re.compile(r"\(0\)|[^0-9+]")


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


def _digits(text: str) -> str:
    """A phone number, or a part of one, in its stored form."""
    return _FORMATTING.sub("", text) or text


LEAD_FILTERS: Final = FilterFields(
    (
        FilterField("search", "Search", Kind.SEARCH, Column("search_text", sql("search_text")), nullable=False),
        FilterField("email", FIELDS["email"], Kind.TEXT, Column("email", sql("email"), searched=True), nullable=False),
        FilterField(
            "firstName", FIELDS["firstName"], Kind.TEXT, Column("first_name", sql("first_name"), searched=True)
        ),
        FilterField("lastName", FIELDS["lastName"], Kind.TEXT, Column("last_name", sql("last_name"), searched=True)),
        FilterField("company", FIELDS["company"], Kind.TEXT, Column("company", sql("company"), searched=True)),
        FilterField("jobTitle", FIELDS["jobTitle"], Kind.TEXT, Column("job_title", sql("job_title"), searched=True)),
        FilterField(
            "phone", FIELDS["phone"], Kind.TEXT, Column("phone", sql("phone"), searched=True), normalise=_digits
        ),
        FilterField("website", FIELDS["website"], Kind.TEXT, Column("website", sql("website"))),
        FilterField(
            "country", FIELDS["country"], Kind.CHOICE, Column("country", sql("country")), normalise=normalise_country
        ),
        FilterField(
            "source",
            FIELDS["source"],
            Kind.CHOICE,
            Column("source", sql("source")),
            nullable=False,
            normalise=normalise_source,
        ),
        FilterField(
            "status",
            "Status",
            Kind.CHOICE,
            Column("status", sql("status")),
            nullable=False,
            choices={item.value: item.value.capitalize() for item in LeadStatus},
        ),
        FilterField("owner", FIELDS["ownerId"], Kind.PERSON, Column("owner_id", sql("owner_id"))),
        FilterField("createdAt", "Created", Kind.TIME, Column("created_at", sql("created_at")), nullable=False),
        FilterField("updatedAt", "Updated", Kind.TIME, Column("updated_at", sql("updated_at")), nullable=False),
        FilterField("enrichedAt", "Enriched", Kind.TIME, Column("enriched_at", sql("enriched_at"))),
    )
)
"""Filter fields of leads. Column names are those that `search_leads` compares."""
LEAD_FILTERS.add_family(CUSTOM_FIELD, _custom_field)
