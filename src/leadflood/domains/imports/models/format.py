"""Format of a file, and the limits that bound reading it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from leadflood.kernel.decoding import UNICODE_ENCODINGS
from leadflood.kernel.formulas import GUARD_WITH_COMMA, USUAL_GUARD, FormulaGuard

MAX_COLUMNS: Final = 1000
MAX_LINE: Final = 1024 * 1024
"""Maximum characters of a line of text. Longer ones are refused before they are in memory as a whole."""
MAX_CELL: Final = 131_072
"""Maximum characters of a cell: the limit of Python's csv module."""
SAMPLE_BYTES: Final = 1024 * 1024
"""Number of bytes of a file that are sampled to detect its format."""
SAMPLE_ROWS: Final = 200
HEADER_ROWS: Final = 100
"""Maximum row number of a header."""
SHOWN_ROWS: Final = 20
SHOWN_CHARACTERS: Final = 200


class FileKind(StrEnum):
    """File type."""

    CSV = "csv"
    XLSX = "xlsx"


class Delimiter(StrEnum):
    """Delimiter of the columns."""

    COMMA = ","
    SEMICOLON = ";"
    TAB = "\t"
    PIPE = "|"


ENCODINGS: Final = (
    *UNICODE_ENCODINGS,
    "windows-1252",
    "windows-1250",
    "windows-1251",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "shift_jis",
    "gb18030",
    "big5",
    "euc-kr",
    "mac-roman",
)


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How to read a file. Encoding and delimiter are for CSV, sheet is for XLSX.

    Attributes:
        header_row: number of the row with the names of the columns, where `header` says that there is one. Rows above
            it are not read.
    """

    kind: FileKind
    header: bool = True
    encoding: str = "utf-8"
    delimiter: Delimiter = Delimiter.COMMA
    sheet: str | None = None
    header_row: int = 1


@dataclass(frozen=True, slots=True)
class KnownFile:
    """Properties of a file before its analysis.

    Attributes:
        size: bytes of the whole file.
        utf8: whether to read it as UTF-8, apart from `invalid_bytes`.
        wanted: format set by the user, if any.
        header_wanted: whether `wanted` includes the header row; otherwise it is detected.
        export_only: labels of the columns of our own exports that belong to other domains, by API name.
    """

    size: int
    utf8: bool = True
    invalid_bytes: int = 0
    wanted: FileFormat | None = None
    header_wanted: bool = False
    export_only: Mapping[str, str] = field(default_factory=dict)


def format_of(stored: Mapping[str, Any]) -> FileFormat:
    """A format from its stored form."""
    return FileFormat(
        FileKind(stored["kind"]),
        stored["header"],
        stored["encoding"] or "utf-8",
        Delimiter(stored["delimiter"] or ","),
        stored["sheet"],
        stored.get("header_row") or 1,
    )


def stored_format(found: FileFormat) -> dict[str, Any]:
    """The stored form of a format."""
    text = found.kind is FileKind.CSV
    return {
        "kind": found.kind,
        "header": found.header,
        "encoding": found.encoding if text else None,
        "delimiter": found.delimiter if text else None,
        "sheet": found.sheet,
        "header_row": found.header_row if found.header else None,
    }


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row of a file with cells. `number` is the row number in a spreadsheet: blank lines count."""

    number: int
    cells: list[str]


def guard_of(delimiter: str | None) -> FormulaGuard:
    """The guard for files with a delimiter; None: a workbook. Commas separate cells only in programs that use them."""
    return USUAL_GUARD if delimiter in (None, Delimiter.COMMA) else GUARD_WITH_COMMA
