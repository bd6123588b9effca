"""Workbooks with values that no cell can have: whole on a sheet of their own."""

import io
from typing import Any, cast
from uuid import uuid4

from openpyxl import Workbook, load_workbook

from leadflood.domains.exports.adapters.xlsx_format import LONG_VALUES, MAX_CELL, XlsxEncoder
from leadflood.domains.exports.models import ExportRecord, FileColumn


class _Lead:
    def __init__(self, text: str) -> None:
        self.id, self.email, self.text = uuid4(), "ada@acme.com", text


def _workbook(*texts: str) -> Workbook:
    records = [cast("ExportRecord", type("Record", (), {"lead": _Lead(text)})()) for text in texts]
    encoder = XlsxEncoder([FileColumn("lists", "Lists", None, lambda record: cast("Any", record).lead.text)])
    try:
        encoder.begin()
        encoder.rows(records)
        return load_workbook(io.BytesIO(b"".join(encoder.end())))
    finally:
        encoder.close()


def test_a_value_that_no_cell_can_have_is_whole_on_a_sheet_that_names_lead_and_field() -> None:
    text = "👩a" * 30_000  # 60,000 characters, 90,000 units
    book = _workbook("short", text)

    cell = str(book["Leads"]["A3"].value)
    assert cell.startswith("👩a")
    assert cell.endswith(f"(continued on the sheet {LONG_VALUES})")
    assert len(cell.encode("utf-16-le")) // 2 <= MAX_CELL
    _, row = book[LONG_VALUES].values
    assert row[1:4] == ("ada@acme.com", "Lists", "60000")
    assert "".join(map(str, row[4:])) == text
    assert all(len(str(part).encode("utf-16-le")) // 2 <= MAX_CELL for part in row[4:])


def test_a_value_that_just_fits_needs_no_sheet() -> None:
    book = _workbook("x" * MAX_CELL)

    assert book["Leads"]["A2"].value == "x" * MAX_CELL
    assert book.sheetnames == ["Leads"]
