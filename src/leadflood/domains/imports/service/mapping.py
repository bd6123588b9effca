"""What a file is and what its columns are: guessed first, then as people say."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import IO, Any
from uuid import UUID

from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.errors import MemberNotFound
from leadflood.domains.imports import queries, store
from leadflood.domains.imports.adapters import delimited, workbook
from leadflood.domains.imports.contracts import ImportDetail, MapColumns, ReadAs
from leadflood.domains.imports.errors import ImportNotFound, ImportNotReady, UnreadableFile
from leadflood.domains.imports.models.fields import Target
from leadflood.domains.imports.models.format import (
    SAMPLE_BYTES,
    SAMPLE_ROWS,
    SHOWN_CHARACTERS,
    SHOWN_ROWS,
    Delimiter,
    FileFormat,
    FileKind,
    Record,
)
from leadflood.domains.imports.models.guess import Column, fingerprint, guess_columns, has_header
from leadflood.domains.imports.models.states import ImportStatus
from leadflood.domains.leads.errors import UnknownOwner
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Transaction
from leadflood.kernel.errors import FieldError, InvalidInput

CHANGEABLE = frozenset({ImportStatus.UPLOADED, ImportStatus.PREVIEWED, ImportStatus.CANCELLED, ImportStatus.FAILED})
"""States in which the mapping can be changed, as long as nothing is written."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a look at the first rows told."""

    format: FileFormat
    sheets: list[str]
    columns: list[Column]
    sample: list[list[str]]
    fingerprint: str


def analyse(file: IO[bytes], size: int, *, utf8: bool, wanted: FileFormat | None = None) -> Analysis:
    """Look at a file, from its start. Blocks: call it in a thread.

    Args: size: of the whole file, of which `file` may be the beginning. wanted: how it is to be read, where people said
        so.

    Raises: UnreadableFile.
    """
    head = file.read(SAMPLE_BYTES)
    file.seek(0)
    if head.startswith(workbook.MAGIC):
        return _analyse_workbook(file, wanted)
    encoding = wanted.encoding if wanted else delimited.encoding_of(head, utf8=utf8)
    text = delimited.decoded(head, encoding)
    delimiter = wanted.delimiter if wanted else delimited.delimiter_of(text)
    records = list(islice(delimited.read_text(text, delimiter=delimiter), SAMPLE_ROWS))
    if len(head) < size and 1 < len(records) < SAMPLE_ROWS:
        records.pop()  # the head ends within it
    header = wanted.header if wanted else has_header([record.cells for record in records])
    return _analysed(FileFormat(FileKind.CSV, header, encoding, delimiter), [], records)


async def keep_analysis(tx: Transaction, actor: Actor, *, import_id: UUID, analysis: Analysis) -> None:
    """Store what was found, with the mapping that was chosen for a file with the same columns before, if any."""
    known = await queries.known_mapping(tx, actor.workspace_id, analysis.fingerprint)
    columns, options = analysis.columns, {}
    if known is not None and len(known.targets) == len(columns):
        pairs = zip(columns, known.targets, strict=True)
        columns = [replace(column, target=target, confidence=1.0) for column, target in pairs]
        options = known.options
    await store.set_fields(
        tx,
        actor.workspace_id,
        import_id,
        format=_stored_format(analysis.format),
        sheets=analysis.sheets,
        columns=[asdict(column) for column in columns],
        sample=analysis.sample,
        fingerprint=analysis.fingerprint,
        options=options,
    )


async def wanted_format(tx: Transaction, actor: Actor, *, import_id: UUID, command: ReadAs) -> tuple[FileFormat, Any]:
    """The format that the import gets, and its row. Raises: ImportNotFound, ImportNotReady, InvalidInput."""
    row = await changeable(tx, actor, import_id=import_id)
    given = {name: value for name in command.model_fields_set if (value := getattr(command, name)) is not None}
    if "sheet" in given and given["sheet"] not in row.sheets:
        message = f"The file has no such sheet. It has: {', '.join(row.sheets) or 'none'}."
        raise InvalidInput("The sheet is unknown.", errors=[FieldError("/sheet", "not_allowed", message)])
    return replace(format_of(row.format), **given), row


