"""SQL that writes imports. Every state change names the expected state and the job that works on it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.imports.contracts import ImportOptions
from leadflood.domains.imports.errors import ImportNotReady
from leadflood.domains.imports.models.column_detection import Analysis, DetectedColumn
from leadflood.domains.imports.models.format import FileFormat, KnownFile, format_of, stored_format
from leadflood.domains.imports.models.states import ImportStatus
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import EMPTY, Sql, assemble, sql
from leadflood.kernel.db.transaction import Transaction

_CLEARED = 50_000

# A new import.
_INSERT = sql("""
INSERT INTO imports (workspace_id, id, filename, actor_kind, actor_id, phase_started_at)
VALUES (:workspace_id, :import_id, :filename, :actor_kind, :actor_id, now())
""")

# The next piece of a file.
_APPEND_CHUNK = sql("""
INSERT INTO import_chunks (workspace_id, import_id, number, data) VALUES (:workspace_id, :import_id, :number, :data)
""")

# An import, as its verbs need it.
_SELECT = sql("""
SELECT workspace_id, id, filename, status, actor_kind, actor_id, size_bytes, utf8, invalid_bytes, format, sheets,
       columns, fingerprint, options, job_id, changeset_id, staged_through, row_count, counts, fields, faults, filled,
       committed_through, enriched_through, related_through
FROM imports WHERE workspace_id = :workspace_id AND id = :import_id{condition} FOR NO KEY UPDATE
""")
# Lock an import.
_LOCK = assemble(_SELECT, condition=EMPTY)
# Lock an import that a job works on.
_LOCK_FOR_JOB = assemble(_SELECT, condition=sql(" AND status = :expected AND job_id = :job_id"))

# Change the state of an import from the expected one.
_TRANSITION = sql("""
UPDATE imports SET status = :status, updated_at = now(){more}
WHERE workspace_id = :workspace_id AND id = :import_id AND status = ANY(:expected)
""")
# Change the state of an import.
_CHANGE_STATUS = assemble(_TRANSITION, more=EMPTY)
# End a phase.
_END = assemble(_TRANSITION, more=sql(", finished_at = now()"))
# All rows are staged.
_END_STAGING = assemble(_TRANSITION, more=sql(", finished_at = now(), staged_bytes = size_bytes"))
# The upload is complete, and uses exactly its size.
_END_UPLOAD = assemble(
    _TRANSITION,
    more=sql("""
, size_bytes = :size, reserved_bytes = NULL, sha256 = :sha256, utf8 = :utf8, invalid_bytes = :invalid_bytes
"""),
)
# Set mapping and options.
_SET_MAPPING = assemble(_TRANSITION, more=sql(", columns = :columns, options = :options"))
# Start a preview at the first row.
_START_STAGING = assemble(
    _TRANSITION,
    more=sql("""
, job_id = :job_id, error = NULL, phase_started_at = now(), phase_offset = 0, staged_bytes = 0, staged_through = 0,
row_count = 0, counts = '{}', fields = '{}', faults = '{}', filled = '{}', finished_at = NULL
"""),
)
# Start or resume a commit.
_START_WRITING = assemble(
    _TRANSITION,
    more=sql("""
, job_id = :job_id, error = NULL, phase_started_at = now(), phase_offset = :offset, changeset_id = :changeset_id
"""),
)
# Resume an import that failed in this same job.
_RESUME = assemble(_TRANSITION, more=sql(", error = NULL"))
_RESUME_FOR_JOB = assemble(sql("{resume} AND job_id = :job_id"), resume=_RESUME)
# The job failed.
_FAIL = assemble(
    sql("{end} AND job_id = :job_id"), end=assemble(_TRANSITION, more=sql(", error = :error, finished_at = now()"))
)

# The current time, not the transaction's: a rate includes the work of the transaction.
_SET = sql("""
UPDATE imports SET updated_at = clock_timestamp(), {more} WHERE workspace_id = :workspace_id AND id = :import_id
""")
# Progress of an upload.
_SET_SIZE = assemble(_SET, more=sql("size_bytes = :size"))
# The result of the analysis.
_SET_ANALYSIS = assemble(
    _SET,
    more=sql("""
