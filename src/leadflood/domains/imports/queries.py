"""SQL that reads imports, their rows and their files."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from leadflood.domains.imports.contracts import (
    ColumnView,
    FieldCount,
    FormatView,
    ImportDetail,
    ImportOptions,
    ImportRowView,
    ImportView,
    NoticeView,
    ProgressView,
    RowError,
)
from leadflood.domains.imports.errors import ImportNotFound
from leadflood.domains.imports.models.fields import API_NAMES
from leadflood.domains.imports.models.states import ImportStage, ImportStatus, RowAction
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.models import ChangesetStatus
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import EMPTY, assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut

_IMPORTS = sql_file("leadflood.domains.imports.sql", "imports")
# Columns of an import for lists.
_LIST = assemble(_IMPORTS, more=EMPTY)
# An import with what is needed to map it.
_DETAIL = assemble(_IMPORTS, more=sql(", i.format, i.sheets, i.columns, i.sample, i.options, i.notices"))

_MAX_NAMES: Final = 200

# The rows of an import in the order of the file.
_ROWS = assemble(
    sql("""
SELECT row_no, action, reason, duplicate_of, lead_id, {fields}, custom_fields, changes, faults, raw
FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id
  AND (:action::text IS NULL OR action = :action) AND (NOT :with_errors::boolean OR faults IS NOT NULL)
  AND (:after::integer IS NULL OR row_no > :after)