async def map_columns(tx: Transaction, actor: Actor, *, import_id: UUID, command: MapColumns) -> ImportDetail:
    """Say what each column becomes and what rows do; kept for the next file with the same columns.

    Raises: ImportNotFound, ImportNotReady, InvalidInput, UnknownOwner.
    """
    row = await changeable(tx, actor, import_id=import_id)
    columns = [Column(**column) for column in row.columns]
    _check_targets(command.targets, len(columns))
    if command.owner_id is not None:
        try:
            await identity.get_member(tx, actor, user_id=command.owner_id)
        except MemberNotFound as error:
            raise UnknownOwner from error
    options = command.model_dump(mode="json", by_alias=True, exclude={"targets"})
    chosen = [
        replace(column, target=target, confidence=column.confidence if target == column.target else 1.0)
        for column, target in zip(columns, command.targets, strict=True)
    ]
    await store.move(
        tx,
        actor.workspace_id,
        import_id,
        expected=CHANGEABLE,
        status=ImportStatus.UPLOADED,
        columns=[asdict(column) for column in chosen],
        options=options,
    )
    await store.remember_mapping(tx, actor.workspace_id, row.fingerprint, command.targets, options)
    return await queries.get_import(tx, actor, import_id=import_id)


async def changeable(tx: Transaction, actor: Actor, *, import_id: UUID) -> Any:  # noqa: ANN401  a row of imports
    """The import, locked, if its mapping can be changed. Raises: ImportNotFound, ImportNotReady."""
    row = await store.lock(tx, actor.workspace_id, import_id)
    if row is None:
        raise ImportNotFound
    if row.status not in CHANGEABLE or row.changeset_id is not None or not row.format:
        message = f"The import is {row.status}. Its mapping can be changed before it is committed, between two steps."
        raise ImportNotReady(message)
    return row


def format_of(stored: dict[str, Any]) -> FileFormat:
    """A format as it was stored."""
    return FileFormat(
        FileKind(stored["kind"]),
        stored["header"],
        stored["encoding"] or "utf-8",
        Delimiter(stored["delimiter"] or ","),
        stored["sheet"],
    )


def _stored_format(found: FileFormat) -> dict[str, Any]:
    text = found.kind is FileKind.CSV
    return {
        "kind": found.kind,
        "header": found.header,
        "encoding": found.encoding if text else None,
        "delimiter": found.delimiter if text else None,
        "sheet": found.sheet,
    }


def _analyse_workbook(file: IO[bytes], wanted: FileFormat | None) -> Analysis:
    sheets = workbook.sheets_of(file)
    sheet = wanted.sheet if wanted and wanted.sheet else sheets[0]
    file.seek(0)
    records = list(islice(workbook.read(file, sheet=sheet), SAMPLE_ROWS))
    header = wanted.header if wanted else has_header([record.cells for record in records])
    return _analysed(FileFormat(FileKind.XLSX, header, sheet=sheet), sheets, records)


def _analysed(found: FileFormat, sheets: list[str], records: Sequence[Record]) -> Analysis:
    if not records:
        raise UnreadableFile("The file has no rows. Choose one with a row of column names and a row for each lead.")
    rows = [record.cells for record in records]
    header = [cell.strip() for cell in rows[0]] if found.header else None
    data = rows[1:] if found.header else rows
    columns = guess_columns(header, data)
    sample = [[cell[:SHOWN_CHARACTERS] for cell in row] for row in data[:SHOWN_ROWS]]
    return Analysis(found, sheets, columns, sample, fingerprint(header, len(columns)))


def _check_targets(targets: Sequence[str], width: int) -> None:
    faults: list[FieldError] = []
    if len(targets) != width:
        faults.append(FieldError("/targets", "invalid_format", f"Give {width} targets: one for each column."))
    if Target.EMAIL not in targets:
        message = "Map one column to email: leads are told apart by it."
        faults.append(FieldError("/targets", "required", message))
    seen: set[str] = set()
    for index, target in enumerate(targets):
        if target in seen and target != Target.IGNORE:
            faults.append(FieldError(f"/targets/{index}", "duplicate", "Map each target to one column only."))
        seen.add(target)
    if faults:
        raise InvalidInput("The mapping is not valid.", errors=faults)