format = :format, sheets = :sheets, columns = :columns, sample = :sample, fingerprint = :fingerprint,
options = :options, notices = :notices
"""),
)
# Progress of staging.
_SET_STAGED = assemble(
    _SET,
    more=sql("""
staged_through = :through, staged_bytes = :bytes, row_count = :row_count, counts = :counts, fields = :fields,
faults = :faults, filled = :filled
"""),
)
# Progress of the commit.
_SET_WRITTEN = assemble(_SET, more=sql("committed_through = :through, counts = :counts"))
# The last row whose enrichment is queued.
_SET_ENRICHED = assemble(_SET, more=sql("enriched_through = :through"))
# Start a new phase, with no progress.
_RESTART_CLOCK = assemble(_SET, more=sql("phase_started_at = now(), phase_offset = 0"))

# Delete some rows of an earlier preview.
_CLEAR_ROWS = sql("""
DELETE FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no IN (
    SELECT row_no FROM import_rows WHERE workspace_id = :workspace_id AND import_id = :import_id LIMIT :batch)
""")

# An import with its file and rows.
_REMOVE = (
    sql("DELETE FROM import_rows WHERE workspace_id = :workspace_id AND import_id = :import_id"),
    sql("DELETE FROM import_chunks WHERE workspace_id = :workspace_id AND import_id = :import_id"),
    sql("DELETE FROM imports WHERE workspace_id = :workspace_id AND id = :import_id"),
)

# The mapping for the next file with the same columns.
_REMEMBER_MAPPING = sql("""
INSERT INTO import_mappings (workspace_id, fingerprint, targets, options, updated_at)
VALUES (:workspace_id, :fingerprint, :targets, :options, now())
ON CONFLICT (workspace_id, fingerprint)
DO UPDATE SET targets = excluded.targets, options = excluded.options, updated_at = excluded.updated_at
""")


@dataclass(frozen=True, slots=True)
class StoredImport:
    """A stored import, locked for the transaction that read it."""

    workspace_id: UUID
    id: UUID
    filename: str
    status: ImportStatus
    actor: Actor
    """The actor who started it, as shown in the timeline and the audit log; without permissions."""
    size_bytes: int
    utf8: bool
    invalid_bytes: int
    format: FileFormat | None
    sheets: list[str]
    columns: list[DetectedColumn]
    fingerprint: str | None
    options: ImportOptions
    job_id: UUID | None
    changeset_id: UUID | None
    staged_through: int
    row_count: int
    counts: dict[str, int]
    fields: dict[str, dict[str, int]]
    faults: dict[str, int]
    filled: list[str]
    committed_through: int
    enriched_through: int
    related_through: int

    @property
    def key(self) -> dict[str, UUID]:
        """Key parameters of statements."""
        return {"workspace_id": self.workspace_id, "import_id": self.id}

    @property
    def changeset(self) -> UUID:
        """The changeset of an import whose commit has started."""
        if self.changeset_id is None:
            raise RuntimeError("This import hasn't been committed.")
        return self.changeset_id


@dataclass(frozen=True, slots=True)
class StagedSoFar:
    """Progress of staging.

    Attributes:
        through: number of the last row.
        position: bytes of the file read so far.
        rows: number of rows.
        counts: number of rows by action.
        fields: number of existing leads by field and effect.
        faults: number of rows by field and code.
        filled: keys of custom fields with values.
    """

    through: int
    position: int
    rows: int
    counts: Mapping[str, int]
    fields: Mapping[str, Mapping[str, int]]
    faults: Mapping[str, int]
    filled: Sequence[str]


async def insert_import(tx: Transaction, actor: Actor, *, import_id: UUID, filename: str) -> None:
    """Insert an import, `uploading`."""
    values = {"import_id": import_id, "filename": filename, "actor_kind": actor.kind, "actor_id": actor.id}
    await tx.execute(_INSERT, {"workspace_id": actor.workspace_id, **values})


async def append_chunk(tx: Transaction, workspace_id: UUID, import_id: UUID, number: int, data: bytes) -> None:
    """Store the next part of a file."""
    values = {"import_id": import_id, "number": number, "data": data}
    await tx.execute(_APPEND_CHUNK, {"workspace_id": workspace_id, **values})


async def lock(tx: Transaction, workspace_id: UUID, import_id: UUID) -> StoredImport | None:
    """An import, locked for this transaction."""
    return _stored(await tx.first(_LOCK, {"workspace_id": workspace_id, "import_id": import_id}))


async def lock_for_job(
    tx: Transaction, workspace_id: UUID, import_id: UUID, *, expected: ImportStatus, job_id: UUID | None
) -> StoredImport | None:
    """The import, locked, if it is in the expected state and is this job's: no other job works on it meanwhile."""
    values = {"import_id": import_id, "expected": expected, "job_id": job_id}
    return _stored(await tx.first(_LOCK_FOR_JOB, {"workspace_id": workspace_id, **values}))


