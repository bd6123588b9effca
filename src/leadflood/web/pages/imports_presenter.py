"""What imports and their rows do, in words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from leadflood.domains.imports.contracts import ImportRowView, ImportView
from leadflood.domains.imports.models.states import RowAction
from leadflood.web.pages.lead_form import LABELS
from leadflood.web.templating import brief, plural

ACTIONS: Final = {
    RowAction.CREATE: ("New leads", "New", "ok"),
    RowAction.UPDATE: ("Changed leads", "Changed", "info"),
    RowAction.UNCHANGED: ("Stay as they are", "As it is", "neutral"),
    RowAction.SKIP: ("Left out", "Left out", "neutral"),
    RowAction.CONFLICT: ("Changed meanwhile", "Not written", "warn"),
    RowAction.REJECT: ("Rejected", "Rejected", "bad"),
}
"""Of each action: what its rows are together, what one is, and the tone."""

NOTES: Final = {
    RowAction.CREATE: "no lead has the address yet",
    RowAction.UPDATE: "fields of leads that are there",
    RowAction.UNCHANGED: "nothing of them changes",
    RowAction.SKIP: "twice in the file, empty, or not wanted",
    RowAction.CONFLICT: "since the preview",
    RowAction.REJECT: "a value is not valid",
}

_REASONS: Final = {
    "lead_exists": "There is a lead with this address, and this import only creates leads.",
    "no_such_lead": "No lead has this address, and this import only changes leads.",
    "duplicate_in_file": "Another row of the file has the same address, and counts.",
    "empty_row": "The row is empty.",
    "created_since_preview": "Somebody created a lead with this address since the preview.",
    "deleted_since_preview": "Somebody deleted the lead since the preview.",
    "changed_since_preview": "Somebody changed the same fields since the preview.",
    "erased": "The personal data of this row was erased.",
}
_ERROR_LABELS: Final = {
    "required": "is missing",
    "too_long": "is too long",
    "too_short": "is too short",
    "not_allowed": "is not allowed",
    "out_of_range": "is out of range",
    "unknown_owner": "is no member of the workspace",
    "too_many_cells": "has more cells than there are columns",
    "invalid_characters": "has characters that cannot be stored",
}
_CUSTOM: Final = "customFields"


@dataclass(frozen=True, slots=True)
class PreviewValue:
    """One field of a row: what the lead gets, and what it had."""

    label: str
    after: str
    before: str | None = None
    changes: bool = False


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row of the file as a page shows it."""

    number: int
    action: RowAction
    title: str
    lead_id: UUID | None
    values: list[PreviewValue]
    why: list[str]


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How often a field of the file has a fault."""

    label: str
    what: str
    count: int


def summary(each: ImportView) -> str:
    """What the rows of an import do or did, in one line; empty while nobody knows."""
    counts = each.counts
    told = [
        (counts[RowAction.CREATE], "new"),
        (counts[RowAction.UPDATE], "changed"),
        (counts[RowAction.UNCHANGED], "as they are"),
        (counts[RowAction.SKIP] + counts[RowAction.CONFLICT], "left out"),
        (counts[RowAction.REJECT], "rejected"),
    ]
    return " · ".join(f"{plural(count, word, word)}" for count, word in told if count)


def preview_rows(rows: Iterable[ImportRowView], owners: Mapping[str, str], *, written: bool) -> list[PreviewRow]:
    """The rows in words. `written`: whether leads that they create are there, to be opened."""
    return [_preview_row(row, owners, written=written) for row in rows]


def error_counts(faults: Mapping[str, int]) -> list[ErrorCount]:
    """The faults, the commonest first."""
    found = [_error_count(key, count) for key, count in faults.items()]
    return sorted(found, key=lambda fault: (-fault.count, fault.label))


def label_of(field: str) -> str:
    """A field as people call it: `customFields.plan` is `plan`."""
    name, _, key = field.partition(".")
    if name == _CUSTOM:
        return key or "Custom fields"
    return LABELS.get(name, name)


def _preview_row(row: ImportRowView, owners: Mapping[str, str], *, written: bool) -> PreviewRow:
    why = [_REASONS.get(row.reason, row.reason.replace("_", " "))] if row.reason else []
    why += [
        f"{label_of(_dotted(fault.field))}: {fault.message}" if fault.field else fault.message for fault in row.faults
    ]
    opens = row.action in (RowAction.UPDATE, RowAction.UNCHANGED) or (written and row.action is RowAction.CREATE)
    cells = next((cell for cell in row.cells or () if cell.strip()), "")
    return PreviewRow(
        number=row.row,
        action=row.action,
        title=row.email or cells or "No address",
        lead_id=row.lead_id if opens else None,
        values=list(_values(row, owners)),
        why=why,
    )


def _values(row: ImportRowView, owners: Mapping[str, str]) -> Iterator[PreviewValue]:
    if row.action is RowAction.UPDATE or row.changes:
        for field, (before, after) in sorted(row.changes.items()):
            yield PreviewValue(label_of(field), _text(field, after, owners), _text(field, before, owners), changes=True)
    elif row.action is RowAction.CREATE:
        for field, value in row.values.items():
            if field == _CUSTOM and isinstance(value, dict):
                yield from (PreviewValue(key, _text(key, inner, owners)) for key, inner in value.items())
            else:
                yield PreviewValue(label_of(field), _text(field, value, owners))


def _text(field: str, value: Any, owners: Mapping[str, str]) -> str:  # noqa: ANN401  JSON
    if value is None:
        return ""
    return brief(owners.get(str(value), str(value)) if field == "ownerId" else str(value))


def _error_count(key: str, count: int) -> ErrorCount:
    pointer, _, code = key.rpartition(" ")
    label = label_of(_dotted(pointer)) or "The row"
    return ErrorCount(label, _ERROR_LABELS.get(code, "is not valid"), count)


def _dotted(pointer: str) -> str:
    return pointer.strip("/").replace("/", ".")
