"""Inputs and outputs of custom fields."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, Strict, model_validator

from leadflood.domains.fields.models import MAX_FIELDS, MAX_LABEL, check_options, key_of
from leadflood.kernel.field_types import MAX_OPTION, MAX_OPTIONS, FieldType, Option, check_field_key
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue, line

Key = Annotated[str, FromText(check_field_key, {"pattern": "^[A-Za-z][A-Za-z0-9_]{0,63}$"})]
Label = Annotated[str, line(MAX_LABEL)]
Type = Annotated[FieldType, Strict(strict=False)]
_OptionText = Annotated[str, line(MAX_OPTION)]


def _given_by_label(value: object) -> object:
    return {"label": value} if isinstance(value, str) else value


class FieldOption(Schema):
    """An option: its label, and the stored value, which defaults to the label."""

    label: _OptionText
    value: _OptionText | None = None


_Options = Annotated[list[Annotated[FieldOption, BeforeValidator(_given_by_label)]], Field(max_length=MAX_OPTIONS)]


def options_of(given: Sequence[FieldOption] | None) -> list[Option]:
    """The given options. Raises: InvalidValue."""
    return check_options([Option(item.value or item.label, item.label) for item in given or ()])


class CreateField(Schema):
    """A new custom field. The key defaults to one derived from the label: `Annual revenue` becomes `annual_revenue`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"label": "Plan", "key": "plan", "type": "choice", "options": [{"label": "Pro"}]}]
        }
    )

    subject: Literal["lead"] = "lead"
    label: Label
    key: Key | None = None
    type: Type = FieldType.TEXT
    options: _Options | None = Field(default=None, description="With the types `choice` and `multi_choice`.")

    @model_validator(mode="after")
    def _is_whole(self) -> "CreateField":
        if self.key is None and not key_of(self.label):
            message = "A key is required: the label has no letters or digits to derive one from."
            raise InvalidValue(message, "required")
        require_options(self.type, options_of(self.options))
        return self


class UpdateField(Schema):
    """Changes to a custom field; omitted fields are kept. The key never changes.

    If the type changes, a job converts the stored values that fit; the others stay as they are.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"label": "Seats", "type": "number", "position": 0}]})

    label: Label | None = None
    type: Type | None = None
    options: _Options | None = None
    archived: bool | None = Field(default=None, description="Archived fields keep their values and are not offered.")
    position: Annotated[int, Field(ge=0, lt=MAX_FIELDS)] | None = Field(
        default=None, description="Its place among the fields, from 0; past the end means last."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateField":
        if not self.model_fields_set:
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        if any(getattr(self, name) is None for name in self.model_fields_set):
            message = "Can't be null. Leave it out to keep the current value."
            raise InvalidValue(message, "not_allowed")
        options_of(self.options)
        return self


def require_options(kind: FieldType, options: Sequence[Option]) -> None:
    """Raises: InvalidValue: a choice without options, or options without a choice."""
    if kind.has_options and not options:
        message = "At least one option is required."
        raise InvalidValue(message, "required")
    if options and not kind.has_options:
        message = "Only the types choice and multi_choice have options."
        raise InvalidValue(message, "not_allowed")


class FieldOptionView(View):
    """An option of a choice."""

    value: str
    label: str


class FieldView(View):
    """A custom field."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3d0-5e4c-7cc3-98c8-2f1d5a7b9e10",
                    "subject": "lead",
                    "key": "plan",
                    "label": "Plan",
                    "type": "choice",
                    "options": [{"value": "Pro", "label": "Pro"}],
                    "position": 0,
                    "archived": False,
                    "version": 1,
                    "createdAt": "2026-03-01T09:30:00Z",
                    "updatedAt": "2026-03-01T09:30:00Z",
                }
            ]
        }
    )

    id: UUID
    subject: str
    key: str = Field(description="Its name in `customFields` and in files.")
    label: str
    type: FieldType
    options: list[FieldOptionView]
    position: int
    archived: bool
    version: int
    created_at: datetime
    updated_at: datetime


class FieldsView(View):
    """The custom fields in display order, archived ones last: at most 200."""

    items: list[FieldView]


def stored_options(options: Sequence[Option]) -> list[Mapping[str, Any]]:
    """The stored form of the options."""
    return [{"value": option.value, "label": option.label} for option in options]