async def change_status(tx: Transaction, found: StoredImport, status: ImportStatus) -> None:
    """Change the state of a locked import."""
    await _transition(tx, _CHANGE_STATUS, found, status)


async def end_phase(tx: Transaction, found: StoredImport, status: ImportStatus) -> None:
    """End the current phase of a locked import."""
    await _transition(tx, _END_STAGING if status is ImportStatus.PREVIEWED else _END, found, status)


async def set_mapping(
    tx: Transaction, found: StoredImport, columns: Sequence[DetectedColumn], options: Mapping[str, Any]
) -> None:
    """Set mapping and options of a locked import."""
    values = {"columns": _columns(columns), "options": json.dumps(options)}
    await _transition(tx, _SET_MAPPING, found, ImportStatus.UPLOADED, **values)


async def start_staging(tx: Transaction, found: StoredImport, job_id: UUID) -> None:
    """Start a preview of a locked import at its first row."""
    await _transition(tx, _START_STAGING, found, ImportStatus.STAGING, job_id=job_id)


async def start_writing(tx: Transaction, found: StoredImport, job_id: UUID, *, changeset_id: UUID, offset: int) -> None:
    """Start or resume the commit of a locked import. `offset`: rows already done."""
    values = {"job_id": job_id, "changeset_id": changeset_id, "offset": offset}
    await _transition(tx, _START_WRITING, found, ImportStatus.COMMITTING, **values)


async def end_upload(tx: Transaction, workspace_id: UUID, import_id: UUID, *, known: KnownFile, sha256: bytes) -> bool:
    """The file is complete: `uploaded`. False if the import was removed meanwhile."""
    values = {"import_id": import_id, "size": known.size, "sha256": sha256}
    values |= {"utf8": known.utf8, "invalid_bytes": known.invalid_bytes}
    values |= {"expected": [ImportStatus.UPLOADING], "status": ImportStatus.UPLOADED}
    return await tx.changed(_END_UPLOAD, {"workspace_id": workspace_id, **values}) == 1


async def resume(tx: Transaction, workspace_id: UUID, import_id: UUID, *, status: ImportStatus, job_id: UUID) -> None:
    """Resume an import that failed in this same job, if it did, now that the job is retried."""
    values = {"import_id": import_id, "expected": [ImportStatus.FAILED], "status": status, "job_id": job_id}
    await tx.execute(_RESUME_FOR_JOB, {"workspace_id": workspace_id, **values})


async def fail(tx: Transaction, workspace_id: UUID, import_id: UUID, *, job_id: UUID, error: str) -> None:
    """Mark an import as failed after its job. One that the job does not work on is unchanged."""
    values = {"import_id": import_id, "job_id": job_id, "error": error, "status": ImportStatus.FAILED}
    values["expected"] = [ImportStatus.STAGING, ImportStatus.COMMITTING]
    await tx.execute(_FAIL, {"workspace_id": workspace_id, **values})


