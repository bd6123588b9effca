"""Excel workbooks (XLSX), read row by row."""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import IO, TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.models.format import MAX_CELL, MAX_COLUMNS, SourceRow

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

    from leadflood.domains.imports.adapters.workbook.archive import Archive

MAGIC = b"PK\x03\x04"
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


def sheets_of(file: IO[bytes]) -> list[str]:
    """The names of the sheets. Raises: UnreadableFile: also for a file that would unpack to too much."""
    book = _opened(file)[0]
    try:
        return [sheet.title for sheet in book.worksheets]
    finally:
        book.close()


def read(file: IO[bytes], *, sheet: str | None) -> Iterator[SourceRow]:
    """The rows of a sheet (None: the first). Formulas have the value that was saved with them.

    Raises: UnreadableFile: at the row that cannot be read.
    """
    book, archive = _opened(file)
    number = 0
    try:
        page = book.worksheets[0] if sheet is None else book[sheet]
        page.reset_dimensions()  # the size stated in the file may be wrong
        for values in page.iter_rows(values_only=True):
            archive.row_ended()
            number += 1
            if number > MAX_ROWS:
                message = f"The sheet has more than {MAX_ROWS:,} rows. Split it, or save it as CSV."
                raise UnreadableFile(message)
            cells = _trimmed(values, number)
            if cells:
                yield SourceRow(number, cells)
    except _BROKEN as error:
        message = f"The sheet cannot be read after row {number}. Open the file in a spreadsheet and save it again."
        raise UnreadableFile(message) from error
    finally:
        book.close()


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


def _trimmed(values: Sequence[object], number: int) -> list[str]:
    if not values:
        return []
    cells = [_text(value) for value in values]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > MAX_COLUMNS:
        message = f"Row {number} has {len(cells):,} columns; at most {MAX_COLUMNS:,} are read."
        raise UnreadableFile(message)
    if any(len(cell) > MAX_CELL for cell in cells):
        message = f"Row {number} has a cell of more than {MAX_CELL:,} characters."
        raise UnreadableFile(message)
    return cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    text = str(value)
    return "" if text.startswith("#") and text in _ERRORS else text.replace("\0", "")


_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"})
