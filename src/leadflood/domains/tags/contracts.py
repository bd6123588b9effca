"""Contracts of tags."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, Strict, model_validator

from leadflood.domains.leads.contracts import NOT_NULL
from leadflood.domains.tags.models import MAX_NAME, MAX_NAMES, clean_name
from leadflood.kernel.colors import Color
from leadflood.kernel.schema import Count, Schema, View
from leadflood.kernel.text import FromText, InvalidValue

TagName = Annotated[str, FromText(clean_name, {"minLength": 1, "maxLength": MAX_NAME})]
_Color = Annotated[Color, Strict(strict=False)]
_Id = Annotated[UUID, Strict(strict=False)]


class CreateTag(Schema):
    """A new tag. Names are unique in the workspace, ignoring case."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Met in Berlin", "color": "blue"}]})

    name: TagName
    color: _Color = Color.GRAY


class UpdateTag(Schema):
    """Changes to a tag: absent fields are kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"color": "green"}]})

    name: Annotated[TagName | None, *NOT_NULL] = None
    color: Annotated[_Color | None, *NOT_NULL] = None

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateTag":
        if not self.model_fields_set:
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        return self


class MergeTag(Schema):
    """The tag that another one becomes part of."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"intoId": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10"}]})

    into_id: _Id


class TagNames(Schema):
    """Tags by name: up to 50. Names that don't exist yet are created when they are added."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"names": ["VIP", "Met in Berlin"]}]})

    names: Annotated[list[TagName], Field(min_length=1, max_length=MAX_NAMES)]


class ReplaceTag(Schema):
    """Arguments of the merge of a tag into another one."""

    from_id: _Id
    into_id: _Id


class TagRef(View):
    """A tag of a lead."""

    id: UUID
    name: str
    color: Color


class LeadTags(View):
    """The tags of a lead, by name."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"items": [{"id": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10", "name": "VIP", "color": "red"}]}]
        }
    )

    items: list[TagRef]


class TagView(View):
    """A tag. `version` is the value for `If-Match`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10",
                    "name": "VIP",
                    "color": "red",
                    "leads": {"value": 12, "exact": True},
                    "version": 1,
                    "createdAt": "2026-03-01T09:30:00Z",
                    "updatedAt": "2026-03-01T09:30:00Z",
                }
            ]
        }
    )

    id: UUID
    name: str
    color: Color
    leads: Count | None = Field(default=None, description="Leads with the tag, counted up to 1,000. Only in lists.")
    version: int
    created_at: datetime
    updated_at: datetime
