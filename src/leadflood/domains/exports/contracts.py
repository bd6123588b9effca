"""Inputs and outputs of exports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, Strict, model_validator

from leadflood.domains.enrichment.models.lead_fields import EXPORTED
from leadflood.domains.exports.models import (
    ALL,
    MAX_CHOSEN,
    MAX_SELECTED,
    ExportFormat,
    ExportLayout,
    ExportStatus,
    HeaderStyle,
    Selection,
    check_column,
    check_columns,
)
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadQuery
from leadflood.domains.leads.values import OwnerId
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue

_NAME = rf"(\*|[a-z][A-Za-z]{{0,39}}|custom\.(\*|[A-Za-z][A-Za-z0-9_]{{0,63}})|enriched\.(\*|{'|'.join(EXPORTED)}))"
ColumnName = Annotated[str, FromText(check_column, {"pattern": f"^{_NAME}$"})]
ColumnNames = Annotated[
    str,
    FromText(
        check_columns,
        {"pattern": f"^{_NAME}(,{_NAME}){{0,{MAX_CHOSEN - 1}}}$", "examples": ["email,firstName,custom.plan"]},
    ),
]
"""Comma-separated names."""
_ONE_SELECTION = "Send selected leads or filters, not both."
_MAX_IN_URL = 100


def _check_ids(text: str) -> str:
    names = text.split(",")
    if len(names) > _MAX_IN_URL:
        message = f"Provide at most {_MAX_IN_URL} IDs. Create an export for more (POST /v1/exports)."
        raise InvalidValue(message, "too_long")
    try:
        return ",".join(str(UUID(name)) for name in names)
    except ValueError as error:
        message = "Provide comma-separated IDs of leads."
        raise InvalidValue(message) from error


_ID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
SelectedIds = Annotated[str, FromText(_check_ids, {"pattern": f"^{_ID}(,{_ID}){{0,{_MAX_IN_URL - 1}}}$"})]
"""Comma-separated IDs of leads in a URL."""
LeadIds = Annotated[list[OwnerId], Field(min_length=1, max_length=MAX_SELECTED)]


class CreateExport(Schema):
    """Leads to export, with format and columns."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "format": "csv",
                    "columns": ["email", "firstName", "custom.plan", "enriched.company_domain"],
                    "filter": {
                        "all": [
                            {"field": "status", "operator": "is", "value": "enriched"},
                            {"field": "phone", "operator": "isNotEmpty"},
                        ]
                    },
                }
            ]
        }
    )

    format: Annotated[ExportFormat, Strict(strict=False)] = ExportFormat.CSV
    columns: Annotated[list[ColumnName], Field(min_length=1, max_length=MAX_CHOSEN)] = Field(
        default_factory=lambda: [ALL],
        description="`*` for all fields, `owner` (email), `custom.KEY` or `custom.*`, `enriched.FIELD` or "
        "`enriched.*`, `tags`, `lists`. In tables, `*` has tags, lists and the owner's email instead of the ID. With "
        "`foundFields`, which `*` includes, found values fill empty fields, and that column names these fields: an "
        "import leaves such values out.",
    )
    headers: Annotated[HeaderStyle, Strict(strict=False)] = Field(
        default=HeaderStyle.LABELS, description="CSV and XLSX: headers are labels, such as *First name*, or API names."
    )
    bom: bool = Field(default=False, description="CSV: write a UTF-8 BOM (for Excel).")
    filter: LeadQuery = Field(default_factory=LeadQuery)
    lead_ids: LeadIds | None = Field(default=None, description="Selected leads, instead of `filter`.")

    @model_validator(mode="after")
    def _one_selection(self) -> "CreateExport":
        if self.lead_ids is not None and self.filter.lead_filter() != LeadFilter():
            raise InvalidValue(_ONE_SELECTION, "not_allowed")
        return self

    @property
    def selection(self) -> Selection:
        """The leads to export."""
        return Selection(self.filter.lead_filter(), None if self.lead_ids is None else [*dict.fromkeys(self.lead_ids)])

    @property
    def layout(self) -> ExportLayout:
        """The layout of the file."""
        return ExportLayout(self.format, self.columns, self.headers, self.bom)


def chosen_leads(filters: LeadFilter, lead_ids: Sequence[UUID] | None) -> Selection:
    """The leads of a direct export. Raises: InvalidInput: IDs and filters."""
    if lead_ids is not None and filters != LeadFilter():
        fault = FieldError("?leads", "not_allowed", _ONE_SELECTION)
        raise InvalidInput(_ONE_SELECTION, errors=[fault])
    return Selection(filters, lead_ids)


class ExportView(View):
    """An export and the state of its file."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-7e4c-7cc3-98c8-2f1d5a7b9e10",
                    "filename": "leads-2026-03-01.csv",
                    "format": "csv",
                    "columns": ["*"],
                    "headers": "labels",
                    "filter": {"all": [{"field": "status", "operator": "is", "value": "enriched"}]},
                    "leadCount": None,
                    "status": "writing",
                    "actor": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "processed": 48000,
                    "total": 120000,
                    "sizeBytes": 9412034,
                    "error": None,
                    "createdAt": "2026-03-01T09:30:00Z",
                    "finishedAt": None,
                    "expiresAt": "2026-03-08T09:30:00Z",
                }
            ]
        }
    )

    id: UUID
    filename: str
    format: ExportFormat
    columns: list[str]
    headers: HeaderStyle
    filter: dict[str, JsonValue]
    lead_count: int | None = Field(description="Number of selected leads; null if a filter was given.")
    status: ExportStatus
    actor: ActorView
    processed: int = Field(description="Number of leads written.")
    total: int | None = Field(description="Leads to write; null while they are counted.")
    size_bytes: int
    error: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime = Field(description="When the file is deleted.")
