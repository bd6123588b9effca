"""Parsing of files in sandbox processes that a file can neither block nor break out of."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final
from uuid import UUID

from leadflood.domains.fields.models import CustomField
from leadflood.domains.imports.adapters import workbook
from leadflood.domains.imports.errors import FileNotRead, UnreadableFile
from leadflood.domains.imports.models.column_detection import Analysis
from leadflood.domains.imports.models.export_headers import export_only_labels
from leadflood.domains.imports.models.format import FileFormat, FileKind, KnownFile, stored_format
from leadflood.domains.imports.models.states import Duplicates, InvalidValues
from leadflood.domains.imports.service import parsing
from leadflood.domains.imports.store import StoredImport
from leadflood.domains.stages.models import StageList
from leadflood.kernel.ids import new_id
from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.kernel.sandbox.process import Process, TaskRefused, TaskStopped
from leadflood.kernel.sandbox.protocol import StopReason, TaskLimits

DEFAULT_SOURCE = "import"
BATCH = 5000
"""Maximum rows of one transaction."""
_MEMORY = 768 * 1024 * 1024
DETECT: Final = TaskLimits(memory=_MEMORY, cpu=30, wall=300)
"""Limits of the analysis: of a workbook, it reads all texts."""
ROWS: Final = TaskLimits(memory=_MEMORY, cpu=60, wall=600)
"""One batch of rows."""
_ACTION, _LEAD_ID = 1, 3
_WHY: Final = {
    StopReason.TIME: "reading it takes too long",
    StopReason.MEMORY: "reading it takes too much memory",
    StopReason.CRASH: "the program that reads it broke off",
}
_WORDS: Final = {
    FileKind.XLSX: ("workbook", "Save it as CSV."),
    FileKind.CSV: ("file", "Split it into smaller files."),
}


@dataclass(frozen=True, slots=True)
class RowBatch:
    """A batch of parsed rows.

    Attributes:
        records: the rows, in the order of `store.staging.COLUMNS`.
        faults: number of each error in them.
        filled: keys of custom fields with a value so far.
        position: bytes read so far.
    """

    records: list[list[Any]]
    faults: dict[str, int]
    filled: list[str]
    position: int


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Lookup values for parsing cells: members by ID and address, custom fields by key, and stages."""

    members: Mapping[str, UUID]
    fields: Mapping[str, CustomField]
    stages: StageList


def new_sandbox(processes: int, modules: Sequence[str] = ()) -> Sandbox:
    """Pool of processes that parse files. None starts before the first file. Args: modules: of other tasks."""
    return Sandbox(processes=processes, preload=[parsing.__name__, *modules])


async def detect_format(process: Process, file: IO[bytes], known: KnownFile) -> Analysis:
    """The analysis of a file by `parsing.analyse`. Raises: UnreadableFile."""
    kind = FileKind.XLSX if file.read(len(workbook.MAGIC)) == workbook.MAGIC else FileKind.CSV
    asked = {
        "size": known.size,
        "utf8": known.utf8,
        "invalid_bytes": known.invalid_bytes,
        "wanted": stored_format(known.wanted) if known.wanted else None,
        "header_wanted": known.header_wanted,
        "export_only": export_only_labels(),
    }
    with _in_words(kind):
        async with aclosing(process.run(parsing.detect, file, asked, DETECT)) as found:
            analyses = [parsing.analysis_of(item) async for item in found]
    return analyses[0]


@asynccontextmanager
async def open_rows(
    process: Process, file: IO[bytes], found: StoredImport, known: KnownValues
) -> AsyncIterator[AsyncGenerator[RowBatch, None]]:
    """The rows not yet staged, read while the block runs. Its steps raise UnreadableFile."""
    if found.format is None:
        raise RuntimeError("The format of this import is not known.")
    running = process.run(parsing.read_rows, file, _asked(found, found.format, known), ROWS)
    async with aclosing(running) as rows, aclosing(_batches(rows, found.format.kind)) as batches:
        yield batches


async def _batches(found: AsyncGenerator[Any, None], kind: FileKind) -> AsyncGenerator[RowBatch, None]:
    with _in_words(kind):
        async for records, faults, filled, position in found:
            for record in records:
                if record[_ACTION] is None:
                    record[_LEAD_ID] = new_id()
            yield RowBatch(records, faults, filled, position)


def _asked(found: StoredImport, format_: FileFormat, known: KnownValues) -> dict[str, Any]:
    options = found.options
    return {
        "format": stored_format(format_),
        "targets": [column.target for column in found.columns],
        "owners": {name: str(id_) for name, id_ in known.members.items()},
        "stages": known.stages.keys_by_word,
        "fields": {
            key: {"type": field.type, "options": [[option.value, option.label] for option in field.options]}
            for key, field in known.fields.items()
        },
        "defaults": {
            "source": options.source or DEFAULT_SOURCE,
            "owner": str(options.owner_id) if options.owner_id else None,
            "country": options.country,
        },
        "invalid": options.invalid,
        "keeps_cells": options.duplicates is Duplicates.REPORT or options.invalid is InvalidValues.REJECT,
        "after": found.staged_through,
        "size": found.size_bytes,
        "batch": BATCH,
    }


@contextmanager
def _in_words(kind: FileKind) -> Iterator[None]:
    try:
        yield
    except TaskRefused as refused:
        raise UnreadableFile(refused.detail) from refused
    except TaskStopped as stopped:
        name, remedy = _WORDS[kind]
        message = f"This {name} is too complex to read: {_WHY[stopped.why]}. {remedy}"
        raise (FileNotRead if stopped.why is StopReason.CRASH else UnreadableFile)(message) from stopped
