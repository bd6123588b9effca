"""Inputs and outputs of saved views."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, Strict, model_validator

from leadflood.domains.leads.contracts import NOT_NULL
from leadflood.domains.leads.contracts.filters import LeadQuery, LeadSort
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.labels import COLUMNS, STANDARD_COLUMNS
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue, line

MAX_VIEWS = 100
"""Maximum number of views per user and workspace."""
MAX_VIEW_NAME = 100
MAX_COLUMNS = 30
MIN_WIDTH, MAX_WIDTH = 48, 960
"""Of a column, in px."""

_CUSTOM = "customFields\\.[A-Za-z][A-Za-z0-9_]{0,63}"
_COLUMN = re.compile("|".join(COLUMNS) + f"|{_CUSTOM}")
_PATTERN = f"^([a-z][A-Za-z]{{0,39}}|{_CUSTOM})$"


class ViewLayout(StrEnum):
    """Layout of a view: rows, or cards in a column for each stage."""

    TABLE = "table"
    BOARD = "board"


class BuiltInView(StrEnum):
    """Views that every user has besides All leads."""

    MINE = "mine"
    """Leads that are assigned to the user."""
    ATTENTION = "attention"
    """Leads whose enrichment failed."""


def check_column(text: str) -> str:
    """The name of a column of the list. Raises: InvalidValue."""
    if not _COLUMN.fullmatch(text) and text not in LEAD_EXTENSIONS.columns:
        known = ", ".join((*COLUMNS, *LEAD_EXTENSIONS.columns))
        message = f"There is no such column. Provide one of {known}, or customFields. and a key."
        raise InvalidValue(message, "unknown_column")
    return text


def _each_once(columns: list[str]) -> list[str]:
    if len(set(columns)) < len(columns):
        message = "Each column can be listed once."
        raise InvalidValue(message, "duplicate")
    return columns


_Column = Annotated[str, FromText(check_column, {"pattern": _PATTERN})]
Columns = Annotated[
    list[_Column],
    Field(min_length=1, max_length=MAX_COLUMNS, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]
Widths = Annotated[
    dict[_Column, Annotated[int, Field(ge=MIN_WIDTH, le=MAX_WIDTH)]],
    Field(max_length=MAX_COLUMNS, description="Widths of columns in px; others have their usual width."),
]
ViewName = Annotated[str, line(MAX_VIEW_NAME)]
_Sort = Annotated[LeadSort, Strict(strict=False)]
_Layout = Annotated[ViewLayout, Strict(strict=False)]


class CreateView(Schema):
    """A saved view: name, filter, sort order, columns and layout."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Failed this week",
                    "shared": True,
                    "filter": {
                        "all": [
                            {"field": "status", "operator": "is", "value": "failed"},
                            {"field": "updatedAt", "operator": "inLastDays", "value": 7},
                        ]
                    },
                    "sort": "-updatedAt",
                    "columns": ["name", "email", "status", "customFields.plan"],
                    "columnWidths": {"email": 280},
                }
            ]
        }
    )

    name: ViewName
    shared: bool = Field(default=False, description="Share with the workspace.")
    filter: LeadQuery = Field(default_factory=LeadQuery)
    sort: _Sort = LeadSort.NEWEST
    columns: Columns = Field(default_factory=lambda: list(STANDARD_COLUMNS))
    column_widths: Widths = Field(default_factory=dict)
    layout: _Layout = Field(default=ViewLayout.TABLE, description="A board has a column for each stage.")


class UpdateView(Schema):
    """Changes to a view; omitted fields are kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Failed", "position": 0}]})

    name: Annotated[ViewName | None, *NOT_NULL] = None
    shared: Annotated[bool | None, *NOT_NULL] = None
    filter: Annotated[LeadQuery | None, *NOT_NULL] = None
    sort: Annotated[_Sort | None, *NOT_NULL] = None
    columns: Annotated[Columns | None, *NOT_NULL] = None
    column_widths: Annotated[Widths | None, *NOT_NULL] = None
    layout: Annotated[_Layout | None, *NOT_NULL] = None
    position: Annotated[Annotated[int, Field(ge=0, lt=MAX_VIEWS)] | None, *NOT_NULL] = Field(
        default=None, description="Position among your views, from 0; values past the end mean last."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateView":
        if not self.model_fields_set:
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        return self


class SavedView(View):
    """A saved view: yours, or a shared one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-7e4c-7cc3-98c8-2f1d5a7b9e10",
                    "name": "Failed this week",
                    "shared": True,
                    "userId": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5",
                    "mine": True,
                    "filter": {
                        "all": [
                            {"field": "status", "operator": "is", "value": "failed"},
                            {"field": "updatedAt", "operator": "inLastDays", "value": 7},
                        ]
                    },
                    "sort": "-updatedAt",
                    "columns": ["name", "email", "status", "customFields.plan"],
                    "columnWidths": {"email": 280},
                    "layout": "table",
                    "position": 0,
                    "version": 1,
                    "createdAt": "2026-03-01T09:30:00Z",
                    "updatedAt": "2026-03-01T09:30:00Z",
                }
            ]
        }
    )

    id: UUID
    name: str
    shared: bool
    user_id: UUID | None = Field(description="Owner; null for shared views of former members.")
    mine: bool = Field(description="Whether you can edit it.")
    filter: LeadQuery
    sort: LeadSort
    columns: list[str] = Field(description="In their order from left to right.")
    column_widths: dict[str, int]
    layout: ViewLayout
    position: int
    version: int
    created_at: datetime
    updated_at: datetime


class SavedViews(View):
    """Your views in your order, then shared views by name: up to 100 and 200."""

    items: list[SavedView]


class SetDefaultView(Schema):
    """The view with which you open the list of leads: the ID of a saved view, or the name of a built-in one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"builtIn": "mine"}]})

    view_id: Annotated[UUID, Strict(strict=False)] | None = Field(
        default=None, description="One of your views, or a shared one."
    )
    built_in: Annotated[BuiltInView, Strict(strict=False)] | None = Field(
        default=None, description="`mine`: leads assigned to you. `attention`: leads whose enrichment failed."
    )

    @model_validator(mode="after")
    def _has_one(self) -> "SetDefaultView":
        if (self.view_id is None) == (self.built_in is None):
            message = "Provide either viewId or builtIn."
            raise InvalidValue(message, "required")
        return self


class DefaultView(View):
    """The view with which you open the list of leads. Both null: all leads."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"viewId": None, "builtIn": "mine"}]})

    view_id: UUID | None
    built_in: BuiltInView | None
