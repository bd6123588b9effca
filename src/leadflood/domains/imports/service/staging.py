"""The rows of a file become staged rows, each with what it would do."""

import json
from collections.abc import Generator, Iterator, Mapping
from itertools import chain
from typing import IO, Any
from uuid import UUID

from sqlalchemy import Row, func

from leadflood.domains.identity import queries as identity
from leadflood.domains.imports import store
from leadflood.domains.imports.adapters import delimited, workbook
from leadflood.domains.imports.contracts import ImportOptions, options_of
from leadflood.domains.imports.contracts.rows import RowReader, StagedRow
from leadflood.domains.imports.contracts.stored import Defaults, LeadColumns
from leadflood.domains.imports.models.fields import API_NAMES
from leadflood.domains.imports.models.format import FileKind, Record
from leadflood.domains.imports.models.states import ImportStatus, RowAction
from leadflood.domains.imports.service.mapping import format_of
from leadflood.domains.imports.store import staging
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Transaction
from leadflood.kernel.errors import FieldError
from leadflood.kernel.ids import new_id

BATCH = 5000
"""Rows of one transaction."""
DEFAULT_SOURCE = "import"
_PAGE = 200
_NO_LEAD = (None,) * len(LeadColumns._fields)

Batch = tuple[list[tuple[Any, ...]], dict[str, int], int]
"""Rows in the order of `store.staging.COLUMNS`, how often each fault was found in them, and the bytes read by then."""


async def owners(tx: Transaction, actor: Actor) -> dict[str, UUID]:
    """The members of the workspace, by id and by address, in lower case."""
    found: dict[str, UUID] = {}
    after = None
    while True:
        page = await identity.list_members(tx, actor, after=after, limit=_PAGE)
        for member in page.items:
            found[str(member.id)] = found[member.email.lower()] = member.id
        if page.after is None:
            return found
        after = page.after


def batches(file: IO[bytes], row: Row[Any], members: Mapping[str, UUID]) -> Generator[Batch, None, None]:
    """What is left to stage of an import. Blocks: call each step in a thread. Raises: UnreadableFile."""
    options = options_of(row.options)
    defaults = Defaults(options.source or DEFAULT_SOURCE, options.owner_id, options.country)
    targets = [column["target"] for column in row.columns]
    reader = RowReader(targets, owners=members, defaults=defaults, invalid=options.invalid)
    records = _records(file, row)
    if row.format["header"]:
        next(records, None)
    batch: list[tuple[Any, ...]] = []
    faults: dict[str, int] = {}
    for record in records:
        if record.number <= row.staged_through:
            continue
        staged = reader.read(record.number, record.cells)
        batch.append(_record(staged))
        for fault in staged.faults:
            key = f"{fault.pointer or '/'} {fault.code}"
            faults[key] = faults.get(key, 0) + 1
        if len(batch) == BATCH:
            yield batch, faults, min(file.tell(), row.size_bytes)
            batch, faults = [], {}
    if batch:
        yield batch, faults, row.size_bytes


async def hand_over(tx: Transaction, batch: Batch) -> None:
    """Send one batch to PostgreSQL, for `stage_batch` in the same transaction."""
    await staging.hand_over(tx, batch[0])


async def stage_batch(tx: Transaction, actor: Actor, row: Row[Any], batch: Batch) -> None:
    """Stage what was handed over of an import that this transaction holds, and count what its rows would do."""
    records, faults, position = batch
    rules = rules_of(options_of(row.options))
    judged = await staging.judge_rows(tx, actor.workspace_id, row.id, rules, first=records[0][0])
    fields = {name: dict(each) for name, each in row.fields.items()}
    for what, counter in (("changed", judged.changed), ("kept", judged.kept)):
        for name, count in counter.items():
            fields.setdefault(name, {})[what] = fields.get(name, {}).get(what, 0) + count
    await store.set_fields(
        tx,
        actor.workspace_id,
        row.id,
        staged_through=records[-1][0],
        staged_bytes=position,
        row_count=row.row_count + len(records),
        counts=_added(row.counts, judged.actions),
        fields=fields,
        faults=_added(row.faults, faults),
    )


async def finish_staging(tx: Transaction, actor: Actor, row: Row[Any]) -> None:
    """All rows are staged: the import is `previewed`."""
    staging_, previewed = ImportStatus.STAGING, ImportStatus.PREVIEWED
    values = {"staged_bytes": row.size_bytes, "finished_at": func.now()}
    await store.move(tx, actor.workspace_id, row.id, expected=[staging_], status=previewed, **values)


def rules_of(options: ImportOptions) -> staging.Rules:
    """What decides what rows do."""
    policies = {column: options.fields.get(name, options.existing) for column, name in API_NAMES.items()}
    return staging.Rules(options.mode, options.duplicates, policies)


def _records(file: IO[bytes], row: Row[Any]) -> Iterator[Record]:
    found = format_of(row.format)
    if found.kind is FileKind.XLSX:
        return workbook.read(file, sheet=found.sheet)
    return delimited.read(file, encoding=found.encoding, delimiter=found.delimiter)


def _record(staged: StagedRow) -> tuple[Any, ...]:
    """A row in the order of `store.staging.COLUMNS`."""
    faults = json.dumps([_fault(each) for each in staged.faults]) if staged.faults else None
    if staged.lead is not None:
        return (staged.number, None, None, new_id(), *staged.lead, faults, None)
    if staged.blank:
        return (staged.number, RowAction.SKIP.value, "empty_row", None, *_NO_LEAD, faults, None)
    return (staged.number, RowAction.REJECT.value, None, None, *_NO_LEAD, faults, json.dumps(staged.raw))


def _fault(fault: FieldError) -> dict[str, str]:
    return {"field": fault.pointer, "code": fault.code, "message": fault.message}


def _added(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) + more.get(name, 0) for name in [*dict.fromkeys(chain(counts, more))]}
