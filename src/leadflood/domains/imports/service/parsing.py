"""Parsing of files, in a sandbox process that can access only the file.

`detect` and `read_rows` are tasks of `kernel.sandbox`; the rest of this module implements them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import IO, Any
from uuid import UUID

from leadflood.domains.imports.adapters import csv_format, workbook
from leadflood.domains.imports.contracts.lead_row import LeadColumns, RowDefaults
from leadflood.domains.imports.contracts.rows import RowReader, StagedRow
from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.models.column_detection import (
    Analysis,
    DetectedColumn,
    detect_columns,
    fingerprint,
    has_header,
)
from leadflood.domains.imports.models.format import (
    SAMPLE_BYTES,
    SAMPLE_ROWS,
    SHOWN_CHARACTERS,
    SHOWN_ROWS,
    FileFormat,
    FileKind,
    SourceRow,
    format_of,
)
from leadflood.domains.imports.models.states import InvalidValues, RowAction
from leadflood.kernel.errors import FieldError
from leadflood.kernel.field_types import FieldType, Option

_BATCH_CHARACTERS = 4 * 1024 * 1024
"""Characters after which a batch ends early: rows may have a megabyte each."""
_NO_LEAD = (None,) * len(LeadColumns._fields)


def analyse(file: IO[bytes], size: int, *, utf8: bool, wanted: FileFormat | None = None) -> Analysis:
    """Analyze a file, from its start.

    Args: size: of the whole file, of which `file` may be the beginning. wanted: how it is to be read, where people said
        so.

    Raises: UnreadableFile.
    """
    head = file.read(SAMPLE_BYTES)
    file.seek(0)
    if head.startswith(workbook.MAGIC):
        return _analyse_workbook(file, wanted)
    encoding = wanted.encoding if wanted else csv_format.encoding_of(head, utf8=utf8)
    text = csv_format.decoded(head, encoding)
    delimiter = wanted.delimiter if wanted else csv_format.delimiter_of(text)
    records = list(islice(csv_format.read_text(text, delimiter=delimiter), SAMPLE_ROWS))
    if len(head) < size and 1 < len(records) < SAMPLE_ROWS:
        records.pop()  # the sample ends within it
    header = wanted.header if wanted else has_header([record.cells for record in records])
    return _analysed(FileFormat(FileKind.CSV, header, encoding, delimiter), [], records)


def detect(file: IO[bytes], request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One `Analysis`, as JSON. Raises: UnreadableFile."""
    wanted = format_of(request["wanted"]) if request["wanted"] else None
    yield asdict(analyse(file, request["size"], utf8=request["utf8"], wanted=wanted))


def analysis_of(found: Mapping[str, Any]) -> Analysis:
    """The analysis of a file, from its serialized form."""
    columns = [DetectedColumn(**item) for item in found["columns"]]
    return Analysis(format_of(found["format"]), found["sheets"], columns, found["sample"], found["fingerprint"])


def read_rows(file: IO[bytes], request: Mapping[str, Any]) -> Iterator[Any]:
    """The rows of an import that are not yet staged, in batches, in the order of `store.staging.COLUMNS`.

    With each come how often each fault was found in it, and the bytes read by then. Rows that make a lead get the id of
    it from the caller: ids made here could be foreign ones, made in a process that a file has taken over.

    Raises: UnreadableFile.
    """
    reader = _reader(request)
    records = _records(file, format_of(request["format"]))
    if request["format"]["header"]:
        next(records, None)
    batch: list[tuple[Any, ...]] = []
    faults: dict[str, int] = {}
    characters = 0
    for record in records:
        if record.number <= request["after"]:
            continue
        characters += sum(map(len, record.cells))
        staged = reader.read(record.number, record.cells)
        batch.append(_record(staged))
        for fault in staged.faults:
            key = f"{fault.pointer or '/'} {fault.code}"
            faults[key] = faults.get(key, 0) + 1
        if len(batch) == request["batch"] or characters > _BATCH_CHARACTERS:
            yield batch, faults, min(file.tell(), request["size"])
            batch, faults, characters = [], {}, 0
    if batch:
        yield batch, faults, request["size"]


def _reader(request: Mapping[str, Any]) -> RowReader:
    given = request["defaults"]
    owner = UUID(given["owner"]) if given["owner"] else None
    return RowReader(
        request["targets"],
        owners={name: UUID(id_) for name, id_ in request["owners"].items()},
        fields={
            key: (FieldType(item["type"]), [Option(*option) for option in item["options"]])
            for key, item in request["fields"].items()
        },
        defaults=RowDefaults(given["source"], owner, given["country"]),
        invalid=InvalidValues(request["invalid"]),
    )


def _records(file: IO[bytes], found: FileFormat) -> Iterator[SourceRow]:
    if found.kind is FileKind.XLSX:
        return workbook.read(file, sheet=found.sheet)
    return csv_format.read(file, encoding=found.encoding, delimiter=found.delimiter)


def _analyse_workbook(file: IO[bytes], wanted: FileFormat | None) -> Analysis:
    sheets = workbook.sheets_of(file)
    sheet = wanted.sheet if wanted and wanted.sheet else sheets[0]
    file.seek(0)
    records = list(islice(workbook.read(file, sheet=sheet), SAMPLE_ROWS))
    header = wanted.header if wanted else has_header([record.cells for record in records])
    return _analysed(FileFormat(FileKind.XLSX, header, sheet=sheet), sheets, records)


def _analysed(found: FileFormat, sheets: list[str], records: Sequence[SourceRow]) -> Analysis:
    if not records:
        raise UnreadableFile("This file has no rows. Add a header row and one row per lead.")
    rows = [record.cells for record in records]
    header = [cell.strip() for cell in rows[0]] if found.header else None
    data = rows[1:] if found.header else rows
    columns = detect_columns(header, data)
    sample = [[cell[:SHOWN_CHARACTERS] for cell in row] for row in data[:SHOWN_ROWS]]
    return Analysis(found, sheets, columns, sample, fingerprint(header, len(columns)))


def _record(staged: StagedRow) -> tuple[Any, ...]:
    """A row in the order of `store.staging.COLUMNS`."""
    faults = json.dumps([_fault(fault) for fault in staged.faults]) if staged.faults else None
    if staged.lead is not None:
        return (staged.number, None, None, None, *_plain(staged.lead), faults, None)
    if staged.blank:
        return (staged.number, RowAction.SKIP.value, "empty_row", None, *_NO_LEAD, faults, None)
    return (staged.number, RowAction.REJECT.value, None, None, *_NO_LEAD, faults, json.dumps(staged.raw))


def _fault(fault: FieldError) -> dict[str, str]:
    return {"field": fault.pointer, "code": fault.code, "message": fault.message}


def _plain(lead: LeadColumns) -> tuple[str | None, ...]:
    return tuple(str(value) if isinstance(value, UUID) else value for value in lead)
