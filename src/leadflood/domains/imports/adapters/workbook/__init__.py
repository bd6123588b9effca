"""Excel workbooks (XLSX), read row by row."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from typing import IO, TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from leadflood.domains.imports.adapters.workbook.number_formats import shown_number
from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.models.format import MAX_CELL, MAX_COLUMNS, SourceRow

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

    from leadflood.domains.imports.adapters.workbook.archive import Archive

MAGIC = b"PK\x03\x04"
_DATE = len("2026-03-01")
MAX_SHEETS = 20
"""Sheets that are looked at to find the one with leads."""
MAX_ROWS = 1_048_576
"""Maximum number of rows of a sheet, as in spreadsheet programs."""
_BROKEN = (
    zipfile.BadZipFile,
    ParseError,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    OSError,
)
"""Exceptions of openpyxl and zipfile for invalid files."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet of a workbook to read, with its first rows.

    Attributes:
        names: of all sheets, in their order.
        visible: whether each of them is.
    """

    name: str
    rows: list[SourceRow]
    names: list[str]
    visible: list[bool]


def find_sheet(file: IO[bytes], *, rows: int, rank: Callable[[Sequence[SourceRow]], int]) -> Sheet:
    """The sheet to read where none was chosen: the visible one of the highest rank, the first of equals with rows.

    Args: rows: how many rows of each sheet are looked at.

    Raises: UnreadableFile: also for a file that would unpack to too much.
    """
    book, archive = _opened(file)
    names = [page.title for page in book.worksheets]
    visible = [page.sheet_state == "visible" for page in book.worksheets]
    wanted = [page for page, seen in zip(book.worksheets, visible, strict=True) if seen] or book.worksheets
    found = Sheet(wanted[0].title, [], names, visible)
    try:
        for page in wanted[:MAX_SHEETS]:
            first = [*islice(_rows(page, archive), rows)]
            if first and (not found.rows or rank(first) > rank(found.rows)):
                found = Sheet(page.title, first, names, visible)
    finally:
        book.close()
    return found


def read_sheet(file: IO[bytes], name: str, *, rows: int) -> Sheet:
    """A sheet that was chosen, with its first rows. Raises: UnreadableFile."""
    book, archive = _opened(file)
    try:
        names = [page.title for page in book.worksheets]
        if name not in names:
            raise UnreadableFile(f"The workbook has no sheet named {name}. Choose one of: {', '.join(names)}.")
        visible = [page.sheet_state == "visible" for page in book.worksheets]
        return Sheet(name, [*islice(_rows(book[name], archive), rows)], names, visible)
    finally:
        book.close()


def read(file: IO[bytes], *, sheet: str | None) -> Iterator[SourceRow]:
    """The rows of a sheet (None: the first). Formulas have the value that was saved with them.

    Raises: UnreadableFile: at the row that cannot be read.
    """
    book, archive = _opened(file)
    try:
        yield from _rows(book.worksheets[0] if sheet is None else book[sheet], archive)
    finally:
        book.close()


def _rows(page: Any, archive: "Archive") -> Iterator[SourceRow]:  # noqa: ANN401  openpyxl's sheet
    number = 0
    try:
        page.reset_dimensions()  # what the file says of its size may be wrong
        for cells in page.iter_rows():
            archive.row_ended()
            number += 1
            if number > MAX_ROWS:
                message = f"The sheet has more than {MAX_ROWS:,} rows. Split it, or save it as CSV."
                raise UnreadableFile(message)
            if found := _trimmed(cells, number):
                yield SourceRow(number, found)
    except _BROKEN as error:
        message = f"The sheet cannot be read after row {number}. Open the file in a spreadsheet and save it again."
        raise UnreadableFile(message) from error


def _opened(file: IO[bytes]) -> "tuple[Workbook, Archive]":
    # Importing openpyxl takes each process 0.2 s, and few need it.
    from leadflood.domains.imports.adapters.workbook.archive import Reader  # noqa: PLC0415

    try:
        reader = Reader(file)
        book = reader.opened()
    except _BROKEN as error:
        message = "This isn't an Excel workbook (XLSX), or it's damaged. Save it again, or as CSV."
        raise UnreadableFile(message) from error
    if not book.worksheets:
        raise UnreadableFile("The workbook has no sheet with cells.")
    return book, reader.archive


def _trimmed(row: Sequence[Any], number: int) -> list[str]:
    if not row:
        return []
    cells = [_text(cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > MAX_COLUMNS:
        message = f"Row {number} has {len(cells):,} columns; at most {MAX_COLUMNS:,} are read."
        raise UnreadableFile(message)
    if any(len(cell) > MAX_CELL for cell in cells):
        message = f"Row {number} has a cell of more than {MAX_CELL:,} characters."
        raise UnreadableFile(message)
    return cells


def _text(cell: Any) -> str:  # noqa: ANN401  openpyxl's cell
    value = cell.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return shown_number(value, cell.number_format)
    if isinstance(value, date | time):
        midnight = isinstance(value, datetime) and value.time() == time()
        return value.isoformat()[:_DATE] if midnight else value.isoformat()
    text = "" if value is None else str(value)
    return "" if text.startswith("#") and text in _ERRORS else text.replace("\0", "")


_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"})
