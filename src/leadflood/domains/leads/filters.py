"""What leads can be filtered by. Other domains add fields of theirs: see `bootstrap`."""

import re
from typing import Final

from leadflood.domains.leads.labels import FIELDS
from leadflood.domains.leads.models import LeadStatus, normalise_country, normalise_source
from leadflood.kernel.db.sql import sql
from leadflood.kernel.filter_fields import FilterFields
from leadflood.kernel.filters import Column, FilterField, Kind

_FORMATTING: Final = re.compile(r"\(0\)|[^0-9+]")


def _digits(text: str) -> str:
    """A telephone number, or a part of one, as it is stored."""
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
"""Their fields. The names of columns are what `search_leads` compares."""
