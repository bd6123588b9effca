"""XLSX workbooks, written row by row: memory doesn't grow with them. Text is never a formula."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, Final

from leadflood.domains.exports.models import ExportRecord, FileColumn, plain
from leadflood.kernel.field_types import FieldType
from leadflood.kernel.formulas import neutralise, restore

MAX_ROWS: Final = 1_048_576
"""Maximum rows of a sheet in spreadsheet programs. Further leads are on further sheets."""
MAX_CELL: Final = 32_767
"""Maximum UTF-16 units of a cell in spreadsheet programs."""
LONG_VALUES: Final = "Long values"
"""The sheet with the whole text of values that are cut in their cell."""
_CUT: Final = f"… (continued on the sheet {LONG_VALUES})"
_LONG_HEADERS: Final = ("Lead ID", "Email", "Field", "Characters", "Value")
_EXACT: Final = 10**15
"""Numbers from which on spreadsheets lose digits."""
_FIRST_YEAR: Final = 1901
"""The dates of spreadsheets begin in 1900, with a day that did not exist."""
_PIECE: Final = 1024 * 1024
_WIDTH: Final = 18


class XlsxEncoder:
    """Writes a workbook. Its index comes last, so rows are buffered in temporary files until the end."""

    def __init__(self, columns: Sequence[FileColumn]) -> None:
        from xlsxwriter import Workbook  # noqa: PLC0415  only workbooks need it

        self._columns = columns
        self._file = TemporaryFile()  # noqa: SIM115  it lives until `close`
        self._folder = TemporaryDirectory()  # rows of sheets, which are removed even if the workbook isn't finished
        self._book = Workbook(self._file, {"constant_memory": True, "tmpdir": self._folder.name})
        self._head = self._book.add_format({"bold": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._sheets = 0
        self._long: Any = None
        self._long_row = 0
        self._sheet = self._new_sheet()

    def begin(self) -> bytes:
        """Nothing yet."""
        return b""

    def rows(self, records: Sequence[ExportRecord]) -> bytes:
        """Nothing yet."""
        for record in records:
            if self._row == MAX_ROWS:
                self._sheet = self._new_sheet()
            for place, column in enumerate(self._columns):
                self._write(place, column, column.read(record), record)
            self._row += 1
        return b""

    def end(self) -> Iterator[bytes]:
        """The file."""
        self._book.close()
        self._file.seek(0)
        yield from iter(partial(self._file.read, _PIECE), b"")

    def close(self) -> None:
        """Delete the buffers."""
        self._book.fileclosed = True
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()
        self._folder.cleanup()
        self._file.close()

    def _new_sheet(self) -> Any:  # noqa: ANN401  xlsxwriter's sheet
        self._sheets += 1
        sheet = self._book.add_worksheet("Leads" if self._sheets == 1 else f"Leads {self._sheets}")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(self._columns) - 1, 0), _WIDTH)
        for place, column in enumerate(self._columns):
            sheet.write_string(0, place, column.header, self._head)
        self._row = 1
        return sheet

    def _write(self, place: int, column: FileColumn, value: Any, record: ExportRecord) -> None:  # noqa: ANN401  of any column
        sheet, row = self._sheet, self._row
        if value is None:
            return
        if isinstance(value, datetime):
            sheet.write_datetime(row, place, value.astimezone(UTC).replace(tzinfo=None, microsecond=0), self._moment)
        elif isinstance(value, bool):
            sheet.write_boolean(row, place, value)
        elif isinstance(value, int | float) and math.isfinite(value) and abs(value) < _EXACT:
            sheet.write_number(row, place, value)
        elif column.type is FieldType.DATE and (day := _date_of(value)) is not None:
            sheet.write_datetime(row, place, datetime(day.year, day.month, day.day), self._day)  # noqa: DTZ001  a day
        else:
            sheet.write_string(row, place, self._fitting(_text(plain(value)), column, record))

    def _fitting(self, text: str, column: FileColumn, record: ExportRecord) -> str:
        """The text, if a cell can have it; otherwise its start. All of it is in a row of another sheet, in parts."""
        if len(text) * 2 <= MAX_CELL or _units(text) <= MAX_CELL:
            return text
        if self._long is None:
            self._long = self._book.add_worksheet(LONG_VALUES)
            for place, header in enumerate(_LONG_HEADERS):
                self._long.write_string(0, place, header, self._head)
        self._long_row += 1
        lead = record.lead
        for place, cell in enumerate((str(lead.id), lead.email, column.header, str(len(text)), *_parts(text))):
            self._long.write_string(self._long_row, place, cell)
        return next(_parts(text, MAX_CELL - _units(_CUT))) + _CUT


def _date_of(value: object) -> date | None:
    """A date that spreadsheets have; others are text."""
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return None
    return day if day.year >= _FIRST_YEAR else None


def _text(text: str) -> str:
    """A text from which an import reads the same: it takes an apostrophe off `'=1`, for the sake of CSV files."""
    return text if restore(text) == text else neutralise(text)


def _units(text: str) -> int:
    """Length in UTF-16 units, in which spreadsheet programs count: an emoji has two."""
    return len(text) + sum(char > "\uffff" for char in text)


def _parts(text: str, size: int = MAX_CELL) -> Iterator[str]:
    """The text in parts of at most `size` UTF-16 units."""
    begin, used = 0, 0
    for place, char in enumerate(text):
        width = 2 if char > "\uffff" else 1
        if used + width > size:
            yield text[begin:place]
            begin, used = place, 0
        used += width
    yield text[begin:]
