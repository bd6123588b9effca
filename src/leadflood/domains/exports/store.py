"""SQL that writes exports. Every state change names the expected state and the job that works on it."""

import json
from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.exports.models import (
    DAYS_KEPT,
    ExportFormat,
    ExportLayout,
    HeaderStyle,
    Selection,
    UnfinishedExport,
)
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.filters import written
from leadflood.kernel.pagination import Position

_BATCH = 64

# Store a new export, to be written.
INSERT = sql("""
INSERT INTO exports (workspace_id, id, format, columns, headers, bom, filter, lead_ids, actor_kind, actor_id, job_id)
VALUES (:workspace_id, :id, :format, :columns, :headers, :bom, :filter, :lead_ids, :actor_kind, :actor_id, :job_id)
""")

# Resume an export that failed in the same job.
RESUME = sql("""
UPDATE exports SET status = 'writing', error = NULL, finished_at = NULL, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :id AND job_id = :job_id AND status = 'failed'
""")

# Lock an export that a job writes.
LOCK = sql("""
SELECT format, columns, headers, bom, filter, lead_ids, resolved, total, done, parts, position FROM exports
WHERE workspace_id = :workspace_id AND id = :id AND job_id = :job_id AND status = 'writing' AND expires_at > now()
FOR NO KEY UPDATE
""")

# Store the result of a scan.
SET_SURVEY = sql("""
UPDATE exports SET resolved = :columns, total = :total, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :id
""")

# Restart an export with its first lead.
RESTART = sql("""
UPDATE exports SET parts = 0, size_bytes = 0, done = 0, position = NULL, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :id
""")

# Store a part of the file of a locked export.
INSERT_PART = sql("""
INSERT INTO export_parts (workspace_id, export_id, number, data) VALUES (:workspace_id, :id, :number, :data)
""")

# Store the progress of a locked export.
ADVANCE = sql("""
UPDATE exports SET parts = parts + :parts, size_bytes = size_bytes + :size, done = done + :written,
    position = coalesce(:position, position), updated_at = now()
WHERE workspace_id = :workspace_id AND id = :id
""")

# Finish a locked export, and start the retention period of its file.
FINISH = sql("""
UPDATE exports
SET status = 'ready', finished_at = now(), expires_at = now() + make_interval(days => :days), updated_at = now()
WHERE workspace_id = :workspace_id AND id = :id
""")

# Delete some parts of an export.
CLEAR_PARTS = sql("""
DELETE FROM export_parts
WHERE workspace_id = :workspace_id AND export_id = :id AND number IN (
    SELECT number FROM export_parts WHERE workspace_id = :workspace_id AND export_id = :id LIMIT :limit)
""")

# Mark an export as failed whose job could not write it.
FAIL = sql("""
UPDATE exports SET status = 'failed', error = :error, updated_at = now(), finished_at = now()
WHERE workspace_id = :workspace_id AND id = :id AND job_id = :job_id AND status = 'writing'
""")

# Expire an export now.
EXPIRE = sql("""
UPDATE exports SET expires_at = now(), updated_at = now()
WHERE workspace_id = :workspace_id AND id = :id AND expires_at > now()
""")

# Delete some parts of expired exports, in all workspaces.
PURGE_PARTS = sql("""
DELETE FROM export_parts WHERE (workspace_id, export_id, number) IN (
    SELECT p.workspace_id, p.export_id, p.number FROM exports e
    JOIN export_parts p ON p.workspace_id = e.workspace_id AND p.export_id = e.id
    WHERE e.expires_at <= now() LIMIT :batch)
""")

# Delete some expired exports that have no parts, in all workspaces.
PURGE_EXPIRED = sql("""
DELETE FROM exports WHERE (workspace_id, id) IN (
    SELECT e.workspace_id, e.id FROM exports e
    WHERE e.expires_at <= now()
      AND NOT EXISTS (SELECT FROM export_parts p WHERE p.workspace_id = e.workspace_id AND p.export_id = e.id)
    LIMIT :batch)
""")


