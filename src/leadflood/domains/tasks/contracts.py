"""Contracts of tasks."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, Strict, model_validator

from leadflood.domains.identity.models import known_time_zone
from leadflood.domains.leads.contracts import NOT_NULL
from leadflood.domains.tasks.models import MAX_TITLE
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue, line

_Title = Annotated[str, line(MAX_TITLE)]
_Date = Annotated[date, Strict(strict=False), Field(ge=date(1970, 1, 1), lt=date(9998, 1, 1))]
_Id = Annotated[UUID, Strict(strict=False)]
_Zone = Annotated[
    Annotated[str, FromText(known_time_zone, {"maxLength": 64})] | None,
    Field(description="IANA time zone in which the due date ends. Default: that of your profile, or else UTC."),
]


class CreateTask(Schema):
    """A new task on a lead."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Call about the offer", "dueOn": "2026-03-05"}]}
    )

    title: _Title
    due_on: _Date | None = None
    assignee_id: _Id | None = None
    time_zone: _Zone = None


class UpdateTask(Schema):
    """Changes to a task: absent fields are kept, null clears due date and assignee."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"done": True}]})

    title: Annotated[_Title | None, *NOT_NULL] = None
    due_on: _Date | None = None
    assignee_id: _Id | None = None
    done: Annotated[bool | None, *NOT_NULL] = None
    time_zone: _Zone = None

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateTask":
        if not self.model_fields_set - {"time_zone"}:
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        return self


class TaskView(View):
    """A task. `version` is the value for `If-Match`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10",
                    "leadId": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10",
                    "leadName": "Ada Lovelace",
                    "title": "Call about the offer",
                    "dueOn": "2026-03-05",
                    "dueAt": "2026-03-05T23:00:00Z",
                    "overdue": False,
                    "assigneeId": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5",
                    "doneAt": None,
                    "version": 1,
                    "createdAt": "2026-03-01T09:30:00Z",
                }
            ]
        }
    )

    id: UUID
    lead_id: UUID
    lead_name: str = Field(description="Name of the lead, or else its email.")
    title: str
    due_on: date | None
    due_at: datetime | None = Field(description="The end of the due date; the task is overdue from then on.")
    overdue: bool
    assignee_id: UUID | None
    done_at: datetime | None
    version: int
    created_at: datetime
