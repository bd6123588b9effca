"""Text with delimiters: CSV, TSV and what spreadsheets call so."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from io import BufferedReader, StringIO, TextIOWrapper
from itertools import chain, islice
from typing import IO, Final, TextIO, cast

from leadflood.domains.imports.adapters.csv_format.encoding import strictness, undecodable
from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.models.format import MAX_CELL, MAX_COLUMNS, MAX_LINE, Delimiter, SourceRow

_EVIDENCE: Final = 100
_END: Final = "\0"
"""Marker after the last line. No line contains it, so an open quotation mark that takes it in is recognized."""
_BREAK: Final = re.compile("\r\n|\r|\n")
_ADDRESS: Final = re.compile(r"""[\s"'<(]*(?:mailto:)?[^\s@<>()"';,|]+@[^\s@<>()"';,|]+\.[^\s@<>()"';,|]+[\s"'>).]*""")
"""An address as a whole cell, also in quotes or brackets."""
_ADDRESSES: Final = re.compile(rf"(?:{_ADDRESS.pattern}[;,|/\s]*)+")
_SEPARATOR_LINE: Final = re.compile(r"""\ufeff?"?sep=(.)"?\s*""", re.IGNORECASE)
"""A line that names the delimiter for spreadsheet programs."""


def delimiter_of(sample: str) -> Delimiter:
    """The delimiter that the file names, or else the one that leaves the most addresses whole.

    Ties are decided by the number of cells on which the first records agree.
    """
    if named := _named_delimiter(sample):
        return named
    best, most = Delimiter.COMMA, (0, 0.0)
    for delimiter in Delimiter:
        records = _first_records(sample, delimiter)
        if not records:
            continue
        addresses = sum(map(_addresses, chain.from_iterable(records)))
        score = (addresses, _agreement([len(cells) for cells in records], addresses, delimiter))
        if score > most:
            best, most = delimiter, score
    return best


def is_separator_line(cells: Iterable[str]) -> bool:
    """Whether a record is a line that names the delimiter."""
    first, *others = cells
    return first.strip('\ufeff"').lower().startswith("sep=") and len(first) <= len('"sep=;"') and not any(others)


def read(file: IO[bytes], *, encoding: str, delimiter: Delimiter) -> Iterator[SourceRow]:
    """The records of a file, from where it stands. NUL characters are left out, as are blank lines.

    Raises: UnreadableFile: at the row that cannot be read.
    """
    text = TextIOWrapper(cast("BufferedReader", file), encoding, strictness(encoding), newline="")
    try:
        yield from _records(text, delimiter)
    except UnicodeDecodeError as error:
        raise undecodable(encoding) from error
    finally:
        text.detach()


def read_text(text: str, *, delimiter: Delimiter, whole: bool = True) -> Iterator[SourceRow]:
    """The records of a text. `whole`: it is the complete file.

    Raises: UnreadableFile.
    """
    return _records(StringIO(text, newline=""), delimiter, whole=whole)


def _records(text: TextIO, delimiter: Delimiter, *, whole: bool = True) -> Iterator[SourceRow]:
    number = end = before = 0
    reader = csv.reader(chain(_lines(text), (_END,)), delimiter=delimiter)
    try:
        for cells in reader:
            start, end = end + 1, reader.line_num
            if cells and cells[-1].endswith(_END):
                if whole and cells != [_END]:
                    raise _unclosed(start + sum(map(_breaks, cells[:-1])))
                return
            if end > start:
                _require_one_row(cells, start, {before, len(cells)}, delimiter)
            number += 1
            if len(cells) > MAX_COLUMNS:
                message = f"Row {number} has {len(cells):,} columns; at most {MAX_COLUMNS:,} are read."
                raise UnreadableFile(message)
            if cells:
                before = len(cells)
                yield SourceRow(number, cells)
    except csv.Error as error:
        message = (
            f"Row {number + 1} has a cell of more than {MAX_CELL:,} characters. Look for a quotation mark that is not "
            f"closed there, from line {end + 1} on."
        )
        raise UnreadableFile(message) from error


def _require_one_row(cells: list[str], start: int, widths: set[int], delimiter: Delimiter) -> None:
    """Refuse a record with an unclosed quotation mark, which swallowed the next rows up to another mark.

    A line within a cell counts as a row if it has as many cells as rows have, and an address. Raises: UnreadableFile.
    """
    line = start
    for cell in cells:
        if lines := _BREAK.split(cell)[1:]:
            if "@" in cell and any(_is_row(text, widths, delimiter) for text in lines):
                raise _unclosed(line)
            line += len(lines)


def _is_row(line: str, widths: set[int], delimiter: Delimiter) -> bool:
    if "@" not in line or delimiter not in line:
        return False
    cells = next(csv.reader([line], delimiter=delimiter), [])
    return (len(cells) in widths or 0 in widths) and any(map(_ADDRESS.fullmatch, cells))


def _unclosed(line: int) -> UnreadableFile:
    message = (
        f"A quotation mark opens in line {line} and isn't closed before the next rows. Close or remove it, or write it "
        "twice if it belongs to the text."
    )
    return UnreadableFile(message)


def _breaks(cell: str) -> int:
    return len(_BREAK.findall(cell))


def _lines(text: TextIO) -> Iterator[str]:
    first = True
    while line := text.readline(MAX_LINE):
        if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            message = f"A line has more than {MAX_LINE:,} characters. Is this a CSV file? Remove that line."
            raise UnreadableFile(message)
        if first:
            line, first = line.removeprefix("\ufeff"), False
        yield line.replace("\0", "") if "\0" in line else line


def _named_delimiter(sample: str) -> Delimiter | None:
    found = _SEPARATOR_LINE.fullmatch(sample[:100].splitlines()[0]) if sample.strip() else None
    return Delimiter(found[1]) if found and found[1] in set(Delimiter) else None


def _first_records(sample: str, delimiter: Delimiter) -> list[list[str]]:
    lines = _lines(StringIO(sample, newline=""))
    try:
        return [cells for cells in islice(csv.reader(lines, delimiter=delimiter), _EVIDENCE) if cells]
    except (UnreadableFile, csv.Error):
        return []


def _addresses(cell: str) -> int:
    """The number of addresses that a cell consists of."""
    return cell.count("@") if "@" in cell and _ADDRESSES.fullmatch(cell) else 0


def _agreement(widths: list[int], addresses: int, delimiter: Delimiter) -> float:
    """A score: the number of cells beside the first, reduced by disagreement between the records."""
    width, agreeing = Counter(widths).most_common(1)[0]
    # One record agrees with itself, which is no evidence, unless it holds what only a cell can be.
    sure = len(widths) > 1 or delimiter is Delimiter.COMMA or addresses > 0
    return (width - 1) * (agreeing / len(widths)) ** 2 if sure else 0.0
