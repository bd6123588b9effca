"""SQL that writes exports. Every change of state names the state it expects, and the job that works on it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from leadflood.domains.exports.models import DAYS_KEPT, ExportFormat, ExportStatus
from leadflood.domains.exports.tables import export_parts, exports
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Position

_CLEARED = 64

_FORGET_PARTS = sql("""
DELETE FROM export_parts WHERE (workspace_id, export_id, number) IN (
    SELECT p.workspace_id, p.export_id, p.number FROM exports e
    JOIN export_parts p ON p.workspace_id = e.workspace_id AND p.export_id = e.id
    WHERE e.expires_at <= now() LIMIT :batch)
""")
_FORGET_EXPORTS = sql("""
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
    kind: ExportFormat,
    columns: Sequence[str],
    bom: bool,
    filter_: dict[str, Any],
) -> None:
    """A new export, `writing`."""
    row = {
        "workspace_id": actor.workspace_id,
        "id": export_id,
        "format": kind,
        "columns": list(columns),
        "bom": bom,
        "filter": filter_,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "job_id": job_id,
    }
    await tx.execute(insert(exports).values(row))


async def take_up(tx: Transaction, workspace_id: UUID, export_id: UUID, *, job_id: UUID) -> None:
    """Bring an export back that this very job left as failed, now that the job is tried again."""
    await tx.execute(
        update(exports)
        .where(exports.c.workspace_id == workspace_id, exports.c.id == export_id, exports.c.job_id == job_id)
        .where(exports.c.status == ExportStatus.FAILED)
        .values(status=ExportStatus.WRITING, error=None, finished_at=None, updated_at=func.now())
    )


async def hold(tx: Transaction, workspace_id: UUID, export_id: UUID, *, job_id: UUID) -> Row | None:
    """The export, locked, if it is to be written by this job; None for one that was deleted meanwhile."""
    query = select(exports).where(
        exports.c.workspace_id == workspace_id,
        exports.c.id == export_id,
        exports.c.job_id == job_id,
        exports.c.status == ExportStatus.WRITING,
        exports.c.expires_at > func.now(),
    )
    return await tx.first(query.with_for_update(key_share=True))


async def set_fields(tx: Transaction, workspace_id: UUID, export_id: UUID, **values: Any) -> None:  # noqa: ANN401  columns
    """Set columns of an export that is held."""
    await tx.execute(
        update(exports)
        .where(exports.c.workspace_id == workspace_id, exports.c.id == export_id)
        .values(**values, updated_at=func.now())
    )


async def append_part(tx: Transaction, row: Row, data: bytes, *, written: int, position: Position | None) -> None:
    """Store the next piece of a file that is held (if there is any), and how far the walk is."""
    if data:
        part = {"workspace_id": row.workspace_id, "export_id": row.id, "number": row.parts, "data": data}
        await tx.execute(insert(export_parts).values(part))
    await set_fields(
        tx,
        row.workspace_id,
        row.id,
        parts=row.parts + bool(data),
        size_bytes=row.size_bytes + len(data),
        done=row.done + written,
        position=[position.value, str(position.id)] if position else row.position,
    )


async def finish(tx: Transaction, workspace_id: UUID, export_id: UUID) -> None:
    """The file of an export that is held is whole. From now on its days are counted."""
    kept_until = func.now() + timedelta(days=DAYS_KEPT)
    await set_fields(
        tx, workspace_id, export_id, status=ExportStatus.READY, finished_at=func.now(), expires_at=kept_until
    )


async def clear_parts(tx: Transaction, workspace_id: UUID, export_id: UUID) -> int:
    """Remove some of what an attempt before wrote. Returns how much; 0 when nothing is left."""
    some = (
        select(export_parts.c.number)
        .where(export_parts.c.workspace_id == workspace_id, export_parts.c.export_id == export_id)
        .limit(_CLEARED)
    )
    statement = delete(export_parts).where(
        export_parts.c.workspace_id == workspace_id,
        export_parts.c.export_id == export_id,
        export_parts.c.number.in_(some),
    )
    return await tx.changed(statement)


async def fail(tx: Transaction, workspace_id: UUID, export_id: UUID, *, job_id: UUID, error: str) -> None:
    """The job that wrote it is over, without success."""
    await tx.execute(
        update(exports)
        .where(exports.c.workspace_id == workspace_id, exports.c.id == export_id, exports.c.job_id == job_id)
        .where(exports.c.status == ExportStatus.WRITING)
        .values(status=ExportStatus.FAILED, error=error, updated_at=func.now(), finished_at=func.now())
    )


async def expire(tx: Transaction, workspace_id: UUID, export_id: UUID) -> bool:
    """Let the time of an export be over: nobody sees it any more. Returns False for one that nobody saw before."""
    statement = (
        update(exports)
        .where(exports.c.workspace_id == workspace_id, exports.c.id == export_id, exports.c.expires_at > func.now())
        .values(expires_at=func.now(), updated_at=func.now())
    )
    return await tx.changed(statement) == 1


async def forget(tx: Transaction) -> int:
    """Remove some of what is over, in all workspaces: files first. Returns how much."""
    parts = await tx.changed(_FORGET_PARTS, {"batch": _CLEARED})
    return parts + await tx.changed(_FORGET_EXPORTS, {"batch": _CLEARED})
