"""The parts of a workbook, unpacked in pieces of limited size, whatever sizes the file states.

openpyxl holds some parts in memory as a whole, and of a sheet each row, with what stands between two rows. A part of a
few megabytes can unpack to gigabytes, and its tags take many times their bytes in memory: both are counted here, where
openpyxl reads them.
"""

import struct
import zipfile
from collections.abc import Sequence
from io import SEEK_END, BytesIO
from types import TracebackType
from typing import IO, Any, Final, Self

from openpyxl.reader.excel import ExcelReader
from openpyxl.workbook import Workbook

from leadflood.domains.imports.errors import UnreadableFile

MAX_UNPACKED: Final = 2 * 1024**3
"""Maximum bytes of all parts together, unpacked. Python's zipfile unpacks at most the declared size of a part."""
MAX_PARTS: Final = 2000
_MAX_PACKED = 200
"""Maximum compression ratio of a large part: real files stay below 100, bombs have 1,000 and more."""
_LARGE = 16 * 1024**2
_MAX_DIRECTORY = 1024**2
"""Maximum bytes of the list of parts, which zipfile reads as a whole before their number is known."""
_END_OF_DIRECTORY = b"PK\5\6"
_END_BYTES = 22
_MAX_COMMENT = 65_535

_NO_SHEET = b"<worksheet/>"

_DECLARATIONS: Final = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_OVERLAP: Final = 17
"""Bytes of a piece that may be the beginning of a declaration."""


class Limit:
    """Memory limit for a part of a workbook."""

    def __init__(self, bytes_: int, tags: int, message: str) -> None:
        self.bytes, self.tags, self.message = bytes_, tags, message


TEXTS: Final = Limit(
    64 * 1024**2,
    8_000_000,
    "The workbook has more than 64 MB of different texts. Save it as CSV, which may be of any size.",
)
ROW: Final = Limit(
    8 * 1024**2,
    400_000,
    "The workbook has a row, or something else in a sheet, of more than 8 MB. Save the table as CSV.",
)
WHOLE: Final = Limit(
    8 * 1024**2,
    300_000,
    "The workbook has more than 8 MB of styles or properties. Copy the cells into a new one, or save it as CSV.",
)

_DECLARES: Final = "The workbook has a document type declaration, which spreadsheets never have. Save the table as CSV."


class Archive(zipfile.ZipFile):
    """The parts of a workbook. Raises: UnreadableFile: one is larger than its limit."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises: UnreadableFile: also for a file that would unpack to too much."""
        _refuse_large_directory(file)
        super().__init__(file)
        _refuse_bomb(self.infolist())
        self.opens: Limit | None = None
        """The limit of the part that is opened next. None: it is not read."""
        self._opened: _Limited | None = None

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        """A part as a whole."""
        with super().open(name, "r", pwd) as part:
            return _Limited(part, WHOLE).read()

    def open(self, name: str | zipfile.ZipInfo, *_args: Any, **_options: Any) -> Any:  # noqa: ANN401  as ZipFile's
        """A part, to be read piece by piece."""
        if self.opens is None:
            return BytesIO(_NO_SHEET)
        self._opened = _Limited(super().open(name), self.opens)
        return self._opened

    def row_ended(self) -> None:
        """Reset the count: what was read so far is no longer in memory."""
        if self._opened is not None:
            self._opened.start_over()


class Reader(ExcelReader):
    """openpyxl's reader on our archive. It does not read sheets through to find out their size."""

    archive: Archive

    def __init__(self, file: IO[bytes]) -> None:
        archive = Archive(file)
        super().__init__(file, read_only=True, data_only=True, keep_links=False)
        self.archive = archive

    def read_strings(self) -> None:
        """Read the table of texts."""
        self.archive.opens = TEXTS
        super().read_strings()
        self.archive.opens = None

    def opened(self) -> Workbook:
        """The workbook, for iterating over its sheets."""
        self.read()
        self.archive.opens = ROW
        return self.wb


class _Limited:
    def __init__(self, part: IO[bytes], limit: Limit) -> None:
        self._part = part
        self._limit = limit
        self._tail = b""
        self.start_over()

    def start_over(self) -> None:
        self._bytes = self._tags = 0

    def read(self, size: int = -1) -> bytes:
        data = self._part.read(self._limit.bytes + 1 if size < 0 else size)
        self._bytes += len(data)
        self._tags += data.count(b"<")
        if self._bytes > self._limit.bytes or self._tags > self._limit.tags:
            raise UnreadableFile(self._limit.message)
        self._refuse_declarations(data)
        return data

    def _refuse_declarations(self, data: bytes) -> None:
        """Raises: UnreadableFile: the part may define entities, which expand to any size. Spreadsheets define none."""
        seen = self._tail + data
        if any(declaration in seen for declaration in _DECLARATIONS):
            raise UnreadableFile(_DECLARES)
        self._tail = seen[-_OVERLAP:]

    def close(self) -> None:
        self._part.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _refuse_large_directory(file: IO[bytes]) -> None:
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - _END_BYTES - _MAX_COMMENT))
    tail = file.read()
    file.seek(0)
    for start in {len(tail) - _END_BYTES, tail.rfind(_END_OF_DIRECTORY)}:
        if start < 0 or tail[start : start + 4] != _END_OF_DIRECTORY or len(tail) < start + _END_BYTES:
            continue
        (directory,) = struct.unpack_from("<I", tail, start + 12)
        if directory > _MAX_DIRECTORY or b"PK\6\7" in tail[max(0, start - 20) : start]:
            raise _bomb()


def _refuse_bomb(parts: Sequence[zipfile.ZipInfo]) -> None:
    bomb = any(part.file_size > _LARGE and part.file_size > _MAX_PACKED * part.compress_size for part in parts)
    if bomb or len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise _bomb()


def _bomb() -> UnreadableFile:
    return UnreadableFile("The workbook would unpack to far more than it should. Save the table as CSV.")
