"""Filters and order of leads, as users and API clients write them."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    PrivateAttr,
    Strict,
    ValidationError,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from leadflood.domains.leads.filters import LEAD_FILTERS
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.values import Country, OwnerId, Source
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.filter_fields import InvalidFilter
from leadflood.kernel.filters import EVERYTHING, Condition, FilterReader, Group, Kind, Operator, narrowed, written
from leadflood.kernel.schema import Schema, View, field_errors
from leadflood.kernel.timestamps import Timestamp

MAX_CHOICES = 20
MAX_SEARCH = 200


class LeadSort(StrEnum):
    """Sort field; prefix `-` for descending."""

    CREATED = "createdAt"
    NEWEST = "-createdAt"
    UPDATED = "updatedAt"
    LATEST = "-updatedAt"
    EMAIL = "email"
    EMAIL_REVERSED = "-email"
    NAME = "name"
    NAME_REVERSED = "-name"
    COMPANY = "company"
    COMPANY_REVERSED = "-company"
    JOB_TITLE = "jobTitle"
    JOB_TITLE_REVERSED = "-jobTitle"
    STAGE = "stage"
    STAGE_REVERSED = "-stage"
    STATUS = "status"
    STATUS_REVERSED = "-status"
    SOURCE = "source"
    SOURCE_REVERSED = "-source"
    SCORE = "score"
    SCORE_REVERSED = "-score"
    ENGAGEMENT = "engagement"
    MOST_ENGAGED = "-engagement"

    @property
    def descending(self) -> bool:
        """Whether the order is descending."""
        return self.value.startswith("-")

    @property
    def reverse(self) -> "LeadSort":
        """The same order from its end."""
        return LeadSort(self.value.removeprefix("-") if self.descending else f"-{self.value}")

    @property
    def column(self) -> str:
        """The column of `leads` to sort by, or `name`, or the name of an order of another domain."""
        renamed = {
            "createdAt": "created_at",
            "updatedAt": "updated_at",
            "email": "email_norm",
            "jobTitle": "job_title",
        }
        name = self.value.lstrip("-")
        return renamed.get(name, name)


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Filter for leads; all conditions must match. Empty choices match any. Times: from inclusive, until exclusive.

    `owner_id` of None means any owner, `unowned` those without one. `tree` says what the others cannot.
    """

    q: str | None = None
    statuses: tuple[LeadStatus, ...] = ()
    sources: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    owner_id: UUID | None = None
    unowned: bool = False
    has_phone: bool | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    updated_from: datetime | None = None
    updated_until: datetime | None = None
    tree: Group = EVERYTHING

    @property
    def whole(self) -> Group:
        """All conditions as one tree."""
        lists = {"status": self.statuses, "source": self.sources, "country": self.countries}
        phone = Operator.IS_NOT_EMPTY if self.has_phone else Operator.IS_EMPTY
        times = (
            ("createdAt", Operator.ON_OR_AFTER, self.created_from),
            ("createdAt", Operator.BEFORE, self.created_until),
            ("updatedAt", Operator.ON_OR_AFTER, self.updated_from),
            ("updatedAt", Operator.BEFORE, self.updated_until),
        )
        said = [
            *([Condition("search", Operator.MATCHES, self.q)] if self.q else []),
            *(Condition(name, Operator.IS_ANY_OF, tuple(map(str, values))) for name, values in lists.items() if values),
            *([Condition("owner", Operator.IS, str(self.owner_id))] if self.owner_id is not None else []),
            *([Condition("owner", Operator.IS_EMPTY)] if self.unowned else []),
            *([Condition("phone", phone)] if self.has_phone is not None else []),
            *(Condition(name, operator, time.isoformat()) for name, operator, time in times if time is not None),
        ]
        return narrowed(self.tree, said)

    def fixed(self, actor: Actor) -> "LeadFilter":
        """The same for a later job: relative dates and `me` are replaced by this actor's current values."""
        return LeadFilter(tree=LEAD_FILTERS.fixed(self.whole, FilterReader(utc_now(), actor)))


_Status = Annotated[LeadStatus, Strict(strict=False)]
_Time = Annotated[Timestamp, PlainSerializer(datetime.isoformat, return_type=str, when_used="json")]


