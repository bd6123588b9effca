"""Inputs and outputs of exports."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, Strict

from leadflood.domains.enrichment.models import Field as EnrichedField
from leadflood.domains.exports.models import (
    ALL,
    FIELDS,
    MAX_CHOSEN,
    ExportFormat,
    ExportStatus,
    check_column,
    check_columns,
)
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.filters import LeadQuery
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText

_NAME = rf"(\*|{'|'.join(FIELDS)}|custom\.(\*|[A-Za-z][A-Za-z0-9_]{{0,63}})|enriched\.(\*|{'|'.join(EnrichedField)}))"
ColumnName = Annotated[str, FromText(check_column, {"pattern": f"^{_NAME}$"})]
ColumnNames = Annotated[
    str,
    FromText(
        check_columns,
        {"pattern": f"^{_NAME}(,{_NAME}){{0,{MAX_CHOSEN - 1}}}$", "examples": ["email,firstName,custom.plan"]},
    ),
]
"""Comma-separated names."""


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
        description="`*` for all fields, `custom.KEY` or `custom.*`, `enriched.FIELD` or `enriched.*`.",
    )
    bom: bool = Field(default=False, description="CSV: write a UTF-8 BOM (for Excel).")
    filter: LeadQuery = Field(default_factory=LeadQuery)


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
                    "filter": {"all": [{"field": "status", "operator": "is", "value": "enriched"}]},
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
    filter: dict[str, JsonValue]
    status: ExportStatus
    actor: ActorView
    processed: int = Field(description="Number of leads written.")
    total: int | None = Field(description="Leads to write; null while they are counted.")
    size_bytes: int
    error: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime = Field(description="When the file is deleted.")