async def insert_export(
    tx: Transaction,
    actor: Actor,
    *,
    export_id: UUID,
    job_id: UUID,
    layout: ExportLayout,
    selection: Selection,
) -> None:
    """Insert an export, `writing`."""
    row = {"workspace_id": actor.workspace_id, "id": export_id, "job_id": job_id}
    file = {"format": layout.format, "columns": [*layout.columns], "headers": layout.headers, "bom": layout.bom}
    chosen = None if selection.lead_ids is None else [*selection.lead_ids]
    file |= {"filter": json.dumps(written(selection.filters.whole)), "lead_ids": chosen}
    await tx.execute(INSERT, {**row, **file, "actor_kind": actor.kind, "actor_id": actor.id})


async def resume(tx: Transaction, workspace_id: UUID, export_id: UUID, *, job_id: UUID) -> None:
    """Resume an export that failed in this same job, now that the job is retried."""
    await tx.execute(RESUME, {"workspace_id": workspace_id, "id": export_id, "job_id": job_id})


async def lock(tx: Transaction, workspace_id: UUID, export_id: UUID, *, job_id: UUID) -> UnfinishedExport | None:
    """The export, locked, if this job is to write it; None if it was deleted meanwhile."""
    row = await tx.first(LOCK, {"workspace_id": workspace_id, "id": export_id, "job_id": job_id})
    if row is None:
        return None
    return UnfinishedExport(
        workspace_id=workspace_id,
        id=export_id,
        layout=ExportLayout(ExportFormat(row.format), row.columns, HeaderStyle(row.headers), row.bom),
        filter=row.filter,
        lead_ids=row.lead_ids,
        resolved=row.resolved,
        total=row.total,
        done=row.done,
        parts=row.parts,
        position=Position(row.position[0], UUID(row.position[1])) if row.position else None,
    )


async def set_survey(tx: Transaction, export: UnfinishedExport, *, columns: Sequence[str], total: int) -> None:
    """Store the columns of the file and the number of leads."""
    values = {"columns": list(columns), "total": total}
    await tx.execute(SET_SURVEY, {"workspace_id": export.workspace_id, "id": export.id, **values})


async def restart(tx: Transaction, workspace_id: UUID, export_id: UUID) -> int:
    """Delete some output of an earlier attempt. Returns the number of parts; 0 when nothing is left."""
    key = {"workspace_id": workspace_id, "id": export_id}
    await tx.execute(RESTART, key)
    return await tx.changed(CLEAR_PARTS, {**key, "limit": _BATCH})


async def append_part(
    tx: Transaction, export: UnfinishedExport, data: bytes, *, written: int, position: Position | None
) -> None:
    """Store the next part of a locked file (if any), and the progress."""
    key = {"workspace_id": export.workspace_id, "id": export.id}
    if data:
        await tx.execute(INSERT_PART, {**key, "number": export.parts, "data": data})
    reached = json.dumps([position.value, str(position.id)]) if position else None
    progress = {"parts": int(bool(data)), "size": len(data), "written": written, "position": reached}
    await tx.execute(ADVANCE, {**key, **progress})


async def finish(tx: Transaction, workspace_id: UUID, export_id: UUID) -> None:
    """Mark the file of a locked export as complete. Its retention period starts."""
    await tx.execute(FINISH, {"workspace_id": workspace_id, "id": export_id, "days": DAYS_KEPT})


async def fail(tx: Transaction, workspace_id: UUID, export_id: UUID, *, job_id: UUID, error: str) -> None:
    """Mark an export as failed after its job."""
    await tx.execute(FAIL, {"workspace_id": workspace_id, "id": export_id, "job_id": job_id, "error": error})


async def expire(tx: Transaction, workspace_id: UUID, export_id: UUID) -> bool:
    """Expire an export: it is no longer visible. Returns False if it already was."""
    return await tx.changed(EXPIRE, {"workspace_id": workspace_id, "id": export_id}) == 1


async def purge_expired(tx: Transaction) -> int:
    """Delete some expired exports, in all workspaces: files first. Returns the number."""
    parts = await tx.changed(PURGE_PARTS, {"batch": _BATCH})
    return parts + await tx.changed(PURGE_EXPIRED, {"batch": _BATCH})
