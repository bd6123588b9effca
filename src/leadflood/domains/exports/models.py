"""Models of exports: formats, states, and columns."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final, Protocol
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.enrichment.models import Field
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.leads.contracts import LeadView
from leadflood.kernel.field_types import check_field_key
from leadflood.kernel.pagination import Position
from leadflood.kernel.text import InvalidValue

DIRECT_LIMIT: Final = 50_000
"""Maximum leads in one response, without a job."""
MAX_COLUMNS: Final = 500
MAX_CHOSEN: Final = 200
MAX_EXPORTS: Final = 100
DAYS_KEPT: Final = 7

FIELDS: Final[Mapping[str, str]] = {
    "id": "id",
    **{field.api_name: field.name for field in LEAD_FIELDS if field.exportable},
    "status": "status",
    "version": "version",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "enrichedAt": "enriched_at",
    "error": "error",
}
"""The fields of a lead, by API and table name, in the order of a file."""
CUSTOM: Final = "custom."
ENRICHED: Final = "enriched."
ALL_CUSTOM: Final = "custom.*"
ALL_ENRICHED: Final = "enriched.*"
ALL: Final = "*"


class ExportFormat(StrEnum):
    """File format."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """Media type."""
        return {
            "csv": "text/csv",
            "ndjson": "application/x-ndjson",
            "parquet": "application/vnd.apache.parquet",
        }[self.value]


class ExportStatus(StrEnum):
    """`writing → ready` or `failed`; retrying the job resumes a failed export."""

    WRITING = "writing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class UnfinishedExport:
    """An export, as its job needs it.

    Attributes:
        columns: as they were asked for.
        resolved: the columns of the file; None until the leads were surveyed.
        parts: how many pieces of the file are stored.
        position: the last lead that was written.
    """

    workspace_id: UUID
    id: UUID
    format: ExportFormat
    columns: Sequence[str]
    bom: bool
    filter: Mapping[str, JsonValue]
    resolved: Sequence[str] | None
    total: int | None
    done: int
    parts: int
    position: Position | None


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """A lead, with its chosen enrichment values."""

    lead: LeadView
    enriched: Mapping[str, Any]


def getter(column: str) -> Callable[[ExportRecord], Any]:
    """The function that reads a column of the file from a record; None for an empty cell."""
    if column.startswith(CUSTOM):
        key = column.removeprefix(CUSTOM)
        return lambda record: record.lead.custom_fields.get(key)
    if column.startswith(ENRICHED):
        field = column.removeprefix(ENRICHED)
        return lambda record: record.enriched.get(field)
    return attrgetter(f"lead.{FIELDS[column]}")


class Encoder(Protocol):
    """Writes records in one format, a batch at a time. Not thread-safe."""

    @property
    def resumable(self) -> bool:
        """Whether another process can continue after any batch: earlier output does not matter."""
        ...

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
    if text in FIELDS or text in (ALL, ALL_CUSTOM, ALL_ENRICHED):
        return text
    if text.startswith(CUSTOM):
        return CUSTOM + check_field_key(text.removeprefix(CUSTOM))
    if text.startswith(ENRICHED) and text.removeprefix(ENRICHED) in set(Field):
        return text
    message = (
        f"There is no such column. Give *, {', '.join(FIELDS)}, custom. and a key or *, enriched. and one of "
        f"{', '.join(Field)} or *."
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


def resolved(columns: Iterable[str], custom_keys: Iterable[str]) -> list[str]:
    """The columns of a table: each once, in the requested order, with stars replaced by names."""
    named: dict[str, None] = {}
    keys = [CUSTOM + key for key in sorted(custom_keys)]
    for column in columns:
        if column == ALL:
            named |= dict.fromkeys([*FIELDS, *keys])
        elif column == ALL_CUSTOM:
            named |= dict.fromkeys(keys)
        elif column == ALL_ENRICHED:
            named |= dict.fromkeys(ENRICHED + field for field in Field)
        else:
            named[column] = None
    return list(named)


def plain(value: Any) -> str:  # noqa: ANN401  of any column
    """A value as text: times in UTC per RFC 3339, numbers and booleans as in JSON, lists with semicolons."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list):
        return "; ".join(value)
    return str(value)


def file_name(day: date, kind: ExportFormat) -> str:
    """File name for a download. It needs no quoting in a header."""
    return f"leads-{day:%Y-%m-%d}.{kind.value}"
