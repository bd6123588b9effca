"""Contracts of stages."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, Strict, model_validator

from leadflood.domains.stages.models import MAX_NAME, MAX_STAGES
from leadflood.kernel.colors import Color
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import InvalidValue, line

_Name = Annotated[str, line(MAX_NAME)]
_Color = Annotated[Color, Strict(strict=False)]


class CreateStage(Schema):
    """A new stage, last in the list. Its key comes from the name: `Demo booked` becomes `demo-booked`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Demo booked", "color": "teal"}]})

    name: _Name
    color: _Color = Color.GRAY


class UpdateStage(Schema):
    """Changes to a stage: absent fields are kept. The key never changes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Demo done", "position": 2}]})

    name: _Name | None = None
    color: _Color | None = None
    archived: bool | None = Field(
        default=None, description="Leads keep an archived stage, and it is not offered any more."
    )
    position: Annotated[int, Field(ge=0, lt=MAX_STAGES)] | None = Field(
        default=None, description="Its place in the list, from 0; past the end means last."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateStage":
        if all(value is None for value in (self.name, self.color, self.archived, self.position)):
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        return self


class StageView(View):
    """A stage. `key` is the value of a lead's `stage`. `version` is the value for `If-Match`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10",
                    "key": "demo-booked",
                    "name": "Demo booked",
                    "color": "teal",
                    "position": 2,
                    "archived": False,
                    "version": 1,
                }
            ]
        }
    )

    id: UUID
    key: str
    name: str
    color: Color
    position: int
    archived: bool
    version: int


class StagesView(View):
    """The stages of a workspace, in order."""

    items: list[StageView]
