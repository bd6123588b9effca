"""Texts about imports and their rows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from leadflood.domains.imports.contracts import ImportRowView, ImportView
from leadflood.domains.imports.models.states import RowAction
from leadflood.web import formats, labels
from leadflood.web.formats import number, plural
from leadflood.web.templating import brief

ACTIONS: Final = {
    RowAction.CREATE: ("New", "New", "ok"),
    RowAction.UPDATE: ("Updated", "Updated", "info"),
    RowAction.UNCHANGED: ("Unchanged", "Unchanged", "neutral"),
    RowAction.SKIP: ("Skipped", "Skipped", "neutral"),
    RowAction.CONFLICT: ("Conflicts", "Conflict", "warn"),
    RowAction.REJECT: ("Errors", "Error", "bad"),
}
"""Actions: label of the rows, label of one row, and tone."""

NOTES: Final = {
    RowAction.CREATE: "",
    RowAction.UPDATE: "existing leads",
    RowAction.UNCHANGED: "",
    RowAction.SKIP: "duplicates and empty rows",
    RowAction.CONFLICT: "since the preview",
    RowAction.REJECT: "invalid values",
}

_REASONS: Final = {
    "lead_exists": "Already exists",
    "no_such_lead": "Lead doesn’t exist",
    "duplicate_in_file": "Duplicate of another row",
    "empty_row": "Empty row",
    "created_since_preview": "A lead with this email was created since the preview",
    "deleted_since_preview": "The lead was deleted since the preview",
    "changed_since_preview": "The same fields were updated since the preview",
    "erased": "The personal data of this row was erased",
}
_ERROR_LABELS: Final = {
    "required": "Missing",
    "too_long": "Too long",
    "too_short": "Too short",
    "not_allowed": "Not allowed",
    "out_of_range": "Out of range",
    "unknown_owner": "Not a member",
    "too_many_cells": "Too many columns",
    "invalid_characters": "Unsupported characters",
}
_CUSTOM: Final = "customFields"


@dataclass(frozen=True, slots=True)
class PreviewValue:
    """A field of a row: new and old value."""

    label: str
    after: str
    before: str | None = None
    changes: bool = False


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row of the file."""

    number: int
    action: RowAction
    title: str
    lead_id: UUID | None
    values: list[PreviewValue]
    why: list[str]


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """Number of errors of a field of the file."""

    label: str
    what: str
    count: int


def summary(each: ImportView) -> str:
    """Summary of an import's rows in one line; empty if unknown."""
    counts = each.counts
    counted_words = [
        (counts[RowAction.CREATE], "new"),
        (counts[RowAction.UPDATE], "updated"),
        (counts[RowAction.UNCHANGED], "unchanged"),
        (counts[RowAction.SKIP] + counts[RowAction.CONFLICT], "skipped"),
    ]
    listed = [f"{number(count)} {word}" for count, word in counted_words if count]
    errors = counts[RowAction.REJECT]
    return " · ".join([*listed, *([plural(errors, "error")] if errors else [])])


def preview_rows(rows: Iterable[ImportRowView], owners: Mapping[str, str], *, written: bool) -> list[PreviewRow]:
    """The rows with labels. `written`: whether links to created leads work."""
    return [_preview_row(row, owners, written=written) for row in rows]


def error_counts(faults: Mapping[str, int]) -> list[ErrorCount]:
    """The errors, most frequent first."""
    found = [_error_count(key, count) for key, count in faults.items()]
    return sorted(found, key=lambda fault: (-fault.count, fault.label))


def _preview_row(row: ImportRowView, owners: Mapping[str, str], *, written: bool) -> PreviewRow:
    why = [_REASONS.get(row.reason, row.reason.replace("_", " "))] if row.reason else []
    why += [f"{labels.field(fault.field)}: {fault.message}" if fault.field else fault.message for fault in row.errors]
    opens = row.action in (RowAction.UPDATE, RowAction.UNCHANGED) or (written and row.action is RowAction.CREATE)
    cells = next((cell for cell in row.cells or () if cell.strip()), "")
    return PreviewRow(
        number=row.row,
        action=row.action,
        title=row.email or cells or "No email",
        lead_id=row.lead_id if opens else None,
        values=list(_values(row, owners)),
        why=why,
    )


def _values(row: ImportRowView, owners: Mapping[str, str]) -> Iterator[PreviewValue]:
    if row.action is RowAction.UPDATE or row.changes:
        for field, (before, after) in sorted(row.changes.items()):
            yield PreviewValue(
                labels.field(field), _text(field, after, owners), _text(field, before, owners), changes=True
            )
    elif row.action is RowAction.CREATE:
        for field, value in row.values.items():
            if field == _CUSTOM and isinstance(value, dict):
                yield from (PreviewValue(key, _text(key, inner, owners)) for key, inner in value.items())
            else:
                yield PreviewValue(labels.field(field), _text(field, value, owners))


def _text(field: str, value: Any, owners: Mapping[str, str]) -> str:  # noqa: ANN401  JSON
    if value is None:
        return ""
    if field == "phone":
        return formats.phone(str(value)) or ""
    if field == "country":
        return formats.country(str(value)) or str(value)
    return brief(owners.get(str(value), str(value)) if field == "ownerId" else str(value))


def _error_count(key: str, count: int) -> ErrorCount:
    pointer, _, code = key.rpartition(" ")
    label = labels.field(pointer) if pointer else "Row"
    return ErrorCount(label, _ERROR_LABELS.get(code, "Invalid"), count)
