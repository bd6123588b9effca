"""Inputs and outputs of leads, with all validation."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
    field_validator,
    model_validator,
)

from leadflood.domains.leads.catalog import LEAD_FIELDS, PLAIN_FIELDS, TEXT_FIELDS, LeadFields
from leadflood.domains.leads.contracts.found_values import FoundValues
from leadflood.domains.leads.models import CustomValue, LeadStatus, clean_custom_value
from leadflood.domains.leads.values import Email
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.field_types import MAX_OPTION, MAX_OPTIONS, MAX_SAFE_INTEGER, MAX_TEXT, check_field_key
from leadflood.kernel.fields import FieldDefinition
from leadflood.kernel.ids import new_id
from leadflood.kernel.phone_number import normalise_phone, phone_needs_country
from leadflood.kernel.queue.ports import Priority
from leadflood.kernel.schema import Schema, View, field_errors
from leadflood.kernel.text import FromText, InvalidValue, is_blank

MAX_BATCH = 1000
MAX_CUSTOM_FIELDS = 50
MAX_CUSTOM_BYTES = 32 * 1024
_RAW_CUSTOM = 2 * MAX_CUSTOM_BYTES
"""Maximum characters of all custom texts before cleaning. More are refused without cleaning."""


_Fields = TypeVar("_Fields", bound=Mapping[str, object])


def _few_enough(value: object) -> object:
    if isinstance(value, dict) and len(value) > MAX_CUSTOM_FIELDS:
        message = f"Maximum {MAX_CUSTOM_FIELDS} custom fields."
        raise InvalidValue(message, "too_long")
    if isinstance(value, dict) and sum(len(text) for text in value.values() if isinstance(text, str)) > _RAW_CUSTOM:
        raise _too_many_bytes()
    return value


def _small_enough(fields: _Fields) -> _Fields:
    if len(json.dumps(fields, ensure_ascii=False).encode()) > MAX_CUSTOM_BYTES:
        raise _too_many_bytes()
    return fields


def _too_many_bytes() -> InvalidValue:
    return InvalidValue(f"Custom fields can take {MAX_CUSTOM_BYTES} bytes of JSON. Shorten or remove some.", "too_long")


def _not_null(value: object) -> object:
    if value is None:
        message = "Can't be cleared."
        raise InvalidValue(message, "not_allowed")
    return value


def _null_if_blank(value: object) -> object:
    return None if isinstance(value, str) and is_blank(value) else value


def _or_blank(schema: dict[str, Any]) -> None:
    for choice in schema["anyOf"]:
        choice.pop("minLength", None)
        if "pattern" in choice:
            choice["pattern"] = f"^$|{choice['pattern']}"
    if any("format" in choice for choice in schema["anyOf"]):
        schema["anyOf"].insert(1, {"const": "", "type": "string"})


def _without_null(schema: dict[str, Any]) -> None:
    kept = next(choice for choice in schema.pop("anyOf") if choice != {"type": "null"})
    schema.pop("default")
    schema.update(kept)


_CustomJson = (
    Annotated[str, Field(max_length=MAX_TEXT)]
    | Annotated[float, Field(ge=-MAX_SAFE_INTEGER, le=MAX_SAFE_INTEGER)]
    | bool
    | Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_OPTION)]], Field(min_length=1, max_length=MAX_OPTIONS)
    ]
    | None
)
"""The OpenAPI schema of a custom value. Fractions outside the bounds are valid too, which JSON Schema cannot express.
"""

CustomFields = Annotated[
    dict[
        Annotated[str, FromText(check_field_key, {"pattern": "^[A-Za-z][A-Za-z0-9_]{0,63}$"})],
        Annotated[CustomValue | None, PlainValidator(clean_custom_value, json_schema_input_type=_CustomJson)],
    ],
    BeforeValidator(_few_enough),
    AfterValidator(_small_enough),
    Field(json_schema_extra={"maxProperties": MAX_CUSTOM_FIELDS, "additionalProperties": False}),
]
BLANK_IS_NULL = (BeforeValidator(_null_if_blank), Field(json_schema_extra=_or_blank))
NOT_NULL = (BeforeValidator(_not_null), Field(json_schema_extra=_without_null))


def lead_inputs(fields: Iterable[FieldDefinition], *, clears: bool) -> dict[str, Any]:
    """Inputs for `create_model`, all optional. Blank and null are the same: absent, or what clears the field.

    Args: clears: a required field refuses null, as the others are cleared by it.
    """
    return {
        each.name: (Annotated[each.input | None, *(NOT_NULL if clears and each.required else BLANK_IS_NULL)], None)
        for each in fields
    }


if TYPE_CHECKING:  # what the catalog declares; inputs are parsed, and may be absent

    class _NewLead(Schema, LeadFields):
        source: str | None  # type: ignore[assignment]

    class _ChangedLead(Schema, LeadFields):
        email: EmailAddress | None  # type: ignore[assignment]
        source: str | None  # type: ignore[assignment]

    class _Identified(View, LeadFields):
        id: UUID

else:
    _NewLead = create_model("_NewLead", __base__=Schema, **lead_inputs(PLAIN_FIELDS.by_dependency, clears=False))
    _ChangedLead = create_model("_ChangedLead", __base__=Schema, **lead_inputs(LEAD_FIELDS.by_dependency, clears=True))
    _Identified = create_model("_Identified", __base__=View, id=(UUID, ...), **LEAD_FIELDS.values(LeadFields))


class CreateLead(_NewLead):
    """A new lead. Null and blank are the same as absent; `source` defaults to the caller's channel, e.g. `api`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **TEXT_FIELDS.examples,
                    "email": "ada.lovelace@acme.com",
                    "phone": "020 7946 0958",
                    "website": "acme.com",
                    "customFields": {"plan": "pro", "seats": 12},
                }
            ]
        }
    )

    email: Email  # type: ignore[assignment]
    custom_fields: CustomFields = Field(default_factory=dict)

    @field_validator("phone")
    @classmethod
    def _phone_in_its_country(cls, phone: str | None, info: ValidationInfo) -> str | None:
        if phone is None or ("country" not in info.data and phone_needs_country(phone)):
            return phone  # the given country is itself invalid and reported: nothing more to say about this number
        return normalise_phone(phone, info.data.get("country"))

    @field_validator("custom_fields")
    @classmethod
    def _drop_nulls(cls, fields: dict[str, CustomValue | None]) -> dict[str, CustomValue | None]:
        return {key: value for key, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class NewLead:
    """A lead to create: its actor, and the trace of the request for its job."""

    actor: Actor
    command: CreateLead
    trace: Mapping[str, str]
    default_source: str = "api"
    priority: Priority = Priority.NORMAL
    id: UUID = field(default_factory=new_id)
    job_id: UUID = field(default_factory=new_id)

    @property
    def source(self) -> str:
        """The given source, or else the channel."""
        return self.command.source or self.default_source


@dataclass(frozen=True, slots=True)
class InvalidLead:
    """A lead of a batch that breaks the contract, with its errors. The others are not affected."""

    errors: Sequence[FieldError]


def _or_its_faults(value: object, handler: ValidatorFunctionWrapHandler) -> CreateLead | InvalidLead:
    if isinstance(value, InvalidLead):
        return value  # already validated one by one
    try:
        lead: CreateLead = handler(value)
    except ValidationError as exc:
        return InvalidLead(field_errors(exc))
    return lead


_LeadOfMany = Annotated[CreateLead, WrapValidator(_or_its_faults)]
"""Returns a valid lead with its type; otherwise an `InvalidLead`."""


class CreateLeads(Schema):
    """Leads to create, independently of each other."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"leads": [{"email": "ada@acme.com"}, {"email": "grace@acme.com"}]}]}
    )

    leads: Annotated[list[_LeadOfMany], Field(min_length=1, max_length=MAX_BATCH)]


class UpdateLead(_ChangedLead):
    """Changes to a lead: absent fields are kept, null and blank clear.

    Keys in `customFields` are set, or removed if null; other keys are kept. Null instead of the object removes all.
    National phone numbers use the country given here, otherwise the stored one.
    """

    # The docstring is in OpenAPI. For us: absent means not in `model_fields_set`, and `phone` is still unparsed if it
    # depends on the stored country, so the service passes it through `resolve_phone`.
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"jobTitle": "Chief Scientist", "phone": None, "customFields": {"plan": "team", "seats": None}}
            ]
        }
    )

    custom_fields: CustomFields | None = None

    @field_validator("phone")
    @classmethod
    def _phone_in_its_country(cls, phone: str | None, info: ValidationInfo) -> str | None:
        country = info.data.get("country")
        if phone is None or (country is None and phone_needs_country(phone)):
            return phone
        return normalise_phone(phone, country)

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateLead":
        if not self.model_fields_set:
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        return self


def resolve_phone(phone: str, country: str | None) -> str:
    """The stored form of `UpdateLead.phone`, by the country the lead will have (ISO 3166-1 alpha-2 or none).

    Raises: InvalidInput: naming `/phone`, like the contract itself.
    """
    try:
        return normalise_phone(phone, country)
    except InvalidValue as exc:
        detail = "The phone number does not fit the lead's country."
        raise InvalidInput(detail, errors=[FieldError("/phone", exc.code, str(exc))]) from exc


def merge_custom_fields(
    stored: Mapping[str, CustomValue], changes: Mapping[str, CustomValue | None] | None
) -> dict[str, CustomValue]:
    """Custom fields of a lead after `UpdateLead.custom_fields`; `changes` of None removes all.

    Raises: InvalidInput: where the result, other than either part, is over the limits of one lead.
    """
    merged = {**stored, **changes} if changes is not None else {}
    fields = {key: value for key, value in merged.items() if value is not None}
    try:
        _few_enough(fields)
        _small_enough(fields)
    except InvalidValue as exc:
        detail = "The lead would have too many custom fields. Remove some by giving them as null."
        raise InvalidInput(detail, errors=[FieldError("/customFields", exc.code, str(exc))]) from exc
    return fields


_LEAD_ID = "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"
_JOB_ID = "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11"
_USER_ID = "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"
LEAD_EXAMPLE: Final[dict[str, JsonValue]] = {
    "id": _LEAD_ID,
    **LEAD_FIELDS.examples,
    "status": "enriched",
    "version": 3,
    "customFields": {"plan": "pro", "seats": 12},
    "createdAt": "2026-03-01T09:30:00Z",
    "updatedAt": "2026-03-01T09:30:02Z",
    "enrichedAt": "2026-03-01T09:30:02Z",
    "error": None,
}
"""A lead in documents."""


class LeadView(_Identified):
    """A lead. `version` is the value for `If-Match`; `error` is the reason if enrichment failed."""

    model_config = ConfigDict(json_schema_extra={"examples": [LEAD_EXAMPLE]})

    status: LeadStatus
    version: int
    custom_fields: dict[str, CustomValue]
    created_at: datetime
    updated_at: datetime
    enriched_at: datetime | None
    error: str | None
    _found: FoundValues = PrivateAttr(default_factory=dict)

    @property
    def found(self) -> FoundValues:
        """The found values of its empty fields. They are not part of the view: the API has `effectiveValues`."""
        return self._found

    def with_found(self, found: FoundValues) -> Self:
        """The lead with these found values, as far as its fields are empty."""
        self._found = {name: value for name, value in found.items() if getattr(self, name) is None}
        return self


class LeadCreated(View):
    """The new lead and the job that enriches it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"leadId": _LEAD_ID, "jobId": _JOB_ID}]})

    lead_id: UUID
    job_id: UUID


class ActorView(View):
    """Actor of an event; `id` is null for the CLI and the system."""

    kind: ActorKind
    id: UUID | None


class LeadEventView(View):
    """A timeline entry."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-5e4e-7b22-9d10-5a4b3c2d1e0f",
                    "leadId": _LEAD_ID,
                    "kind": "lead.created",
                    "at": "2026-03-01T09:30:00Z",
                    "actor": {"kind": "user", "id": _USER_ID},
                    "data": {"source": "web-form"},
                }
            ]
        }
    )

    id: UUID
    lead_id: UUID = Field(
        description="Lead of the entry; another ID if it is from a lead that was merged into this one."
    )
    kind: str
    at: datetime
    actor: ActorView
    data: dict[str, JsonValue]
