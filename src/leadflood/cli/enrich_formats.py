"""Formats of the output of `leadflood enrich`: CSV and Parquet with one row per target, and JSON Lines."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from leadflood.cli.enrich_records import JsonObject
from leadflood.domains.enrichment.models import FactField, FactType
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.exports.models import plain
from leadflood.kernel.formulas import neutralise

if TYPE_CHECKING:
    from arro3.core import Array, DataType, RecordBatch, Schema

RECEIPTS: Final = "receipts"
_OF_THE_TARGET: Final = ("input", "domain", "email", "status", "message")
_PERSON_PREFIX: Final = "person_"
_CHUNK: Final = 1000
_ROW_GROUP: Final = 50_000


class FlatColumns:
    """Columns of files with one row per record: the target, a column per field, and all receipts as JSON.

    Columns of persons begin with `person_`; `emails` are those of the company.
    """

    def __init__(self) -> None:
        renamed = {"email": "emails"}
        companies = [(renamed.get(each.name, each.name), "company", each) for each in COMPANY_FIELDS]
        persons = [(_PERSON_PREFIX + each.name, "person", each) for each in PERSON_FIELDS]
        columns = [column for column in (*companies, *persons) if column[0] not in _OF_THE_TARGET]
        self._columns: Sequence[tuple[str, str, FactField]] = columns
        self.fields: Mapping[str, FactField] = {name: field for name, _, field in columns}
        """The field of each column that has one."""

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [*_OF_THE_TARGET, *self.fields, RECEIPTS]

    def row(self, record: JsonObject) -> list[Any]:
        """The values of a record: texts, numbers, booleans, lists of texts, or None."""
        values = [_value(record[part].get(field.name), field) for _, part, field in self._columns]
        receipts = {part: record[part] for part in ("person", "company")}
        return [*(record[name] for name in _OF_THE_TARGET), *values, json.dumps(receipts, ensure_ascii=False)]


def write_output(out: Path, records: Iterator[JsonObject]) -> None:
    """Write the records in the format that the file's name says. The file appears when it is complete."""
    unfinished = out.with_name(f"{out.name}.tmp")
    try:
        with unfinished.open("wb") as file:
            _WRITERS[out.suffix.lower()](file, records)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def _value(found: Any, field: FactField) -> Any:  # noqa: ANN401  JSON
    if field.multiple:
        return [str(each["value"]) for each in found or ()]
    return None if found is None else found["value"]


def _write_jsonl(file: IO[bytes], records: Iterator[JsonObject]) -> None:
    for record in records:
        file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")


def _write_csv(file: IO[bytes], records: Iterator[JsonObject]) -> None:
    columns = FlatColumns()
    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(columns.names)
    writer.writerows([_cell(value) for value in columns.row(record)] for record in records)
    text.detach()


def _cell(value: Any) -> str:  # noqa: ANN401  JSON
    if isinstance(value, str | list):
        return neutralise(plain(value))
    return "" if value is None else plain(value)


def _write_parquet(file: IO[bytes], records: Iterator[JsonObject]) -> None:
    from arro3.core import Field, RecordBatchReader, Schema
    from arro3.io import write_parquet

    columns = FlatColumns()
    schema = Schema([Field(name, _arrow_type(columns.fields.get(name))) for name in columns.names])
    reader = RecordBatchReader.from_batches(schema, _batches(columns, schema, records))
    write_parquet(reader, file, compression="zstd(3)", max_row_group_size=_ROW_GROUP)


def _batches(columns: FlatColumns, schema: "Schema", records: Iterator[JsonObject]) -> "Iterator[RecordBatch]":
    from arro3.core import RecordBatch

    while chunk := [columns.row(record) for record in islice(records, _CHUNK)]:
        by_column = zip(columns.names, zip(*chunk, strict=True), strict=True)
        arrays = [_array(columns.fields.get(name), values) for name, values in by_column]
        yield RecordBatch.from_arrays(arrays, schema=schema)


def _arrow_type(field: FactField | None) -> "DataType":
    from arro3.core import DataType, Field

    if field is None:
        return DataType.utf8()
    if field.multiple:
        return DataType.list(Field("element", DataType.utf8()))
    types = {FactType.BOOLEAN: DataType.bool(), **dict.fromkeys((FactType.INTEGER, FactType.YEAR), DataType.int64())}
    return types.get(field.type, DataType.utf8())


def _array(field: FactField | None, values: Sequence[Any]) -> "Array":
    from arro3.core import Array, DataType, list_array

    if field is None or not field.multiple:
        return Array(values, _arrow_type(field))
    ends = [0]
    for value in values:
        ends.append(ends[-1] + len(value))
    elements = Array([item for value in values for item in value], DataType.utf8())
    return list_array(Array(ends, DataType.int32()), elements, type=_arrow_type(field))


_WRITERS: Final[Mapping[str, Callable[[IO[bytes], Iterator[JsonObject]], None]]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".ndjson": _write_jsonl,
    ".parquet": _write_parquet,
}
FORMATS: Final = tuple(_WRITERS)
"""Endings of names."""
