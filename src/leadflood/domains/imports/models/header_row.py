"""Detection of the header row, which is not always the first."""

from collections.abc import Sequence
from typing import Final

from leadflood.domains.imports.models.cells import strip_cell
from leadflood.domains.imports.models.column_tests import is_email, is_phone
from leadflood.domains.imports.models.fields import Target
from leadflood.domains.imports.models.format import HEADER_ROWS, SourceRow
from leadflood.domains.imports.models.header_names import match_header

_MAX_OF_THE_WIDTH: Final = 0.6
_MIN_NAMES: Final = 2
"""Names of fields in a header; that of the address counts twice."""
_HEADED: Final = 5
"""Weight of an address below a header: a cover sheet has addresses, too."""


def find_header(rows: Sequence[SourceRow]) -> int | None:
    """The number of the header row; None if the first row is a lead.

    It is above the first row with an address. It has the most known names among those rows or, without any, is the
    first one about as wide as the table: titles and notes are narrower.
    """
    if not rows:
        return 1
    above = _above_data(rows)
    if not above:
        return None
    known = [(_known_names(row), _filled(row), row) for row in above]
    most = max(known, key=lambda item: (item[0], item[1], -item[2].number))
    if most[0]:
        return most[2].number
    width = _width(rows[len(above) :] or rows)
    return next((row.number for row in above if _filled(row) >= _MAX_OF_THE_WIDTH * width), above[0].number)


def leads_in(rows: Sequence[SourceRow]) -> int:
    """Measure of a table of leads: its rows with an address, which count more below a header."""
    addresses = sum(any(is_email(strip_cell(cell)) for cell in row.cells) for row in rows)
    headed = addresses and any(_known_names(row) >= _MIN_NAMES for row in _above_data(rows))
    return addresses * _HEADED if headed else addresses


def _above_data(rows: Sequence[SourceRow]) -> Sequence[SourceRow]:
    """The rows before the first one with values of a lead, up to a limit."""
    found = next((place for place, row in enumerate(rows) if _has_value(row)), None)
    if found is None:
        return rows[:HEADER_ROWS] if len(rows) > 1 else rows
    return rows[: min(found, HEADER_ROWS)]


def _has_value(row: SourceRow) -> bool:
    cells = [strip_cell(cell) for cell in row.cells]
    return any(is_email(cell) or (cell.startswith("+") and is_phone(cell)) for cell in cells)


def _known_names(row: SourceRow) -> int:
    """Number of fields that the cells name; the address, which every table of leads has, counts twice."""
    found = {match.target for cell in row.cells if (match := match_header(strip_cell(cell))) is not None}
    return len(found) + (Target.EMAIL in found)


def _filled(row: SourceRow) -> int:
    return sum(bool(strip_cell(cell)) for cell in row.cells)


def _width(rows: Sequence[SourceRow]) -> int:
    """Median number of filled cells of a row."""
    return sorted(map(_filled, rows))[len(rows) // 2]
