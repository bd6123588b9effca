"""What crosses the border of imports: what is asked for, and the shape of every answer."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, Strict

from leadflood.domains.imports.models.fields import UPDATABLE, check_target
from leadflood.domains.imports.models.format import ENCODINGS, MAX_COLUMNS, Delimiter, FileKind
from leadflood.domains.imports.models.states import (
    Duplicates,
    FieldPolicy,
    ImportMode,
    ImportStage,
    InvalidValues,
    RowAction,
)
from leadflood.domains.leads.contracts import ActorView, Country, OwnerId, Source
from leadflood.kernel.contract import Contract, View
from leadflood.kernel.text import FromText, InvalidValue, clean_line

MAX_FILENAME = 200


def _encoding(text: str) -> str:
    if text.lower() not in ENCODINGS:
        message = f"Unknown encoding. Use one of: {', '.join(ENCODINGS)}."
        raise InvalidValue(message, "not_allowed")
    return text.lower()


def _field(text: str) -> str:
    if text not in UPDATABLE:
        message = f"Unknown field. Use one of: {', '.join(UPDATABLE)}."
        raise InvalidValue(message, "not_allowed")
    return text


TargetName = Annotated[
    str,
    FromText(check_target, {"description": "A field such as `email`, `ignore`, or `custom:KEY`.", "maxLength": 80}),
]
Sheet = Annotated[str, Field(min_length=1, max_length=100)]
AnyPolicy = Annotated[FieldPolicy, Strict(strict=False)]
Policies = dict[Annotated[str, FromText(_field, {"enum": list(UPDATABLE)})], AnyPolicy]


def parse_filename(text: str) -> str:
    """The name of a file, without folders. Raises: InvalidValue."""
    return clean_line(text.replace("\\", "/").rpartition("/")[2], max_length=MAX_FILENAME)


class ReadAs(Contract):
    """How to read the file, where the guess is wrong. What is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"encoding": "windows-1252", "delimiter": ";"}]})

    encoding: Annotated[str, FromText(_encoding, {"enum": list(ENCODINGS)})] | None = None
    delimiter: Annotated[Delimiter, Strict(strict=False)] | None = None
    header: bool | None = None
    sheet: Sheet | None = None


class ImportOptions(Contract):
    """What rows do to leads. An empty cell never changes anything."""

    mode: Annotated[ImportMode, Strict(strict=False)] = ImportMode.CREATE_AND_UPDATE
    existing: AnyPolicy = Field(FieldPolicy.FILL_EMPTY, description="What values do to fields of existing leads.")
    fields: Policies = Field(default_factory=dict, description="Other policies for single fields.")
    duplicates: Annotated[Duplicates, Strict(strict=False)] = Field(
        Duplicates.FIRST, description="Which of several rows with one address counts."
    )
    invalid: Annotated[InvalidValues, Strict(strict=False)] = Field(
        InvalidValues.REJECT, description="`drop`: leave invalid values out; a row without a valid address is rejected."
    )
    source: Source | None = Field(None, description="Source of new leads. Null: `import`.")
    owner_id: OwnerId | None = Field(None, description="Owner of new leads.")
    country: Country | None = Field(None, description="Country of phone numbers in national form.")
    enrich: bool = Field(default=True, description="Whether new leads are enriched.")


class MapColumns(ImportOptions):
    """What each column becomes, in the order of the file, and what rows do to leads."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "targets": ["email", "fullName"],
                    "mode": "create_and_update",
                    "existing": "fill_empty",
                    "fields": {"company": "keep"},
                }
            ]
        }
    )

    targets: Annotated[list[TargetName], Field(min_length=1, max_length=MAX_COLUMNS)]


class ColumnView(View):
    """A column of the file."""

    header: str
    target: str
    confidence: float = Field(description="How sure the guess is, 0 to 1; 1 once it was chosen.")


class FormatView(View):
    """How the file is read."""

    kind: FileKind
    header: bool
    encoding: str | None
    delimiter: Delimiter | None
    sheet: str | None
    sheets: list[str]


class ProgressView(View):
    """How far the current or last phase is."""

    bytes_done: int
    bytes_total: int
    rows_done: int
    rows_total: int | None = Field(description="Null while nobody knows.")
    rows_per_second: float | None
    seconds_left: float | None


class FieldCount(View):
    """What an import does to one field of existing leads."""

    changed: int = Field(description="Leads in which the field changes.")
    kept: int = Field(description="Leads that have another value than the file, and keep it.")


class ImportView(View):
    """An import: its file, how it stands, and what its rows do or did."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-7e4c-7cc3-98c8-2f1d5a7b9e10",
                    "filename": "leads.csv",
                    "status": "previewed",
                    "sizeBytes": 48211,
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "actor": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "progress": {
                        "bytesDone": 48211,
                        "bytesTotal": 48211,
                        "rowsDone": 500,
                        "rowsTotal": 500,
                        "rowsPerSecond": 21000.0,
                        "secondsLeft": None,
                    },
                    "counts": {"create": 420, "update": 30, "unchanged": 40, "skip": 4, "conflict": 0, "reject": 6},
                    "fields": {"company": {"changed": 30, "kept": 12}},
                    "faults": {"/phone invalid_format": 5, "/email required": 1},
                    "jobId": "0197a3b0-7e4d-7a01-8b52-6c0e4f3d2a11",
                    "changesetId": None,
                    "undone": None,
                    "kept": None,
                    "error": None,
                    "createdAt": "2026-03-01T09:30:00Z",
                    "finishedAt": None,
                }
            ]
        }
    )

    id: UUID
    filename: str
    status: ImportStage
    size_bytes: int
    sha256: str | None = Field(description="Of the file, in hexadecimal; null while it is uploaded.")
    actor: ActorView
    progress: ProgressView
    counts: dict[RowAction, int] = Field(description="Rows by what they do, or did once it is committed.")
    fields: dict[str, FieldCount] = Field(description="What changes in existing leads, field by field.")
    faults: dict[str, int] = Field(description="How often each fault was found: `/field code`.")
    job_id: UUID | None = Field(description="The job that works on it, or did last.")
    changeset_id: UUID | None = Field(description="What is written so far, as one changeset that can be undone.")
    undone: int | None = Field(description="Leads that the undo has put back so far.")
    kept: int | None = Field(description="Fields that the undo left as they are, for somebody edited them since.")
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class ImportDetail(ImportView):
    """An import with what is needed to map it."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    format: FormatView | None
    columns: list[ColumnView]
    sample: list[list[str]] = Field(description="The first rows, without the header; long cells are cut.")
    options: ImportOptions


class RowFault(View):
    """A fault of a row: the field (empty: the row), a stable code, and the remedy."""

    field: str
    code: str
    message: str


class ImportRowView(View):
    """A row of the file, and what it does."""

    row: int = Field(description="Its number, as a spreadsheet shows it.")
    action: RowAction
    reason: str | None = Field(description="Why it is skipped, or why it is in conflict.")
    lead_id: UUID | None
    email: str | None
    values: dict[str, JsonValue] = Field(description="What a new lead gets.")
    changes: dict[str, list[JsonValue]] = Field(description="Of an existing lead: each field as `[before, after]`.")
    faults: list[RowFault] = Field(description="Why it is rejected, or which values were left out.")
    cells: list[str] | None = Field(description="The row as it is in the file, where it is rejected.")
