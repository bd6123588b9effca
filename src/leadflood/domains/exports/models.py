"""Models of exports: formats, states, and columns."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final, Protocol
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.enrichment.models.lead_fields import EXPORTED
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.kernel.actor import Actor
from leadflood.kernel.field_types import FieldType, check_field_key
from leadflood.kernel.filters import written
from leadflood.kernel.name_lists import join_names
from leadflood.kernel.pagination import Position
from leadflood.kernel.text import InvalidValue

DIRECT_LIMIT: Final = 50_000
"""Maximum leads in one response, without a job."""
MAX_COLUMNS: Final = 500
MAX_CHOSEN: Final = 200
MAX_SELECTED: Final = 1000
"""Maximum leads that are selected one by one."""
MAX_EXPORTS: Final = 100
DAYS_KEPT: Final = 7

FIELDS: Final[Mapping[str, str]] = {
    "id": "id",
    **{each.api_name: each.name for each in LEAD_FIELDS if each.exportable},
    "status": "status",
    "version": "version",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "enrichedAt": "enriched_at",
    "error": "error",
}
"""The fields of a lead, by API and table name, in the order of a file."""
OWNER: Final = "owner"
"""The email of the owner, instead of `ownerId`."""
FOUND: Final = "foundFields"
"""The names of the fields whose values are found ones. With this column, found values fill empty fields of the file."""
CUSTOM: Final = "custom."
ENRICHED: Final = "enriched."
ALL_CUSTOM: Final = "custom.*"
ALL_ENRICHED: Final = "enriched.*"
ALL: Final = "*"


class ExportFormat(StrEnum):
    """File format."""

    CSV = "csv"
    XLSX = "xlsx"
    NDJSON = "ndjson"
    PARQUET = "parquet"

    @property
    def resumable(self) -> bool:
        """Whether another process can continue after any batch: earlier output does not matter."""
        return self in (ExportFormat.CSV, ExportFormat.NDJSON)

    @property
    def media_type(self) -> str:
        """Media type."""
        return {
            "csv": "text/csv",
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "ndjson": "application/x-ndjson",
            "parquet": "application/vnd.apache.parquet",
        }[self.value]


class HeaderStyle(StrEnum):
    """Names of the columns of CSV and XLSX: labels, or names of the API."""

    LABELS = "labels"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class Selection:
    """Leads of an export: those that match a filter, or `lead_ids`, as selected one by one."""

    filters: LeadFilter
    lead_ids: Sequence[UUID] | None = None

    def fixed(self, actor: Actor) -> "Selection":
        """The same for later: see `LeadFilter.fixed`."""
        return replace(self, filters=self.filters.fixed(actor))

    @property
    def written(self) -> dict[str, JsonValue]:
        """The same as JSON, for the audit log."""
        if self.lead_ids is None:
            return {"filter": written(self.filters.whole)}
        return {"leadIds": [str(lead_id) for lead_id in self.lead_ids]}


@dataclass(frozen=True, slots=True)
class ExportLayout:
    """Layout of the file: format, columns as requested, style of headers, and whether CSV has a byte order mark."""

    format: ExportFormat
    columns: Sequence[str]
    headers: HeaderStyle = HeaderStyle.LABELS
    bom: bool = False

    @property
    def written(self) -> dict[str, JsonValue]:
        """The same as JSON, for the audit log."""
        return {"format": self.format, "columns": [*self.columns]}


class ExportStatus(StrEnum):
    """`writing → ready` or `failed`; retrying the job resumes a failed export."""

    WRITING = "writing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class UnfinishedExport:
    """An export, as its job needs it.

    Attributes:
        lead_ids: the leads, if they were selected one by one.
        resolved: the columns of the file; None until the leads were surveyed.
        parts: how many pieces of the file are stored.
        position: the last lead that was written.
    """

    workspace_id: UUID
    id: UUID
    layout: ExportLayout
    filter: Mapping[str, JsonValue]
    lead_ids: Sequence[UUID] | None
    resolved: Sequence[str] | None
    total: int | None
    done: int
    parts: int
    position: Position | None


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """A lead with data of other domains.

    Attributes:
        enriched: the chosen enrichment values by field.
        people: emails of the members by ID; empty unless a column needs them.
        related: names by related field, such as `tags`.
        found: fields of the lead that have a found value here, by API name.
    """

    lead: LeadView
    enriched: Mapping[str, Any]
    people: Mapping[str, str] = field(default_factory=dict)
    related: Mapping[str, Sequence[str]] = field(default_factory=dict)
    found: Sequence[str] = ()

    @property
    def owner(self) -> str | None:
        """The email of the owner."""
        return self.people.get(str(self.lead.owner_id))


def getter(column: str) -> Callable[[ExportRecord], Any]:
    """The function that reads a column of the file from a record; None for an empty cell."""
    if column.startswith(CUSTOM):
        key = column.removeprefix(CUSTOM)
        return lambda record: record.lead.custom_fields.get(key)
    if column.startswith(ENRICHED):
        name = column.removeprefix(ENRICHED)
        return lambda record: record.enriched.get(name)
    if column == OWNER:
        return attrgetter(OWNER)
    if column == FOUND:
        return lambda record: [*record.found] or None
    if column not in FIELDS:
        return lambda record: record.related.get(column) or None
    return attrgetter(f"lead.{FIELDS[column]}")


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of a table.

    Attributes:
        name: as in the API.
        header: text of its header.
        type: of a custom field; None for other columns.
        read: returns its value of a record; None for an empty cell.
    """

    name: str
    header: str
    type: FieldType | None
    read: Callable[[ExportRecord], Any]