ORDER BY row_no LIMIT :rows
"""),
    fields=LEAD_FIELDS.columns,
)

# The mapping of an earlier file with the same columns.
_MAPPING = sql("""
SELECT targets, options FROM import_mappings WHERE workspace_id = :workspace_id AND fingerprint = :fingerprint
""")

# A part of a file.
_CHUNK = sql("""
SELECT data FROM import_chunks
WHERE workspace_id = :workspace_id AND import_id = :import_id AND number = :number
""")

# File names of imports.
_FILENAMES = sql(
    "SELECT id, filename FROM imports WHERE workspace_id = :workspace_id AND id = ANY (:import_ids::uuid[])"
)

_PHASES_OF_WRITING: Final = frozenset({ImportStatus.COMMITTING, ImportStatus.PAUSED, ImportStatus.COMMITTED})


@dataclass(frozen=True, slots=True)
class KnownMapping:
    """The mapping and options of an earlier import of a file with the same columns."""

    targets: list[str]
    options: dict[str, Any]


async def get_import(tx: Transaction, actor: Actor, *, import_id: UUID) -> ImportDetail:
    """Raises: ImportNotFound."""
    values = {"workspace_id": actor.workspace_id, "import_id": import_id, "before_id": None, "rows": 1}
    row = await tx.first(_DETAIL, values)
    if row is None:
        raise ImportNotFound
    columns = [ColumnView(**column) for column in row.columns]
    return ImportDetail(
        **_shown(row),
        format=FormatView(sheets=row.sheets, **row.format) if row.format else None,
        columns=columns,
        notices=[NoticeView(**notice) for notice in row.notices],
        sample=row.sample,
        options=ImportOptions.model_validate(row.options),
    )


async def list_imports(tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int) -> Page[ImportView]:
    """The imports of the workspace, newest first."""
    values = {"import_id": None, "before_id": after and after.id, "rows": limit + 1}
    rows = await tx.all(_LIST, {"workspace_id": actor.workspace_id, **values})
    return cut(rows, limit, lambda row: Position.at(row.created_at, row.id)).map(lambda row: ImportView(**_shown(row)))


async def import_names(tx: Transaction, actor: Actor) -> dict[str, str]:
    """File names of the newest 200 imports, by ID."""
    page = await list_imports(tx, actor, limit=_MAX_NAMES)
    return {str(each.id): each.filename for each in page.items}


async def filenames(tx: Transaction, actor: Actor, *, import_ids: Collection[str]) -> dict[str, str]:
    """File names of imports, by ID. Imports that were deleted are missing."""
    if not import_ids:
        return {}
    rows = await tx.all(_FILENAMES, {"workspace_id": actor.workspace_id, "import_ids": [*map(UUID, import_ids)]})
    return {str(row.id): row.filename for row in rows}


async def list_rows(
    tx: Transaction,
    actor: Actor,
    *,
    import_id: UUID,
    action: RowAction | None = None,
    with_errors: bool = False,
    after: Position | None = None,
    limit: int,
) -> Page[ImportRowView]:
    """The rows of an import in the order of the file. `with_errors`: those with values that are left out or invalid.

    Raises: ImportNotFound.
    """
    await get_import(tx, actor, import_id=import_id)
    values: dict[str, Any] = {"import_id": import_id, "action": action, "with_errors": with_errors}
    values |= {"after": after and after.number, "rows": limit + 1}
    rows = await tx.all(_ROWS, {"workspace_id": actor.workspace_id, **values})
    return cut(rows, limit, lambda row: Position.at(row.row_no, import_id)).map(_row_view)


async def known_mapping(tx: Transaction, workspace_id: UUID, fingerprint: str) -> KnownMapping | None:
    """The mapping of an earlier file with the same columns."""
    row = await tx.first(_MAPPING, {"workspace_id": workspace_id, "fingerprint": fingerprint})
    return None if row is None else KnownMapping(**row)


async def read_chunk(tx: Transaction, workspace_id: UUID, import_id: UUID, number: int) -> bytes | None:
    """A part of a file; None after the last."""
    values = {"workspace_id": workspace_id, "import_id": import_id, "number": number}
    found: bytes | None = await tx.scalar(_CHUNK, values)
    return found


async def rejected_rows(
    database: Database, actor: Actor, *, import_id: UUID, batch: int = 1000
) -> AsyncIterator[Sequence[ImportRowView]]:
    """The rejected rows with their errors, in batches."""
    after = 0
    while True:
        values = {"import_id": import_id, "action": RowAction.REJECT, "with_errors": False, "after": after}
        async with database.transaction(actor.workspace_id, read_only=True) as tx:
            rows = await tx.all(_ROWS, {"workspace_id": actor.workspace_id, **values, "rows": batch})
        if not rows:
            return
        yield [_row_view(row) for row in rows]
        after = rows[-1].row_no


def _shown(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "filename": row.filename,
        "status": _stage(row),
        "size_bytes": row.size_bytes,
        "sha256": row.sha256.hex() if row.sha256 else None,
        "actor": ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        "progress": _progress(row),
        "counts": {action: row.counts.get(action, 0) for action in RowAction},
        "fields": {
            API_NAMES[name]: FieldCount(changed=field.get("changed", 0), skipped=field.get("kept", 0))
            for name, field in row.fields.items()
        },
        "errors": row.faults,
        "job_id": row.job_id,
        "changeset_id": row.changeset_id,
        "reverted": row.undone,
        "kept_fields": row.kept,
        "error": row.error,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }


def _stage(row: Row) -> ImportStage:
    if row.changeset_status in (ChangesetStatus.UNDOING, ChangesetStatus.UNDONE):
        return ImportStage(row.changeset_status)
    return ImportStage(row.status)


def _progress(row: Row) -> ProgressView:
    stage = _stage(row)
    writing = row.status in _PHASES_OF_WRITING or row.done
    total = row.row_count if row.status != ImportStatus.STAGING else None
    done, latest = row.row_count, row.updated_at
    if stage in (ImportStage.UNDOING, ImportStage.UNDONE):
        done, total, latest = row.undone, row.written, row.changeset_updated_at
    elif writing:
        done, total = row.done or 0, row.wanted or 0
    seconds = (latest - row.phase_started_at).total_seconds() if row.phase_started_at else 0.0
    rate = round((done - row.phase_offset) / seconds, 1) if seconds > 0 and done > row.phase_offset else None
    return ProgressView(
        bytes_done=row.staged_bytes,
        bytes_total=row.size_bytes,
        rows_done=done,
        rows_total=total,
        rows_per_second=rate,
        seconds_left=_left(row, done, total, rate, seconds),
    )


def _left(row: Row, done: int, total: int | None, rate: float | None, seconds: float) -> float | None:
    if row.status == ImportStatus.STAGING and row.staged_bytes and seconds > 0:
        left: float = seconds * (row.size_bytes - row.staged_bytes) / row.staged_bytes
        return round(left, 1)
    if total is None or not rate or done >= total:
        return None
    return round((total - done) / rate, 1)


def _row_view(row: Row) -> ImportRowView:
    values = {name: _plain(getattr(row, column)) for column, name in API_NAMES.items()}
    return ImportRowView(
        row=row.row_no,
        action=RowAction(row.action),
        reason=row.reason,
        duplicate_of=row.duplicate_of,
        lead_id=row.lead_id,
        email=row.email,
        values={name: value for name, value in values.items() if value is not None},
        changes={api_name(name): change for name, change in (row.changes or {}).items()},
        errors=[RowError(**error) for error in row.faults or ()],
        cells=row.raw,
    )


def api_name(field: str) -> str:
    """A field of a lead by its API name; `custom_fields.plan` is `customFields.plan`."""
    column, dot, key = field.partition(".")
    return f"{API_NAMES[column]}{dot}{key}"


def _plain(value: object) -> Any:  # noqa: ANN401  JSON
    return str(value) if isinstance(value, UUID) else value
