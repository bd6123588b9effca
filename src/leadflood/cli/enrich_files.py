"""Files of `leadflood enrich`: the lines to read, and a working file from which an interrupted run continues."""

import csv
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from leadflood import __version__
from leadflood.cli.enrich_records import FAILED, JsonObject
from leadflood.domains.enrichment.engine.profiles import parse_target
from leadflood.kernel.errors import AppError
from leadflood.kernel.text import InvalidValue

_COLUMNS: Final = ("domain", "website", "url", "company domain", "email", "e-mail", "email address")
_DELIMITERS: Final = ",;\t|"
_SAMPLE: Final = 64 * 1024
_MAX_LINE: Final = 1_000_000
_HEADER: Final = {"leadflood": "enrich", "format": 1}


class UnusableEnrichFile(AppError):
    """A file of this command cannot be read or written."""

    code = "unusable_file"
    status = 400
    title = "Unusable file"


def lines_in(path: Path, column: str | None) -> list[str]:
    """The domains, URLs and email addresses of a file, blank ones left out.

    A text file has one per line; `#` begins a comment. A CSV file has them in a column: the named one, or the first
    that is called like `domain`, `website` or `email`, or whose first value is one.

    Raises: UnusableEnrichFile.
    """
    if not path.exists() or path.is_dir():
        raise UnusableEnrichFile(f"There is no file {path}.")
    csv.field_size_limit(_MAX_LINE)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        if path.suffix.lower() not in {".csv", ".tsv"}:
            plain = (line.strip() for line in file)
            return [line for line in plain if line and not line.startswith("#")]
        sample = file.read(_SAMPLE)
        file.seek(0)
        first = sample.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=first.count)
        try:
            return _column_of(path, csv.reader(file, delimiter=delimiter), column)
        except csv.Error as error:
            raise UnusableEnrichFile(f"{path} is no CSV file that can be read: {error}.") from None


def _column_of(path: Path, rows: Iterator[list[str]], column: str | None) -> list[str]:
    header = [name.strip() for name in next(rows, [])]
    second = next(rows, [])
    names = [name.casefold() for name in header]
    if column is not None:
        if column.casefold() not in names:
            raise UnusableEnrichFile(f"{path} has no column {column!r}. Columns: {', '.join(header) or 'none'}.")
        place = names.index(column.casefold())
    else:
        found = [names.index(name) for name in _COLUMNS if name in names]
        found = found or [place for place, value in enumerate(second) if _is_target(value)]
        without_header = [place for place, value in enumerate(header) if _is_target(value)]
        if not found and not without_header:
            raise UnusableEnrichFile(
                f"{path} has no column of domains or email addresses. Name it with --column. "
                f"Columns: {', '.join(header) or 'none'}."
            )
        place = (found or without_header)[0]
        if place in without_header:
            second, rows = header, _before(second, rows)
    values = (row[place].strip() for row in _before(second, rows) if len(row) > place)
    return [value for value in values if value]


def _before(row: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    if row:
        yield row
    yield from rows


def _is_target(text: str) -> bool:
    try:
        parse_target(text)
    except InvalidValue:
        return False
    return True


class WorkingFile:
    """`OUT.part`: one line of JSON per finished input. It outlives a kill, so that the same command continues.

    The first line names the format. A last line that was not written to its end is dropped, and targets that failed
    are not counted as finished.
    """

    def __init__(self, out: Path, file: IO[bytes]) -> None:
        """Read it to its end. Args: file: open for reading and writing, and locked. Raises: UnusableEnrichFile."""
        self._out = out
        self._file = file
        self._places: dict[str, int] = {}
        self._end = 0
        self._read()

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def add(self, key: str, record: JsonObject) -> None:
        """Write a record. It survives the end of this process."""
        line = json.dumps({"key": key, "record": record}, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        self._file.seek(self._end)
        self._file.write(line)
        self._file.flush()
        self._places[key] = self._end
        self._end += len(line)

    def records(self, keys: Sequence[str]) -> Iterator[JsonObject]:
        """The records of some keys, in their order."""
        for key in keys:
            if (place := self._places.get(key)) is not None:
                self._file.seek(place)
                yield json.loads(self._file.readline())["record"]

    def _read(self) -> None:
        first = self._file.readline()
        if not first.endswith(b"\n"):
            self._file.seek(0)
            self._file.truncate()
            line = json.dumps({**_HEADER, "version": __version__}).encode() + b"\n"
            self._file.write(line)
            self._end = len(line)
            return
        if not _is_ours(first):
            message = f"{working_path(self._out)} is of another program or version. Delete or rename it."
            raise UnusableEnrichFile(message)
        self._end = len(first)
        for line in self._file:
            try:
                known = json.loads(line) if line.endswith(b"\n") else {}
                key, failed = known["key"], known["record"]["status"] == FAILED
            except (ValueError, KeyError, TypeError):
                break
            if not failed:  # asking again may help
                self._places[key] = self._end
            self._end += len(line)
        self._file.truncate(self._end)


def _is_ours(first: bytes) -> bool:
    try:
        known = json.loads(first)
    except ValueError:
        return False
    return isinstance(known, dict) and known.items() >= _HEADER.items()


@contextmanager
def open_working_file(out: Path) -> Iterator[WorkingFile]:
    """The working file of an output file, locked against a second process. Raises: UnusableEnrichFile."""
    part = working_path(out)
    while True:
        part.touch(0o644)
        with part.open("r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UnusableEnrichFile(f"Another command is writing {out}. Wait for its end.") from None
            # Another command may have deleted it between the two steps, as one that is complete.
            if part.exists() and os.path.samestat(part.stat(), os.fstat(file.fileno())):
                yield WorkingFile(out, file)
                return


def working_path(out: Path) -> Path:
    """Path of the working file of an output file."""
    return out.with_name(f"{out.name}.part")
