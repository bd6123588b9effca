"""Notices about how a file is read."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Final, TypeAlias

from leadflood.domains.imports.models.cells import strip_cell
from leadflood.domains.imports.models.column_detection import REASON_COLUMN, DetectedColumn, Notice
from leadflood.domains.imports.models.fields import OTHER_EMAIL, Target, about_permission, custom_key_of
from leadflood.domains.imports.models.format import FileFormat

REMEMBERED: Final = Notice("remembered_mapping", "Columns are mapped as in the last file with the same columns.")
SAME_PERSON: Final = "same_person_in_file"
NOT_COMPARED: Final = "rows_not_compared"
OTHER_EMAILS: Final = "other_emails"
NamedRow: TypeAlias = tuple[int, str]
"""Number and email of a row."""
ABOUT_ROWS: Final = (SAME_PERSON, NOT_COMPARED)
"""Codes of notices about rows, which a preview finds."""
_SHOWN: Final = 10
_SHOWN_PAIRS: Final = 5
_LONG: Final = 60


def of_text(found: FileFormat, invalid_bytes: int) -> list[Notice]:
    """Notices about the encoding."""
    if found.encoding == "utf-8" and invalid_bytes:
        count = f"{invalid_bytes:,} bytes aren't" if invalid_bytes > 1 else "1 byte isn't"
        message = f"{count} valid UTF-8 and read as Windows-1252. Check the special characters of those rows."
        return [Notice("invalid_bytes", message)]
    if not found.encoding.startswith("utf"):
        message = (
            f"The file isn't UTF-8. If special characters look wrong, choose another encoding than {found.encoding}."
        )
        return [Notice("guessed_encoding", message)]
    return []


def of_sheets(chosen: str, names: Sequence[str], visible: Sequence[bool]) -> list[Notice]:
    """Notices about sheets that are not read."""
    others = [
        f"{name} (hidden)" if not seen else name for name, seen in zip(names, visible, strict=True) if name != chosen
    ]
    if not others:
        return []
    return [Notice("other_sheets", f"Only the sheet {chosen} is read. Not read: {_listed(others)}.")]


def of_header(found: FileFormat) -> list[Notice]:
    """Notices about the header row."""
    if not found.header:
        return [
            Notice(
                "no_header", "The first row is read as a lead. If it has the names of the columns, set the header row."
            )
        ]
    if found.header_row > 1:
        message = f"The names of the columns are in row {found.header_row}. Rows above it aren't imported."
        return [Notice("rows_above_header", message)]
    return []


def of_columns(columns: Sequence[DetectedColumn], rows: Sequence[Sequence[str]]) -> list[Notice]:
    """Notices about columns that are ignored, empty or repeated."""
    notices: list[Notice] = []
    filled = [any(index < len(row) and strip_cell(row[index]) for row in rows) for index in range(len(columns))]
    left_out = [
        column.header or f"column {index + 1}"
        for index, column in enumerate(columns)
        if column.target == Target.IGNORE
        and filled[index]
        and column.header != REASON_COLUMN
        and not about_permission(column.header)
    ]
    if left_out:
        notices.append(Notice("columns_left_out", f"Not imported unless you map them: {_listed(left_out)}."))
    empty = [
        column.header
        for index, column in enumerate(columns)
        if custom_key_of(column.target) is not None and not filled[index] and rows
    ]
    if empty:
        message = f"Empty in the first {len(rows):,} rows, imported where values follow: {_listed(empty)}."
        notices.append(Notice("empty_columns", message))
    others = [column.header for column in columns if column.target.startswith(OTHER_EMAIL)]
    if others:
        first = next(column.header for column in columns if column.target == Target.EMAIL)
        message = f"Rows without a valid address under {first} get one from: {_listed(others)}."
        notices.append(Notice(OTHER_EMAILS, message))
    again = [name for name, count in Counter(column.header for column in columns).items() if name and count > 1]
    if again:
        notices.append(
            Notice("repeated_headers", f"Several columns have the same name, and are kept apart: {_listed(again)}.")
        )
    return notices


def of_rows(pairs: Sequence[tuple[NamedRow, NamedRow]], *, compared: int, complete: bool) -> list[Notice]:
    """Notices about rows that are one person under different emails.

    Args: compared: number of rows that were compared with each other. complete: whether these are all.
    """
    found: list[Notice] = []
    if pairs:
        count = f"{len(pairs):,} pairs of rows are" if len(pairs) > 1 else "1 pair of rows is"
        named = [
            f"rows {one:,} and {two:,} ({first[:_LONG]}, {second[:_LONG]})"
            for (one, first), (two, second) in islice(pairs, _SHOWN_PAIRS)
        ]
        more = f"; and {len(pairs) - _SHOWN_PAIRS:,} more" if len(pairs) > _SHOWN_PAIRS else ""
        message = (
            f"{count} the same person under different emails: {'; '.join(named)}{more}. Both are imported. "
            "You can merge them under Duplicates afterwards."
        )
        found.append(Notice(SAME_PERSON, message))
    if not complete:
        message = (
            f"Only the first {compared:,} rows were compared with each other. Other duplicates appear under Duplicates "
            "after the import."
        )
        found.append(Notice(NOT_COMPARED, message))
    return found


def _listed(names: Sequence[str]) -> str:
    shown = [name[:40] for name in islice(names, _SHOWN)]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