async def set_size(tx: Transaction, workspace_id: UUID, import_id: UUID, size: int) -> None:
    """Store the progress of an upload."""
    await tx.execute(_SET_SIZE, {"workspace_id": workspace_id, "import_id": import_id, "size": size})


async def set_analysis(
    tx: Transaction, workspace_id: UUID, import_id: UUID, analysis: Analysis, options: Mapping[str, Any]
) -> None:
    """Store the result of the analysis, and the options."""
    values = {
        "format": json.dumps(stored_format(analysis.format)),
        "sheets": analysis.sheets,
        "columns": _columns(analysis.columns),
        "sample": json.dumps(analysis.sample),
        "fingerprint": analysis.fingerprint,
        "options": json.dumps(options),
        "notices": json.dumps([asdict(notice) for notice in analysis.notices]),
    }
    await tx.execute(_SET_ANALYSIS, {"workspace_id": workspace_id, "import_id": import_id, **values})


async def set_staged(tx: Transaction, found: StoredImport, staged: StagedSoFar) -> None:
    """Store the progress of staging."""
    values = {
        "through": staged.through,
        "bytes": staged.position,
        "row_count": staged.rows,
        "counts": json.dumps(staged.counts),
        "fields": json.dumps(staged.fields),
        "faults": json.dumps(staged.faults),
        "filled": [*staged.filled],
    }
    await tx.execute(_SET_STAGED, {**found.key, **values})


async def set_written(tx: Transaction, found: StoredImport, *, through: int, counts: Mapping[str, int]) -> None:
    """Store the progress of the commit, and the results of its rows."""
    await tx.execute(_SET_WRITTEN, {**found.key, "through": through, "counts": json.dumps(counts)})


async def set_enriched(tx: Transaction, found: StoredImport, *, through: int) -> None:
    """Store the last row whose enrichment is queued."""
    await tx.execute(_SET_ENRICHED, {**found.key, "through": through})


async def restart_clock(tx: Transaction, found: StoredImport) -> None:
    """Restart the measurement of a locked import's speed."""
    await tx.execute(_RESTART_CLOCK, found.key)


async def clear_rows(tx: Transaction, workspace_id: UUID, import_id: UUID) -> int:
    """Delete some rows of an earlier preview. Returns the number; 0 when none is left."""
    values = {"workspace_id": workspace_id, "import_id": import_id, "batch": _CLEARED}
    return await tx.changed(_CLEAR_ROWS, values)


async def remove(tx: Transaction, workspace_id: UUID, import_id: UUID) -> None:
    """Delete an import with its file and rows. Written leads stay."""
    for statement in _REMOVE:
        await tx.execute(statement, {"workspace_id": workspace_id, "import_id": import_id})


async def remember_mapping(
    tx: Transaction, found: StoredImport, targets: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Remember a mapping for files with the same columns."""
    values = {"fingerprint": found.fingerprint, "targets": list(targets), "options": json.dumps(options)}
    await tx.execute(_REMEMBER_MAPPING, {**found.key, **values})


async def _transition(
    tx: Transaction, statement: Sql, found: StoredImport, status: ImportStatus, **values: object
) -> None:
    """Raises: ImportNotReady: the import has changed meanwhile."""
    if not await tx.changed(statement, {**found.key, "expected": [found.status], "status": status, **values}):
        raise ImportNotReady("This import was just changed. Reload and try again.")


def _stored(row: Row | None) -> StoredImport | None:
    if row is None:
        return None
    values = dict(row)
    kind, actor_id = ActorKind(values.pop("actor_kind")), values.pop("actor_id")
    values["actor"] = Actor.requester(row.workspace_id, kind, actor_id)
    values["status"] = ImportStatus(row.status)
    values["format"] = format_of(row.format) if row.format else None
    values["columns"] = [DetectedColumn(**column) for column in row.columns]
    values["options"] = ImportOptions.model_validate(row.options)
    return StoredImport(**values)


def _columns(columns: Sequence[DetectedColumn]) -> str:
    return json.dumps([asdict(column) for column in columns])
