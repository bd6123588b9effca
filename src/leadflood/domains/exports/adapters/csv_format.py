"""CSV (RFC 4180, UTF-8). No cell runs as a formula in a spreadsheet, and an import restores the values."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from leadflood.domains.exports.models import ExportRecord, FileColumn, plain
from leadflood.kernel.formulas import neutralise


class CsvEncoder:
    """Writes CSV."""

    def __init__(self, columns: Sequence[FileColumn], *, bom: bool) -> None:
        """Args: bom: start with a byte order mark, by which spreadsheets detect UTF-8."""
        self._columns = columns
        self._bom = bom

    def begin(self) -> bytes:
        """The byte order mark and the header."""
        header = [neutralise(column.header) for column in self._columns]
        return ("\ufeff" if self._bom else "").encode() + _lines([header])

    def rows(self, records: Sequence[ExportRecord]) -> bytes:
        """One line per record."""
        return _lines([_cell(column.read(record)) for column in self._columns] for record in records)

    def end(self) -> Iterable[bytes]:
        """Nothing."""
        return ()

    def close(self) -> None:
        """Nothing to release."""


def _cell(value: Any) -> str:  # noqa: ANN401  of any column
    # Numbers may begin with a minus: only text can be a formula.
    if isinstance(value, str | list):
        return neutralise(plain(value))
    return "" if value is None else plain(value)


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