_NODES: dict[str, Any] = {
    "items": {
        "oneOf": [
            {
                "type": "object",
                "title": "Condition",
                "required": ["field", "operator"],
                "properties": {
                    "field": {"type": "string", "description": "See `GET /v1/leads/filter-fields`."},
                    "operator": {"type": "string", "enum": [item.value for item in Operator]},
                    "value": {"description": "A value, or a list with `isAnyOf` and `between`."},
                },
                "additionalProperties": False,
            },
            {
                "type": "object",
                "title": "Group",
                "properties": {name: {"type": "array", "items": {"type": "object"}} for name in ("all", "any")},
                "maxProperties": 1,
                "additionalProperties": False,
            },
        ]
    }
}
_Nodes = Annotated[list[JsonValue], WithJsonSchema({"type": "array", **_NODES})]


class LeadQuery(Schema):
    """A filter of leads: conditions that all must meet (`all`) or any of which must be met (`any`), and groups of them.

    The names of the list's query parameters are accepted, too, as a shorthand. Answers always have the whole tree.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "all": [
                        {"field": "status", "operator": "isAnyOf", "value": ["failed", "new"]},
                        {"field": "owner", "operator": "isEmpty"},
                    ]
                }
            ]
        }
    )

    all: _Nodes | None = None
    any: _Nodes | None = None
    q: Annotated[str, Field(max_length=MAX_SEARCH)] | None = None
    status: Annotated[list[_Status], Field(max_length=len(LeadStatus))] = Field(default_factory=list)
    source: Annotated[list[Source], Field(max_length=MAX_CHOICES)] = Field(default_factory=list)
    country: Annotated[list[Country], Field(max_length=MAX_CHOICES)] = Field(default_factory=list)
    owner_id: OwnerId | None = None
    unowned: bool = False
    has_phone: bool | None = None
    created_from: _Time | None = None
    created_until: _Time | None = None
    updated_from: _Time | None = None
    updated_until: _Time | None = None
    _tree: Group = PrivateAttr(EVERYTHING)

    @model_validator(mode="after")
    def _known_conditions(self) -> Self:
        given = {name: parts for name, parts in (("all", self.all), ("any", self.any)) if parts is not None}
        try:
            self._tree = LEAD_FILTERS.parse(given)
        except InvalidFilter as error:
            faults = [
                InitErrorDetails(
                    type=PydanticCustomError("value_error", "{error}", {"error": fault}), loc=path, input=None
                )
                for path, fault in error.faults
            ]
            raise ValidationError.from_exception_data("LeadQuery", faults, hide_input=True) from None
        return self

    @model_serializer
    def _written(self) -> dict[str, JsonValue]:
        return written(self.lead_filter().whole)

    def lead_filter(self) -> LeadFilter:
        """The filter as verbs take it."""
        return LeadFilter(
            q=self.q,
            statuses=tuple(self.status),
            sources=tuple(self.source),
            countries=tuple(self.country),
            owner_id=self.owner_id,
            unowned=self.unowned,
            has_phone=self.has_phone,
            created_from=self.created_from,
            created_until=self.created_until,
            updated_from=self.updated_from,
            updated_until=self.updated_until,
            tree=self._tree,
        )


class FilterFieldView(View):
    """A field that leads can be filtered by."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "status",
                    "label": "Status",
                    "kind": "choice",
                    "operators": ["is", "isNot", "isAnyOf"],
                    "choices": ["new", "processing", "enriched", "failed"],
                }
            ]
        }
    )

    name: str
    label: str
    kind: Kind
    operators: list[Operator]
    choices: list[str] | None = Field(description="All values that there are; null where any are possible.")


class FilterFieldViews(View):
    """The fields that leads can be filtered by."""

    items: list[FilterFieldView]


def filter_fields() -> FilterFieldViews:
    """The fields that leads can be filtered by."""
    return FilterFieldViews(
        items=[
            FilterFieldView(
                name=field.name,
                label=field.label,
                kind=field.kind,
                operators=list(field.operators),
                choices=None if field.choices is None else list(field.choices),
            )
            for field in LEAD_FILTERS
            if field.listed
        ]
    )


def read_filter(text: str, name: str) -> LeadFilter:
    """A filter as JSON text. `name`: of the parameter or option. Raises: InvalidInput: naming all errors."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        fault = FieldError(name, "invalid_json", 'Provide JSON, such as {"all": [{"field": "status", …}]}.')
        raise InvalidInput("The filter is not JSON.", errors=[fault]) from None
    try:
        return LeadQuery.model_validate(data).lead_filter()
    except ValidationError as error:
        raise InvalidInput("The filter is not valid.", errors=field_errors(error, name)) from None
