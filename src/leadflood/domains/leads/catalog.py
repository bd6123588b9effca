"""The fields of a lead. A new field is an entry here and a migration: see docs/guides/add-a-field.md."""

import re
from typing import Annotated, Final
from uuid import UUID

from leadflood.domains.leads.values import Country, Email, Name, OwnerId, Phone, Source, StageKey, Website
from leadflood.kernel.db.sql import sql
from leadflood.kernel.field_types import FieldType
from leadflood.kernel.fields import UUID_, FieldCatalog, FieldDefinition
from leadflood.kernel.phone_number import ascii_number

CUSTOM_FIELD: Final = "customFields."
"""Prefix of the key of a custom field, next to the names of fields."""
_FORMATTING: Final = re.compile(r"\(0\)|[^0-9+]")


def _digits(text: str) -> str:
    """A phone number, or a part of one, in its stored form."""
    return _FORMATTING.sub("", ascii_number(text)) or text


class LeadFields:
    """The values of a lead, one entry for each field, in the order of the API. Forms have the same order."""

    email: Annotated[
        str,
        FieldDefinition(
            label="Email",
            input=Email,
            identity=True,
            required=True,
            mergeable=False,
            searchable=True,
            bulk=False,
            standard=True,
            width=200,
            quick=True,
            wide=True,
            keyboard="email",
            example="ada.lovelace@acme.com",
        ),
    ]
    first_name: Annotated[
        str | None,
        FieldDefinition(
            label="First name",
            input=Name,
            searchable=True,
            bulk=False,
            listed=False,
            quick=True,
            fill=False,
            findable=True,
            example="Ada",
        ),
    ]
    last_name: Annotated[
        str | None,
        FieldDefinition(
            label="Last name",
            input=Name,
            searchable=True,
            bulk=False,
            listed=False,
            quick=True,
            fill=False,
            findable=True,
            example="Lovelace",
        ),
    ]
    stage: Annotated[
        str | None,
        FieldDefinition(
            label="Stage",
            type=FieldType.CHOICE,
            input=StageKey,
            listed_by_workspace=True,
            initial=sql("(SELECT first_stage(:workspace_id))"),
            personal=False,
            standard=True,
            width=104,
            quick=True,
            headers=("lead stage",),
            example="working",
        ),
    ]
    company: Annotated[
        str | None,
        FieldDefinition(
            label="Company", input=Name, searchable=True, standard=True, quick=True, findable=True, example="Acme"
        ),
    ]
    job_title: Annotated[
        str | None,
        FieldDefinition(
            label="Job title",
            input=Name,
            searchable=True,
            standard=True,
            quick=True,
            findable=True,
            example="Head of Research",
        ),
    ]
    phone: Annotated[
        str | None,
        FieldDefinition(
            label="Phone",
            input=Phone,
            depends_on=("country",),
            compared=_digits,
            searchable=True,
            bulk=False,
            keyboard="tel",
            findable=True,
            hint="Include the country code, or select a country.",
            example="+442079460958",
        ),
    ]
    country: Annotated[
        str | None,
        FieldDefinition(label="Country", type=FieldType.CHOICE, input=Country, findable=True, example="GB"),
    ]
    website: Annotated[
        str | None,
        FieldDefinition(
            label="Website",
            type=FieldType.URL,
            input=Website,
            bulk=False,
            wide=True,
            hint="e.g. acme.com",
            findable=True,
            example="https://acme.com",
        ),
    ]
    source: Annotated[
        str,
        FieldDefinition(
            label="Source",
            categorical=True,
            input=Source,
            required=True,
            personal=False,
            standard=True,
            width=104,
            hint="Where this lead came from, e.g. Web form",
            example="web-form",
        ),
    ]
    owner_id: Annotated[
        UUID | None,
        FieldDefinition(
            label="Owner",
            type=FieldType.PERSON,
            sql_type=UUID_,
            input=OwnerId,
            personal=False,
            quick=True,
            example="0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5",
        ),
    ]


LEAD_FIELDS: Final = FieldCatalog.of("lead", LeadFields)
PLAIN_FIELDS: Final = LEAD_FIELDS.where(lambda field: not field.identity)
"""All fields except the email, which is stored twice: as written, and normalized."""
TEXT_FIELDS: Final = PLAIN_FIELDS.where(lambda field: field.type is not FieldType.PERSON)
"""Those of them that can be validated without another table."""
MERGEABLE_FIELDS: Final = LEAD_FIELDS.where(lambda field: field.mergeable)
IMPORTABLE_FIELDS: Final = PLAIN_FIELDS.where(lambda field: field.importable)
BULK_FIELDS: Final = LEAD_FIELDS.where(lambda field: field.bulk)
LISTED_FIELDS: Final = LEAD_FIELDS.where(lambda field: field.listed)
QUICK_FIELDS: Final = LEAD_FIELDS.where(lambda field: field.quick)
FINDABLE_FIELDS: Final = LEAD_FIELDS.where(lambda field: field.findable)
"""Fields whose empty values other domains may find: see `leadflood.domains.leads.service.found_values`."""
