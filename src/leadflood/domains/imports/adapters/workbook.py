"""Excel workbooks (XLSX), read row by row."""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import IO, TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.models.format import MAX_CELL, MAX_COLUMNS, Record

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MAGIC = b"PK\x03\x04"
MAX_UNPACKED = 2 * 1024**3
"""Bytes of all parts together, unpacked. Python's zipfile unpacks no more of a part than its declared size."""
MAX_TEXTS = 64 * 1024**2
"""Bytes of the table of texts, which is held in memory."""
MAX_PARTS = 2000
_MOST_PACKED = 200
"""Times that a large part may be smaller packed: what people make stays below 100, bombs have 1,000 and more."""
_LARGE = 16 * 1024**2
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
"""What openpyxl and zipfile raise over files that are not what they say."""


def sheets_of(file: IO[bytes]) -> list[str]:
    """The names of the sheets. Raises: UnreadableFile: also for a file that would unpack to too much."""
    book = _opened(file)
    try:
        return [sheet.title for sheet in book.worksheets]
    finally:
        book.close()


def read(file: IO[bytes], *, sheet: str | None) -> Iterator[Record]:
    """The rows of a sheet (None: the first). Formulas count as the value that was saved with them.

    Raises: UnreadableFile: at the row that cannot be read.
    """
    book = _opened(file)
    number = 0
    try:
        page = book.worksheets[0] if sheet is None else book[sheet]
        page.reset_dimensions()  # what the file says of its size may be wrong
        for values in page.iter_rows(values_only=True):
            number += 1
            cells = _trimmed(values, number)
            if cells:
                yield Record(number, cells)
    except _BROKEN as error:
        message = f"The sheet cannot be read after row {number}. Open the file in a spreadsheet and save it again."
        raise UnreadableFile(message) from error
    finally:
        book.close()


def _opened(file: IO[bytes]) -> "Workbook":
    from openpyxl import load_workbook  # noqa: PLC0415  every process would start 0.2 s later, few meet a workbook

    try:
        _refuse_bomb(zipfile.ZipFile(file).infolist())
        file.seek(0)
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except _BROKEN as error:
        message = "This is not an Excel workbook (XLSX), or it is damaged. Save it again, or as CSV."
        raise UnreadableFile(message) from error
    if not book.worksheets:
        raise UnreadableFile("The workbook has no sheet with cells.")
    return book


def _refuse_bomb(parts: Sequence[zipfile.ZipInfo]) -> None:
    bomb = any(part.file_size > _LARGE and part.file_size > _MOST_PACKED * part.compress_size for part in parts)
    if bomb or len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        message = "The workbook would unpack to far more than it should. Save the table as CSV."
        raise UnreadableFile(message)
    texts = sum(part.file_size for part in parts if part.filename.lower().endswith("sharedstrings.xml"))
    if texts > MAX_TEXTS:
        message = f"The workbook has more than {MAX_TEXTS:,} bytes of text. Save it as CSV, which may be of any size."
        raise UnreadableFile(message)


def _trimmed(values: Sequence[object], number: int) -> list[str]:
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
