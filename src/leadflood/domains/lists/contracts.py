"""Contracts of lists."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, Strict, model_validator

from leadflood.domains.leads.contracts import NOT_NULL
from leadflood.domains.lists.models import MAX_ADDRESSES, MAX_DESCRIPTION, MAX_NAME
from leadflood.kernel.schema import Count, Schema, View
from leadflood.kernel.text import InvalidValue, line

ListName = Annotated[str, line(MAX_NAME)]
Description = Annotated[str, line(MAX_DESCRIPTION)]
_Id = Annotated[UUID, Strict(strict=False)]
_LIST_ID = "0197a3b0-9e4c-7cc3-98c8-2f1d5a7b9e10"
_LEAD_ID = "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"


class CreateList(Schema):
    """A new list. Names are unique in the workspace, ignoring case."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Berlin dinner", "description": "Invited for May 2026"}]}
    )

    name: ListName
    description: Description | None = None


class UpdateList(Schema):
    """Changes to a list: absent fields are kept, null clears the description."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"description": None}]})

    name: Annotated[ListName | None, *NOT_NULL] = None
    description: Description | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateList":
        if not self.model_fields_set:
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        return self


class OneList(Schema):
    """The list that leads are added to or removed from."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"listId": _LIST_ID}]})

    list_id: _Id


class AddMembers(Schema):
    """Leads to add, by email address: up to 1,000. Addresses without a lead are reported."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"emails": ["ada.lovelace@acme.com"]}]})

    emails: Annotated[list[Annotated[str, Field(max_length=320)]], Field(min_length=1, max_length=MAX_ADDRESSES)]


class MembersAdded(View):
    """Result for the addresses."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"added": 1, "alreadyMembers": 0, "unknown": 1, "unknownEmails": ["unknown@acme.com"]}]
        }
    )

    added: int
    already_members: int
    unknown: int = Field(description="Addresses without a lead, and invalid ones.")
    unknown_emails: list[str] = Field(description="The first 100 of them.")


class ListRef(View):
    """A list that a lead is on."""

    id: UUID
    name: str


class LeadLists(View):
    """The lists of a lead, by name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [{"id": _LIST_ID, "name": "Berlin dinner"}]}]})

    items: list[ListRef]


class ListView(View):
    """A static list. `version` is the value for `If-Match`. To get its leads, filter leads by `list`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _LIST_ID,
                    "name": "Berlin dinner",
                    "description": "Invited for May 2026",
                    "leads": {"value": 120, "exact": True},
                    "version": 1,
                    "createdAt": "2026-03-01T09:30:00Z",
                    "updatedAt": "2026-03-01T09:30:00Z",
                }
            ]
        }
    )

    id: UUID
    name: str
    description: str | None
    leads: Count = Field(description="Number of its leads, counted up to 10,000.")
    version: int
    created_at: datetime
    updated_at: datetime
