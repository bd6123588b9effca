"""Parquet, compressed with zstd. Custom and enriched values are text: a column of a lead may hold any type."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Final

from leadflood.domains.exports.models import ExportRecord, getter, plain

if TYPE_CHECKING:
    from arro3.core import DataType, RecordBatch, Schema

_TIMES: Final = frozenset({"createdAt", "updatedAt", "enrichedAt"})
_NEVER_NULL: Final = frozenset({"id", "email", "source", "status", "version", "createdAt", "updatedAt"})
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_ROW_GROUP: Final = 50_000
_PIECE: Final = 1024 * 1024


class ParquetEncoder:
    """Writes Parquet: its index comes last, so records are buffered on disk in columns until the end."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._waiting = TemporaryFile()  # noqa: SIM115  it lives until `close`

    def begin(self) -> bytes:
        """Nothing yet."""
        return b""

    def rows(self, records: Sequence[ExportRecord]) -> bytes:
        """Nothing yet."""
        getters = [(name, getter(name)) for name in self._columns]
        batch = [[_stored(name, get(record)) for record in records] for name, get in getters]
        self._waiting.write(json.dumps(batch).encode() + b"\n")
        return b""

    def end(self) -> Iterator[bytes]:
        """The file."""
        from arro3.core import RecordBatchReader  # noqa: PLC0415  12 MB of code that only Parquet needs
        from arro3.io import write_parquet  # noqa: PLC0415  as above

        self._waiting.seek(0)
        schema = self._schema()
        with TemporaryFile() as file:
            reader = RecordBatchReader.from_batches(schema, self._batches(schema))
            write_parquet(reader, file, compression="zstd(3)", max_row_group_size=_ROW_GROUP)
            file.seek(0)
            while piece := file.read(_PIECE):
                yield piece

    def close(self) -> None:
        """Delete the buffer."""
        self._waiting.close()

    def _schema(self) -> "Schema":
        from arro3.core import Field, Schema  # noqa: PLC0415  as above

        return Schema([Field(name, _type(name), nullable=name not in _NEVER_NULL) for name in self._columns])

    def _batches(self, schema: "Schema") -> "Iterator[RecordBatch]":
        from arro3.core import Array, DataType, RecordBatch  # noqa: PLC0415  as above

        for line in self._waiting:
            values = zip(self._columns, json.loads(line), strict=True)
            arrays = [
                Array(value, DataType.int64()).cast(_type(name)) if _numeric(name) else Array(value, _type(name))
                for name, value in values
            ]
            yield RecordBatch.from_arrays(arrays, schema=schema)


def _numeric(column: str) -> bool:
    return column in _TIMES or column == "version"


def _type(column: str) -> "DataType":
    from arro3.core import DataType  # noqa: PLC0415  as above

    if column in _TIMES:
        return DataType.timestamp("us", tz="UTC")
    return DataType.int64() if column == "version" else DataType.utf8()


def _stored(column: str, value: Any) -> str | int | None:  # noqa: ANN401  of any column
    if value is None:
        return None
    if column in _TIMES:
        return int((value - _EPOCH) // timedelta(microseconds=1))
    return int(value) if column == "version" else plain(value)
