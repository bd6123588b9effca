"""Inputs and outputs of imports."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, Strict

from leadflood.domains.imports.models.fields import UPDATABLE, check_target
from leadflood.domains.imports.models.format import ENCODINGS, HEADER_ROWS, MAX_COLUMNS, Delimiter, FileKind
from leadflood.domains.imports.models.states import (
    Duplicates,
    FieldPolicy,
    ImportMode,
    ImportStage,
    InvalidValues,
    RowAction,
)
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.values import Country, OwnerId, Source
from leadflood.domains.lists.contracts import ListName
from leadflood.domains.tags.contracts import TagName
from leadflood.domains.tags.models import MAX_NAMES
from leadflood.kernel.schema import Schema, View
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


_TARGET: Final = (
    "A field such as `email`, or `custom:KEY`, or `otherEmail:KEY` (the email of rows that have none under `email`, "
    "and a custom field otherwise), or `ignore`."
)
TargetName = Annotated[
    str,
    FromText(check_target, {"description": _TARGET, "maxLength": 80}),
]
Sheet = Annotated[str, Field(min_length=1, max_length=100)]
AnyPolicy = Annotated[FieldPolicy, Strict(strict=False)]
Policies = dict[Annotated[str, FromText(_field, {"enum": list(UPDATABLE)})], AnyPolicy]


def parse_filename(text: str) -> str:
    """The name of a file, without folders. Raises: InvalidValue."""
    return clean_line(text.replace("\\", "/").rpartition("/")[2], max_length=MAX_FILENAME)


class ReadFormat(Schema):
    """Overrides of the detected format. Omitted settings are kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"encoding": "windows-1252", "delimiter": ";"}]})

    encoding: Annotated[str, FromText(_encoding, {"enum": list(ENCODINGS)})] | None = None
    delimiter: Annotated[Delimiter, Strict(strict=False)] | None = None
    header: bool | None = Field(None, description="Whether a row has the names of the columns.")
    header_row: Annotated[int, Field(ge=1, le=HEADER_ROWS)] | None = Field(
        None,
        description="Row with the names of the columns, as spreadsheets number rows. Those above it aren't imported.",
    )
    sheet: Sheet | None = None

    @property
    def sets_header(self) -> bool:
        """Whether it says where the names of the columns are. They are looked for otherwise."""
        return self.header is not None or self.header_row is not None


class ImportOptions(Schema):
    """Options for importing the rows. Empty cells never change anything."""

    mode: Annotated[ImportMode, Strict(strict=False)] = ImportMode.CREATE_AND_UPDATE
    existing: AnyPolicy = Field(FieldPolicy.FILL_EMPTY, description="How to update existing leads.")
    fields: Policies = Field(default_factory=dict, description="Policy overrides by field.")
    duplicates: Annotated[Duplicates, Strict(strict=False)] = Field(
        Duplicates.COMBINE,
        description="Several rows with one email. `combine`: later ones fill in what the first one leaves empty. "
        "`first`, `last`: keep that one. `report`: keep the first one and reject the others.",
    )
    invalid: Annotated[InvalidValues, Strict(strict=False)] = Field(
        InvalidValues.DROP,
        description="`drop` invalid values and import the rest, or `reject` rows that have any. Rows without a valid "
        "email are always rejected.",
    )
    source: Source | None = Field(None, description="Default source of leads it creates. Defaults to `import`.")
    owner_id: OwnerId | None = Field(None, description="Default owner of leads it creates.")
    country: Country | None = Field(None, description="Default country for phone numbers without a country code.")
    enrich: bool = Field(default=True, description="Enrich new leads.")
    tags: Annotated[list[TagName], Field(max_length=MAX_NAMES)] = Field(
        default_factory=list, description="Tags for all leads of the file. Missing ones are created."
    )
    lists: Annotated[list[ListName], Field(max_length=MAX_NAMES)] = Field(
        default_factory=list, description="Lists by name for all leads of the file. Missing ones are created."
    )


class MapColumns(ImportOptions):
    """Target field of each column, in file order, and how to import the rows."""

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
    confidence: float = Field(description="Confidence of the detected field, 0 to 1; 1 if it was set.")


class FormatView(View):
    """File format settings."""

    kind: FileKind
    header: bool
    encoding: str | None
    delimiter: Delimiter | None
    sheet: str | None
    sheets: list[str]
    header_row: int | None = Field(None, description="Row with the names of the columns; null without one.")


class NoticeView(View):
    """Something about how the file is read: stable code and message."""

    code: str
    message: str


class ProgressView(View):
    """Progress of the current or last phase."""

    bytes_done: int
    bytes_total: int
    rows_done: int
    rows_total: int | None = Field(description="Null until known.")
    rows_per_second: float | None
    seconds_left: float | None


class FieldCount(View):
    """Effect of an import on one field of existing leads."""

    changed: int = Field(description="Leads whose value changes.")
    skipped: int = Field(description="Leads that keep a value other than the file's.")


class ImportView(View):
    """An import: its file, status and row counts."""

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
                    "fields": {"company": {"changed": 30, "skipped": 12}},
                    "errors": {"/phone invalid_format": 5, "/email required": 1},
                    "jobId": "0197a3b0-7e4d-7a01-8b52-6c0e4f3d2a11",
                    "changesetId": None,
                    "reverted": None,
                    "keptFields": None,
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
    sha256: str | None = Field(description="SHA-256 of the file in hexadecimal; null during the upload.")
    actor: ActorView
    progress: ProgressView
    counts: dict[RowAction, int] = Field(description="Number of rows by action.")
    fields: dict[str, FieldCount] = Field(description="Changes to existing leads, by field.")
    errors: dict[str, int] = Field(description="Number of errors by field and code, as `/field code`.")
    job_id: UUID | None = Field(description="Current or last background job.")
    changeset_id: UUID | None = Field(description="Changeset with everything written so far.")
    reverted: int | None = Field(description="Leads reverted by the undo so far.")
    kept_fields: int | None = Field(description="Fields kept by the undo because they were edited since.")
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class ImportDetail(ImportView):
    """An import with its columns and a sample."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    format: FormatView | None
    columns: list[ColumnView]
    notices: list[NoticeView] = Field(description="What to know about how the file is read.")
    sample: list[list[str]] = Field(description="First rows, without the header; long cells are truncated.")
    options: ImportOptions


class RowError(View):
    """An error of a row: field (empty for the whole row), stable code, message and the value in the file."""

    field: str
    code: str
    message: str
    value: str = ""


class ImportRowView(View):
    """A row of the file and its action."""

    row: int = Field(description="Row number, as shown in a spreadsheet.")
    action: RowAction
    reason: str | None = Field(description="Why the row is skipped or in conflict.")
    duplicate_of: int | None = Field(
        description="Row with the same email that this one is combined with, or that counts instead."
    )
    lead_id: UUID | None
    email: str | None = Field(description="Email of the lead; of a rejected row, what the file has.")
    values: dict[str, JsonValue] = Field(description="Values of the new lead.")
    changes: dict[str, list[JsonValue]] = Field(
        description="Changes to an existing lead, as `[before, after]` by field."
    )
    errors: list[RowError] = Field(description="Why the row is rejected, or which values were left out.")
    cells: list[str] | None = Field(description="Original cells of a rejected row.")
