"""Delimited text: CSV, TSV and variants of spreadsheets."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from io import BufferedReader, StringIO, TextIOWrapper
from itertools import islice
from typing import IO, TextIO, cast

from charset_normalizer import from_bytes

from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.models.format import ENCODINGS, MAX_CELL, MAX_COLUMNS, MAX_LINE, Delimiter, SourceRow
from leadflood.kernel.decoding import NotText, marked_encoding, wide_encoding

_LOOKED_AT = 64 * 1024
_EVIDENCE = 100
_LAST_OF_ASCII = 0x7F
_MIN_BYTES = 8
_OTHER_SCRIPTS = {
    codecs.lookup(name).name: name
    for name in ENCODINGS
    if name not in ("windows-1252", "windows-1250", "windows-1254", "windows-1257", "mac-roman")
    and not name.startswith("utf")
}
_TRIED = ["cp1252", "cp1250", *_OTHER_SCRIPTS]


def encoding_of(sample: bytes, *, utf8: bool) -> str:
    """The encoding of a text by its first bytes. `utf8`: whether all of it is valid UTF-8.

    Raises: UnreadableFile: it is not text.
    """
    start = sample[:_LOOKED_AT]
    try:
        unicode = marked_encoding(start) or wide_encoding(start)
    except NotText as error:
        message = "This isn't a text file. Save the table as CSV (UTF-8) or XLSX."
        raise UnreadableFile(message) from error
    return unicode or ("utf-8" if utf8 else _eight_bits(start))


def delimiter_of(sample: str) -> Delimiter:
    """The delimiter with which the first records agree on the most cells."""
    best, most = Delimiter.COMMA, 0.0
    for delimiter in Delimiter:
        widths = _widths(sample, delimiter)
        if not widths:
            continue
        width, agreeing = Counter(widths).most_common(1)[0]
        # One record always agrees with itself. That is no evidence, unless it contains something only a cell can be.
        sure = len(widths) > 1 or delimiter is Delimiter.COMMA or _has_address(sample, delimiter)
        score = (width - 1) * (agreeing / len(widths)) ** 2 if sure else 0.0
        if score > most:
            best, most = delimiter, score
    return best


def decoded(sample: bytes, encoding: str) -> str:
    """The text of the first bytes of a file, without a character that is cut off at the end.

    Raises: UnreadableFile.
    """
    try:
        text = codecs.getincrementaldecoder(encoding)(_strictness(encoding)).decode(sample)
    except UnicodeDecodeError as error:
        raise _undecodable(encoding) from error
    return text.removeprefix("\ufeff").replace("\0", "")


def read(file: IO[bytes], *, encoding: str, delimiter: Delimiter) -> Iterator[SourceRow]:
    """The records of a file, from its current position, without NUL characters and blank lines.

    Raises: UnreadableFile: at the row that cannot be read.
    """
    text = TextIOWrapper(cast("BufferedReader", file), encoding, _strictness(encoding), newline="")
    try:
        yield from _records(text, delimiter)
    except UnicodeDecodeError as error:
        raise _undecodable(encoding) from error
    finally:
        text.detach()


def read_text(text: str, *, delimiter: Delimiter) -> Iterator[SourceRow]:
    """The records of a text. Raises: UnreadableFile."""
    return _records(StringIO(text, newline=""), delimiter)


def _records(text: TextIO, delimiter: Delimiter) -> Iterator[SourceRow]:
    number = 0
    try:
        for cells in csv.reader(_lines(text), delimiter=delimiter):
            number += 1
            if len(cells) > MAX_COLUMNS:
                message = f"Row {number} has {len(cells):,} columns; at most {MAX_COLUMNS:,} are read."
                raise UnreadableFile(message)
            if cells:
                yield SourceRow(number, cells)
    except csv.Error as error:
        message = (
            f"Row {number + 1} has a cell of more than {MAX_CELL:,} characters. Look for a quotation mark that is "
            "not closed there."
        )
        raise UnreadableFile(message) from error


def _lines(text: TextIO) -> Iterator[str]:
    first = True
    while line := text.readline(MAX_LINE):
        if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            message = f"A line has more than {MAX_LINE:,} characters. Is this a CSV file? Remove that line."
            raise UnreadableFile(message)
        if first:
            line, first = line.removeprefix("\ufeff"), False
        yield line.replace("\0", "") if "\0" in line else line


def _widths(sample: str, delimiter: Delimiter) -> list[int]:
    try:
        return [len(record.cells) for record in islice(read_text(sample, delimiter=delimiter), _EVIDENCE)]
    except UnreadableFile:
        return []


def _has_address(sample: str, delimiter: Delimiter) -> bool:
    records = islice(read_text(sample, delimiter=delimiter), 1)
    return any("@" in cell and " " not in cell for record in records for cell in record.cells)


def _eight_bits(start: bytes) -> str:
    """Windows-1252, which old exports use, unless there is enough text to recognize another script.

    The encodings of Latin script cannot be distinguished by their bytes: users of the others choose theirs by hand.
    """
    if sum(byte > _LAST_OF_ASCII for byte in start) < _MIN_BYTES:
        return "windows-1252"
    found = {codecs.lookup(match.encoding).name: match.chaos for match in from_bytes(start, cp_isolation=_TRIED)}
    best = min(found, key=lambda name: found[name], default="cp1252")
    clearly = best in _OTHER_SCRIPTS and found.get("cp1252", 1.0) > found[best]
    return _OTHER_SCRIPTS[best] if clearly else "windows-1252"


def _strictness(encoding: str) -> str:
    """Legacy encodings have undefined bytes that occur in files anyway: those characters are lost in any case."""
    return "strict" if encoding.startswith("utf") else "replace"


def _undecodable(encoding: str) -> UnreadableFile:
    message = f"The file isn't entirely {encoding}. Choose another encoding, such as windows-1252, or save it as UTF-8."
    return UnreadableFile(message)
