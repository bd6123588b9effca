"""Results of parsing a row: the values of a lead, and errors."""

from dataclasses import dataclass, field
from typing import Final

from leadflood.domains.imports.contracts.lead_row import LeadColumns

PLACEHOLDER: Final = "placeholder"
OTHER_VALUE: Final = "other_value"
OTHER_COLUMN: Final = "other_column"
CUT: Final = "cut"
DIFFERS_IN_FILE: Final = "differs_in_file"
DUPLICATE_IN_FILE: Final = "duplicate_in_file"
EXTRA_CELLS: Final = "extra_cells"
TOO_MANY_CELLS: Final = "too_many_cells"
HARMLESS: Final = frozenset({PLACEHOLDER, EXTRA_CELLS, OTHER_COLUMN})
"""Codes of reports that never reject a row."""
_MAX_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class RowFault:
    """An error of a row, or a value that was left out of its lead.

    Attributes:
        pointer: RFC 6901 pointer to the field; empty for the whole row.
        value: the text in the file, up to 100 characters.
    """

    pointer: str
    code: str
    message: str
    value: str = ""

    @classmethod
    def of(cls, pointer: str, code: str, message: str, cell: str) -> "RowFault":
        """An error of a cell."""
        shown = cell if len(cell) <= _MAX_SHOWN else f"{cell[: _MAX_SHOWN - 1]}\u2026"
        return cls(pointer, code, message, shown)


@dataclass(slots=True)
class StagedRow:
    """Result of parsing a row: the values of a lead, or errors; `faults` of a valid row are values left out.

    Attributes:
        email: the address as in the file, if the row is rejected.
        related: names of tags and lists.
        raw: the cells, if the row is rejected or may be.
    """

    number: int
    lead: LeadColumns | None = None
    faults: list[RowFault] = field(default_factory=list)
    email: str | None = None
    related: dict[str, list[str]] | None = None
    raw: list[str] | None = None

    @property
    def blank(self) -> bool:
        """Whether the row is empty."""
        return self.lead is None and not self.faults
