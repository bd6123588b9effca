"""Parsing of files, in a sandbox process that can access only the file.

`detect` and `read_rows` are tasks of `kernel.sandbox`; the rest of this module is how they do it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import dropwhile, islice
from typing import IO, Any
from uuid import UUID

from leadflood.domains.imports.adapters import csv_format, workbook
from leadflood.domains.imports.adapters.csv_format import encoding
from leadflood.domains.imports.contracts.lead_row import LeadColumns, RowDefaults
from leadflood.domains.imports.contracts.row_reader import RowReader
from leadflood.domains.imports.contracts.rows import RowFault, StagedRow
from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.models import notices
from leadflood.domains.imports.models.cells import strip_cell
from leadflood.domains.imports.models.column_detection import (
    Analysis,
    DetectedColumn,
    Notice,
    detect_columns,
    fingerprint,
)
from leadflood.domains.imports.models.format import (
    SAMPLE_BYTES,
    SAMPLE_ROWS,
    SHOWN_CHARACTERS,
    SHOWN_ROWS,
    FileFormat,
    FileKind,
    KnownFile,
    SourceRow,
    format_of,
)
from leadflood.domains.imports.models.header_row import find_header, leads_in
from leadflood.domains.imports.models.states import InvalidValues, RowAction
from leadflood.kernel.field_types import FieldType, Option

_BATCH_CHARACTERS = 4 * 1024 * 1024
"""Characters after which a batch ends early: rows may have a megabyte each."""
_NO_LEAD = (None,) * len(LeadColumns._fields)


def analyse(file: IO[bytes], known: KnownFile) -> Analysis:
    """Analyze a file, from its start. Raises: UnreadableFile."""
    head = file.read(SAMPLE_BYTES)
    file.seek(0)
    if head.startswith(workbook.MAGIC):
        return _analyse_workbook(file, known)
    wanted = known.wanted
    used = wanted.encoding if wanted else encoding.encoding_of(head, utf8=known.utf8)
    text = encoding.decoded(head, used)
    delimiter = wanted.delimiter if wanted else csv_format.delimiter_of(text)
    whole = len(head) >= known.size
    records = list(islice(csv_format.read_text(text, delimiter=delimiter, whole=whole), SAMPLE_ROWS))
    if not whole and 1 < len(records) < SAMPLE_ROWS:
        records.pop()  # the sample ends within it
    if records and csv_format.is_separator_line(records[0].cells):
        records.pop(0)
    found = _with_header(FileFormat(FileKind.CSV, encoding=used, delimiter=delimiter), records, known)
    return _analysed(found, [], records, known, notices.of_text(found, known.invalid_bytes))


def detect(file: IO[bytes], request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One `Analysis`, as JSON. Raises: UnreadableFile."""
    wanted = format_of(request["wanted"]) if request["wanted"] else None
    yield asdict(analyse(file, KnownFile(**{**request, "wanted": wanted})))


def analysis_of(found: Mapping[str, Any]) -> Analysis:
    """The analysis of a file, from its serialized form."""
    return Analysis(
        format_of(found["format"]),
        found["sheets"],
        [DetectedColumn(**item) for item in found["columns"]],
        found["sample"],
        found["fingerprint"],
        [Notice(**item) for item in found["notices"]],
    )


def read_rows(file: IO[bytes], request: Mapping[str, Any]) -> Iterator[Any]:
    """The rows of an import that are not yet staged, in batches, in the order of `store.staging.COLUMNS`.

    With each come how often each fault was found in it, which custom fields got a value until then, and the bytes read.
    Rows that make a lead get the id of it from the caller: ids made here could be foreign ones, made in a process that
    a file has taken over.

    Raises: UnreadableFile.
    """
    reader = _reader(request)
    found = format_of(request["format"])
    records = _data_records(file, found)
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
            yield batch, faults, sorted(reader.filled), min(file.tell(), request["size"])
            batch, faults, characters = [], {}, 0
    if batch:
        yield batch, faults, sorted(reader.filled), request["size"]


def _reader(request: Mapping[str, Any]) -> RowReader:
    given = request["defaults"]
    owner = UUID(given["owner"]) if given["owner"] else None
    return RowReader(
        request["targets"],
        owners={name: UUID(id_) for name, id_ in request["owners"].items()},
        stages=request.get("stages", {}),
        fields={
            key: (FieldType(item["type"]), [Option(*option) for option in item["options"]])
            for key, item in request["fields"].items()
        },
        defaults=RowDefaults(given["source"], owner, given["country"]),
        invalid=InvalidValues(request["invalid"]),
        keeps_cells=request["keeps_cells"],
        cells_shift=request["format"]["kind"] == FileKind.CSV,
        delimiter=request["format"]["delimiter"],
    )