class Encoder(Protocol):
    """Writes records in one format, a batch at a time. Not thread-safe."""

    def begin(self) -> bytes:
        """Bytes before the first record."""
        ...

    def rows(self, records: Sequence[ExportRecord]) -> bytes:
        """The next records; may be empty if they are written only at the end."""
        ...

    def end(self) -> Iterable[bytes]:
        """Bytes after the last record, in pieces."""
        ...

    def close(self) -> None:
        """Release resources, after the end or an error."""
        ...


def check_column(text: str) -> str:
    """The name of a column. Raises: InvalidValue."""
    if text in FIELDS or text in (ALL, ALL_CUSTOM, ALL_ENRICHED, OWNER, FOUND) or text in LEAD_EXTENSIONS.file_columns:
        return text
    if text.startswith(CUSTOM):
        return CUSTOM + check_field_key(text.removeprefix(CUSTOM))
    if text.startswith(ENRICHED) and text.removeprefix(ENRICHED) in EXPORTED:
        return text
    named = ", ".join([*FIELDS, OWNER, FOUND, *LEAD_EXTENSIONS.file_columns])
    message = (
        f"There is no such column. Provide *, {named}, custom. and a key or *, enriched. and one of "
        f"{', '.join(EXPORTED)} or *."
    )
    raise InvalidValue(message, "unknown_column")


def check_columns(text: str) -> str:
    """Comma-separated column names. Raises: InvalidValue."""
    names = text.split(",")
    if len(names) > MAX_CHOSEN:
        message = f"Name at most {MAX_CHOSEN} columns, or * for all."
        raise InvalidValue(message, "too_long")
    return ",".join(map(check_column, names))


def wants_enriched(columns: Iterable[str]) -> bool:
    """Whether any of the columns has enrichment values."""
    return any(column.startswith(ENRICHED) for column in columns)


def wants_people(columns: Iterable[str]) -> bool:
    """Whether any of the columns may have members."""
    return any(column == OWNER or column.startswith(CUSTOM) for column in columns)


def wants_found(columns: Iterable[str]) -> bool:
    """Whether found values fill the empty fields of a file with these columns."""
    return any(column in (FOUND, ALL) for column in columns)


def resolved(columns: Iterable[str], custom_keys: Iterable[str]) -> list[str]:
    """The columns of a table: each once, in the requested order, with stars replaced by names.

    All columns are those of people: the owner by email.
    """
    named: dict[str, None] = {}
    keys = [CUSTOM + key for key in sorted(custom_keys)]
    for column in columns:
        if column == ALL:
            own = [OWNER if name == "ownerId" else name for name in FIELDS]
            named |= dict.fromkeys([*own, FOUND, *LEAD_EXTENSIONS.file_columns, *keys])
        elif column == ALL_CUSTOM:
            named |= dict.fromkeys(keys)
        elif column == ALL_ENRICHED:
            named |= dict.fromkeys(ENRICHED + name for name in EXPORTED)
        else:
            named[column] = None
    return list(named)


def readable(columns: Sequence[str], actor: Actor) -> list[str]:
    """The requested columns, with only those related fields under `*` that the actor may read.

    Raises: leadflood.kernel.actor.MissingPermission: another one was requested by name.
    """
    related = LEAD_EXTENSIONS.file_columns
    for name in columns:
        if name in related:
            actor.require(related[name].permission)
    hidden = {name for name, each in related.items() if each.permission not in actor.permissions}
    if ALL not in columns or not hidden:
        return list(columns)
    shown = [name for name in resolved([ALL], ()) if name not in hidden]
    return [name for column in columns for name in ([*shown, ALL_CUSTOM] if column == ALL else [column])]


def plain(value: Any) -> str:  # noqa: ANN401  of any column
    """A value as text: times in UTC per RFC 3339, numbers and booleans as in JSON, lists as by `join_names`."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list):
        return join_names(value)
    return str(value)


def file_name(day: date, kind: ExportFormat) -> str:
    """File name for a download. It needs no quoting in a header."""
    return f"leads-{day:%Y-%m-%d}.{kind.value}"
