"""Texts about imports and their rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from leadflood.domains.fields.models import CustomField
from leadflood.domains.imports.contracts import ColumnView, ImportRowView, ImportView, RowError
from leadflood.domains.imports.models.fields import Target
from leadflood.domains.imports.models.states import RowAction
from leadflood.domains.stages.models import StageList
from leadflood.kernel.field_types import shown_value
from leadflood.web import labels
from leadflood.web.field_text import Names, definition_of, field_text
from leadflood.web.formats import number
from leadflood.web.templating import brief

ACTIONS: Final = {
    RowAction.CREATE: ("New", "New", "ok"),
    RowAction.UPDATE: ("Updated", "Updated", "info"),
    RowAction.UNCHANGED: ("Unchanged", "Unchanged", "neutral"),
    RowAction.SKIP: ("Skipped", "Skipped", "neutral"),
    RowAction.CONFLICT: ("Conflicts", "Conflict", "warn"),
    RowAction.REJECT: ("Rejected", "Rejected", "bad"),
}
"""Actions: label of the rows, label of one row, and tone."""

NOTES: Final = {
    RowAction.CREATE: "",
    RowAction.UPDATE: "existing leads",
    RowAction.UNCHANGED: "",
    RowAction.SKIP: "duplicates and empty rows",
    RowAction.CONFLICT: "since the preview",
    RowAction.REJECT: "no valid email",
}

_REASONS: Final = {
    "lead_exists": "Already exists",
    "no_such_lead": "Lead doesn’t exist",
    "duplicate_in_file": "Duplicate of row {row}",
    "combined_in_file": "Combined with row {row}",
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
    "unknown_stage": "Unknown stage",
    "too_many_cells": "Too many columns",
    "extra_cells": "Beyond the last column",
    "placeholder": "Placeholder, such as n/a",
    "other_value": "Second value in a cell",
    "other_column": "Email from another column",
    "cut": "Too long, cut",
    "differs_in_file": "Another row has a different value",
    "duplicate_in_file": "Another row has the same email",
    "digits_lost": "Shortened by a spreadsheet",
    "several_values": "Several values in a cell",
    "invalid_characters": "Unsupported characters",
}
_NAMED_BY: Final = (Target.FULL_NAME, Target.LAST_NAME, Target.FIRST_NAME, Target.COMPANY)
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


@dataclass(frozen=True, slots=True)
class PreviewTexts:
    """Labels and values of fields as text. `owners`: names of members by ID. `custom`: custom fields by key."""

    owners: Names
    custom: Mapping[str, CustomField]

    def label(self, name: str) -> str:
        """The label of a field, given by its API name or JSON pointer."""
        field = self._field(name)
        return field.label if field is not None else labels.field(name)

    def text(self, name: str, value: object) -> str:
        """A value as text; empty for none."""
        if value is None:
            return ""
        field, definition = self._field(name), definition_of(name)
        if definition is not None:
            text = shown_value(value)
            return brief(field_text(definition, text, self.owners) or text)
        return brief(shown_value(value, field.options if field is not None else (), self.owners))

    def _field(self, name: str) -> CustomField | None:
        head, _, key = name.strip("/").replace("/", ".").partition(".")
        return self.custom.get(key) if head == _CUSTOM else None


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
    return " · ".join([*listed, *([f"{number(errors)} rejected"] if errors else [])])


def preview_rows(
    rows: Iterable[ImportRowView],
    columns: Sequence[ColumnView],
    owners: Names,
    custom: Sequence[CustomField],
    *,
    written: bool,
) -> list[PreviewRow]:
    """The rows in words. `written`: whether leads that they create are there, to be opened."""
    values = PreviewTexts(owners, {field.key: field for field in custom})
    named = [index for target in _NAMED_BY for index, column in enumerate(columns) if column.target == target]
    return [_preview_row(row, named, values, written=written) for row in rows]


def error_counts(faults: Mapping[str, int], custom: Sequence[CustomField]) -> list[ErrorCount]:
    """The errors, most frequent first."""
    texts = PreviewTexts(Names({}, StageList(())), {field.key: field for field in custom})
    found = [_error_count(key, count, texts) for key, count in faults.items()]
    return sorted(found, key=lambda fault: (-fault.count, fault.label))


def _preview_row(row: ImportRowView, named: Sequence[int], texts: PreviewTexts, *, written: bool) -> PreviewRow:
    """Args: named: the columns that say whose row it is, the best first."""
    why = [_reason(row)] if row.reason else []
    why += [_error(error, texts) for error in row.errors]
    opens = row.action in (RowAction.UPDATE, RowAction.UNCHANGED) or (written and row.action is RowAction.CREATE)
    cells = row.cells or []
    found = (cells[index].strip() for index in named if index < len(cells))
    name = next((cell for cell in found if cell), "No email")
    return PreviewRow(
        number=row.row,
        action=row.action,
        title=row.email or brief(name),
        lead_id=row.lead_id if opens else None,
        values=list(_values(row, texts)),
        why=why,
    )


def _reason(row: ImportRowView) -> str:
    reason = row.reason or ""
    if row.duplicate_of is None and "{row}" in _REASONS.get(reason, ""):
        return "Duplicate of another row"  # of an import from before rows were noted
    return _REASONS.get(reason, reason.replace("_", " ")).format(row=row.duplicate_of)


def _error(error: RowError, texts: PreviewTexts) -> str:
    """The error of a value, after the value itself."""
    label = texts.label(error.field) if error.field else "Row"
    return f"{label} “{brief(error.value)}”: {error.message}" if error.value else f"{label}: {error.message}"


def _values(row: ImportRowView, texts: PreviewTexts) -> Iterator[PreviewValue]:
    if row.action is RowAction.UPDATE or row.changes:
        for name, (before, after) in sorted(row.changes.items()):
            yield PreviewValue(texts.label(name), texts.text(name, after), texts.text(name, before), changes=True)
    elif row.action is RowAction.CREATE:
        for name, value in row.values.items():
            given = value.items() if name == _CUSTOM and isinstance(value, dict) else [("", value)]
            for key, inner in given:
                path = f"{name}.{key}" if key else name
                yield PreviewValue(texts.label(path), texts.text(path, inner))


def _error_count(key: str, count: int, texts: PreviewTexts) -> ErrorCount:
    pointer, _, code = key.rpartition(" ")
    label = texts.label(pointer) if pointer else "Row"
    return ErrorCount(label, _ERROR_LABELS.get(code, "Invalid"), count)