def _data_records(file: IO[bytes], found: FileFormat) -> Iterator[SourceRow]:
    """The records below the header, or all without one."""
    if found.kind is FileKind.XLSX:
        records = workbook.read(file, sheet=found.sheet)
    else:
        records = csv_format.read(file, encoding=found.encoding, delimiter=found.delimiter)
    if found.header:
        return dropwhile(lambda record: record.number <= found.header_row, records)
    return dropwhile(lambda record: record.number == 1 and csv_format.is_separator_line(record.cells), records)


def _analyse_workbook(file: IO[bytes], known: KnownFile) -> Analysis:
    if known.wanted and known.wanted.sheet:
        sheet = workbook.read_sheet(file, known.wanted.sheet, rows=SAMPLE_ROWS)
    else:
        sheet = workbook.find_sheet(file, rows=SAMPLE_ROWS, rank=leads_in)
    found = _with_header(FileFormat(FileKind.XLSX, sheet=sheet.name), sheet.rows, known)
    remarked = notices.of_sheets(sheet.name, sheet.names, sheet.visible)
    return _analysed(found, sheet.names, sheet.rows, known, remarked)


def _with_header(found: FileFormat, records: Sequence[SourceRow], known: KnownFile) -> FileFormat:
    """The format with the header row: as set by the user, or else as detected."""
    if known.wanted and known.header_wanted:
        return replace(found, header=known.wanted.header, header_row=known.wanted.header_row)
    row = find_header(records)
    return replace(found, header=row is not None, header_row=row or 1)


def _analysed(
    found: FileFormat,
    sheets: list[str],
    records: Sequence[SourceRow],
    known: KnownFile,
    remarked: Sequence[Notice],
) -> Analysis:
    if not records:
        raise UnreadableFile("This file has no rows. Add a header row and one row per lead.")
    header, rows = _parted(found, records)
    width = _width(found, header, rows)
    columns = detect_columns(header, rows, width=width, export_only=known.export_only)
    shown = [[cell[:SHOWN_CHARACTERS] for cell in row] for row in rows[:SHOWN_ROWS]]
    remarks = [*remarked, *notices.of_header(found), *notices.of_columns(columns, rows)]
    return Analysis(found, sheets, columns, shown, fingerprint(header, rows, width=width), remarks)


def _parted(found: FileFormat, records: Sequence[SourceRow]) -> tuple[list[str] | None, list[list[str]]]:
    """The header, if any, and the rows below it."""
    if not found.header:
        return None, [record.cells for record in records]
    header = next((record.cells for record in records if record.number == found.header_row), None)
    if header is None:
        raise UnreadableFile(
            f"Row {found.header_row} is empty or too far down for a header. Choose another header row."
        )
    names = [strip_cell(cell) for cell in header]
    return names, [record.cells for record in records if record.number > found.header_row]


def _width(found: FileFormat, header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> int:
    """Number of columns. In delimited text, a row wider than the header may be shifted, and adds none."""
    widths = [len(row) for row in rows]
    if found.kind is FileKind.XLSX:
        return max([len(header or ()), *widths])
    return len(header) if header else Counter(widths).most_common(1)[0][0]


def _record(staged: StagedRow) -> tuple[Any, ...]:
    """A row in the order of `store.staging.COLUMNS`."""
    faults = json.dumps([_fault(fault) for fault in staged.faults]) if staged.faults else None
    if staged.lead is not None:
        related = json.dumps(staged.related) if staged.related else None
        raw = json.dumps(staged.raw) if staged.raw else None
        return (staged.number, None, None, None, *_plain(staged.lead), faults, raw, related)
    if staged.blank:
        return (staged.number, RowAction.SKIP.value, "empty_row", None, *_NO_LEAD, faults, None, None)
    named = (staged.email, *_NO_LEAD[1:])
    return (staged.number, RowAction.REJECT.value, None, None, *named, faults, json.dumps(staged.raw), None)


def _fault(fault: RowFault) -> dict[str, str]:
    return {"field": fault.pointer, "code": fault.code, "message": fault.message, "value": fault.value}


def _plain(lead: LeadColumns) -> tuple[str | None, ...]:
    return tuple(str(value) if isinstance(value, UUID) else value for value in lead)
