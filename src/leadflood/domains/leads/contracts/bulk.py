"""Input of a change to many leads."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, JsonValue, create_model, model_validator

from leadflood.domains.leads.catalog import BULK_FIELDS, LeadFields
from leadflood.domains.leads.contracts import NOT_NULL, CustomFields, lead_inputs
from leadflood.domains.leads.contracts.deleted import DeletedQuery
from leadflood.domains.leads.contracts.filters import LeadQuery
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.values import OwnerId
from leadflood.kernel.schema import Schema
from leadflood.kernel.text import FromText, InvalidValue

MAX_IDS = 1000


class BulkAction(StrEnum):
    """Action on each lead. All except `enrich` can be undone. Other domains add more: see `LEAD_EXTENSIONS`."""

    SET = "set"
    DELETE = "delete"
    RESTORE = "restore"
    ENRICH = "enrich"


def check_action(text: str) -> BulkAction | str:
    """Return an action, or the name of an operation of another domain. Raises: InvalidValue."""
    own = next((action for action in BulkAction if action == text), None)
    if own is not None:
        return own
    if text not in LEAD_EXTENSIONS.operations:
        message = f"Must be one of: {', '.join(_actions())}."
        raise InvalidValue(message, "not_allowed")
    return text


def _actions() -> list[str]:
    return [*map(str, BulkAction), *LEAD_EXTENSIONS.operations]


def _describe_action(schema: dict[str, Any]) -> None:
    schema["enum"] = _actions()


def _describe_arguments(schema: dict[str, Any]) -> None:
    names = ", ".join(f"`{name}`" for name in LEAD_EXTENSIONS.operations)
    schema["description"] = f"Only with {names}." if names else "Only with actions that take arguments."


if TYPE_CHECKING:  # what the catalog declares

    class _BulkChanges(Schema, LeadFields):
        pass

else:
    _BulkChanges = create_model("_BulkChanges", __base__=Schema, **lead_inputs(BULK_FIELDS, clears=True))


class LeadChanges(_BulkChanges):
    """Fields to set on many leads: absent fields are kept, null and blank clear.

    Keys in `customFields` are set, or removed if null; other keys are kept.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"company": "Acme", "customFields": {"plan": None}}]})

    custom_fields: Annotated[CustomFields | None, *NOT_NULL] = None

    @model_validator(mode="after")
    def _changes_something(self) -> "LeadChanges":
        if not self.model_fields_set or (self.model_fields_set == {"custom_fields"} and not self.custom_fields):
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        return self

    def patch(self) -> dict[str, JsonValue]:
        """The given fields, by the names of an image of a lead (see `store.changesets`); null clears."""
        given: dict[str, JsonValue] = {
            name: None if (value := getattr(self, name)) is None else str(value)
            for name in self.model_fields_set - {"custom_fields"}
        }
        for key, value in (self.custom_fields or {}).items():
            given[f"custom_fields.{key}"] = [*value] if isinstance(value, list) else value
        return given


class BulkChange(Schema):
    """A bulk action on leads selected by `leadIds`, by a filter, or, to restore them, by `deleted`.

    With a filter, set `expectedCount` to the number of leads you expect: if more match, nothing is changed. `restore`
    skips leads whose email is taken, and merged leads (undo their merge instead).
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "action": "set",
                    "changes": {"company": "Acme"},
                    "leadIds": ["0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"],
                },
                {
                    "action": "delete",
                    "matching": {"all": [{"field": "company", "operator": "contains", "value": "acme"}]},
                    "expectedCount": 120,
                },
            ]
        }
    )

    action: Annotated[BulkAction | str, FromText(check_action, {})] = Field(json_schema_extra=_describe_action)
    changes: LeadChanges | None = Field(default=None, description="Only with the action `set`.")
    arguments: dict[str, JsonValue] | None = Field(default=None, json_schema_extra=_describe_arguments)
    lead_ids: Annotated[list[OwnerId], Field(min_length=1, max_length=MAX_IDS)] | None = None
    matching: LeadQuery | None = Field(default=None, description="Filter for active leads. `{}` matches all.")
    deleted: DeletedQuery | None = Field(
        default=None, description="Filter for deleted leads to restore. `{}` matches all."
    )
    expected_count: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "BulkChange":
        if (self.action is BulkAction.SET) != (self.changes is not None):
            message = "Send changes with the action set, and with no other."
            raise InvalidValue(message, "not_allowed")
        if self.arguments is not None and self.action not in LEAD_EXTENSIONS.operations:
            message = "Send arguments with an action that takes them, and with no other."
            raise InvalidValue(message, "not_allowed")
        if sum(item is not None for item in (self.lead_ids, self.matching, self.deleted)) != 1:
            message = "Send exactly one of leadIds, matching and deleted."
            raise InvalidValue(message, "required")
        if (self.lead_ids is None) != (self.expected_count is not None):
            message = "Send expectedCount with matching or deleted, and not with leadIds."
            raise InvalidValue(message, "required")
        if self.matching is not None and self.action is BulkAction.RESTORE:
            message = "Send leadIds or deleted: the filter matching finds active leads only."
            raise InvalidValue(message, "required")
        if self.deleted is not None and self.action is not BulkAction.RESTORE:
            message = "Send deleted with the action restore only."
            raise InvalidValue(message, "not_allowed")
        return self

    @property
    def label(self) -> str:
        """Description of the change, for people."""
        if self.changes is None:
            return self.action.capitalize()
        return "Set " + ", ".join(
            name.removeprefix("custom_fields.").replace("_", " ") for name in sorted(self.changes.patch())
        )
