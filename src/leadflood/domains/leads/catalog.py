"""The fields of a lead. A new field is an entry here, a migration, and its line in the contracts."""

from typing import Final

from leadflood.domains.leads.models import normalise_source
from leadflood.kernel.country_names import normalise_country
from leadflood.kernel.db.sql import sql
from leadflood.kernel.field_types import FieldType
from leadflood.kernel.fields import UUID_, FieldCatalog, FieldDefinition
from leadflood.kernel.web_address import normalise_website

CUSTOM_FIELD: Final = "customFields."
"""Prefix of the key of a custom field, next to the names of fields."""

LEAD_FIELDS: Final = FieldCatalog(
    "lead",
    (
        FieldDefinition(
            name="email",
            api_name="email",
            label="Email",
            column=sql("email"),
            identity=True,
            mergeable=False,
            searchable=True,
        ),
        FieldDefinition(
            name="first_name", api_name="firstName", label="First name", column=sql("first_name"), searchable=True
        ),
        FieldDefinition(
            name="last_name", api_name="lastName", label="Last name", column=sql("last_name"), searchable=True
        ),
        FieldDefinition(name="company", api_name="company", label="Company", column=sql("company"), searchable=True),
        FieldDefinition(
            name="job_title", api_name="jobTitle", label="Job title", column=sql("job_title"), searchable=True
        ),
        FieldDefinition(name="phone", api_name="phone", label="Phone", column=sql("phone"), searchable=True),
        FieldDefinition(
            name="website",
            api_name="website",
            label="Website",
            type=FieldType.URL,
            column=sql("website"),
            normalise=normalise_website,
        ),
        FieldDefinition(
            name="country",
            api_name="country",
            label="Country",
            type=FieldType.CHOICE,
            column=sql("country"),
            normalise=normalise_country,
        ),
        FieldDefinition(
            name="source",
            api_name="source",
            label="Source",
            column=sql("source"),
            normalise=normalise_source,
            personal=False,
        ),
        FieldDefinition(
            name="owner_id",
            api_name="ownerId",
            label="Owner",
            type=FieldType.PERSON,
            column=sql("owner_id"),
            sql_type=UUID_,
            personal=False,
        ),
    ),
)
PLAIN_FIELDS: Final = LEAD_FIELDS.where(lambda field: not field.identity)
"""All fields except the email, which is stored twice: as written, and normalized."""
TEXT_FIELDS: Final = PLAIN_FIELDS.where(lambda field: field.type is not FieldType.PERSON)
"""Those of them that can be validated without another table."""
MERGEABLE_FIELDS: Final = LEAD_FIELDS.where(lambda field: field.mergeable)
IMPORTABLE_FIELDS: Final = PLAIN_FIELDS.where(lambda field: field.importable)
