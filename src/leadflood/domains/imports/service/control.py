"""What people ask of an import: preview, commit, pause, cancel, undo, delete. Workers do it."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import func

from leadflood.domains.imports import queries, store
from leadflood.domains.imports.contracts import ImportDetail
from leadflood.domains.imports.errors import ImportNotFound, ImportNotReady
from leadflood.domains.imports.events import COMMIT_IMPORT, STAGE_IMPORT, AuditAction, ImportPayload
from leadflood.domains.imports.models.states import BUSY, ImportStatus, RowAction
from leadflood.domains.imports.service.mapping import changeable
from leadflood.domains.imports.service.recording import record, undoable
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import JobKind, NewJob
from leadflood.domains.leads.models import ChangesetKind
from leadflood.domains.leads.queries.changesets import get_changeset
from leadflood.domains.leads.service import changesets
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction

_STOPPABLE = frozenset(
    {
        ImportStatus.UPLOADED,
        ImportStatus.STAGING,
        ImportStatus.PREVIEWED,
        ImportStatus.COMMITTING,
        ImportStatus.PAUSED,
    }
)
_UNDOABLE = frozenset({ImportStatus.COMMITTED, ImportStatus.PAUSED, ImportStatus.CANCELLED, ImportStatus.FAILED})


async def preview_import(tx: Transaction, actor: Actor, *, import_id: UUID, trace: Mapping[str, str]) -> ImportDetail:
    """Have the file read and compared with the leads. Nothing is written to them.

    Raises: ImportNotFound, ImportNotReady: it is at work, or committed, or no column is the address.
    """
    actor.require(Permission.LEADS_WRITE)
    row = await changeable(tx, actor, import_id=import_id)
    if not any(column["target"] == "email" for column in row.columns):
        raise ImportNotReady("No column is mapped to email. Say which one is: leads are told apart by it.")
    values: dict[str, Any] = {
        "staged_bytes": 0,
        "staged_through": 0,
        "row_count": 0,
        "counts": {},
        "fields": {},
        "faults": {},
        "finished_at": None,
    }
    await _start(tx, actor, row, STAGE_IMPORT, ImportStatus.STAGING, trace, values)
    await record(tx, actor, AuditAction.PREVIEWED, row.id, row.filename)
    return await queries.get_import(tx, actor, import_id=import_id)


async def commit_import(tx: Transaction, actor: Actor, *, import_id: UUID, trace: Mapping[str, str]) -> ImportDetail:
    """Write what the preview shows; or go on with a commit that was paused or failed.

    Raises: ImportNotFound, ImportNotReady.
    """
    actor.require(Permission.LEADS_WRITE)
    row = await _locked(tx, actor, import_id)
    resumed = row.changeset_id is not None and row.status in (ImportStatus.PAUSED, ImportStatus.FAILED)
    if row.status != ImportStatus.PREVIEWED and not resumed:
        raise ImportNotReady(f"The import is {row.status}. Preview it first; then commit it.")
    values: dict[str, Any] = {"phase_offset": row.committed_through and await _done(tx, actor, row)}
    wanted = sum(row.counts.get(action, 0) for action in (RowAction.CREATE, RowAction.UPDATE))
    changeset_id = row.changeset_id
    if changeset_id is None:
        request = {"importId": str(import_id)}
        values["changeset_id"] = changeset_id = await changesets.open_changeset(
            tx, actor, kind=ChangesetKind.IMPORT, label=row.filename, wanted=wanted, request=request
        )
    await _start(tx, actor, row, COMMIT_IMPORT, ImportStatus.COMMITTING, trace, values)
    await record(tx, actor, AuditAction.COMMITTED, row.id, row.filename, undoable(wanted, import_id, changeset_id))
    return await queries.get_import(tx, actor, import_id=import_id)


async def pause_import(tx: Transaction, actor: Actor, *, import_id: UUID) -> ImportDetail:
    """Stop a commit. The rows that are being written are left out. Raises: ImportNotFound, ImportNotReady."""
    actor.require(Permission.LEADS_WRITE)
    row = await _end(
        tx, actor, import_id, [ImportStatus.COMMITTING], ImportStatus.PAUSED, "Only a commit can be paused."
    )
    await record(tx, actor, AuditAction.PAUSED, row.id, row.filename, await _counted(tx, actor, row))
    return await queries.get_import(tx, actor, import_id=import_id)


async def cancel_import(tx: Transaction, actor: Actor, *, import_id: UUID) -> ImportDetail:
    """Stop for good. What is written by then stays, and can be undone. Raises: ImportNotFound, ImportNotReady."""
    actor.require(Permission.LEADS_WRITE)
    row = await _end(
        tx, actor, import_id, _STOPPABLE, ImportStatus.CANCELLED, "There is nothing to cancel.", finished_at=func.now()
    )
    if row.changeset_id is not None:
        await changesets.close_changeset(tx, actor, changeset_id=row.changeset_id)
    await record(tx, actor, AuditAction.CANCELLED, row.id, row.filename, await _counted(tx, actor, row))
    return await queries.get_import(tx, actor, import_id=import_id)


async def undo_import(tx: Transaction, actor: Actor, *, import_id: UUID, trace: Mapping[str, str]) -> ImportDetail:
    """Take back what the import wrote, except what somebody edited since.

    Raises: ImportNotFound, ImportNotReady: nothing is written, or it is being written.
    """
    actor.require(Permission.LEADS_WRITE)
    row = await _locked(tx, actor, import_id)
    if row.changeset_id is None or row.status not in _UNDOABLE:
        raise ImportNotReady(
            f"The import is {row.status}. Only what is committed can be undone; pause or cancel first."
        )
    if row.status in (ImportStatus.PAUSED, ImportStatus.FAILED):
        await store.move(tx, actor.workspace_id, import_id, expected=[row.status], status=ImportStatus.CANCELLED)
    await store.set_fields(tx, actor.workspace_id, import_id, phase_started_at=func.now(), phase_offset=0)
    await changesets.close_changeset(tx, actor, changeset_id=row.changeset_id)
    undone, began = await changesets.take_back(tx, actor, changeset_id=row.changeset_id, trace=trace)
    if began:
        count = undone.undone if undone.job_id is None else changesets.changed_leads(undone)
        await record(tx, actor, AuditAction.UNDONE, row.id, row.filename, {"count": count})
    return await queries.get_import(tx, actor, import_id=import_id)


async def delete_import(tx: Transaction, actor: Actor, *, import_id: UUID) -> None:
    """Remove an import with its file and rows; what it wrote stays, and its changeset can still be undone.

    Raises: ImportNotFound, ImportNotReady: it is at work.
    """
    actor.require(Permission.LEADS_WRITE)
    row = await _locked(tx, actor, import_id)
    if row.status in BUSY or row.status == ImportStatus.PAUSED:
        raise ImportNotReady(f"The import is {row.status}. Cancel it first.")
    await store.remove(tx, actor.workspace_id, import_id)
    await record(tx, actor, AuditAction.DELETED, row.id, row.filename)


async def _locked(tx: Transaction, actor: Actor, import_id: UUID) -> Row:
    row = await store.lock(tx, actor.workspace_id, import_id)
    if row is None:
        raise ImportNotFound
    return row


async def _done(tx: Transaction, actor: Actor, row: Row) -> int:
    return (await queries.get_import(tx, actor, import_id=row.id)).progress.rows_done


async def _start(
    tx: Transaction,
    actor: Actor,
    row: Row,
    kind: JobKind[ImportPayload],
    status: ImportStatus,
    trace: Mapping[str, str],
    values: Mapping[str, Any],
) -> None:
    job = NewJob(kind, ImportPayload(import_id=row.id), row.id, trace)
    (job_id,) = await jobs.enqueue(tx, actor, jobs=[job])
    await store.move(
        tx,
        actor.workspace_id,
        row.id,
        expected=[ImportStatus(row.status)],
        status=status,
        **{"phase_offset": 0, **values},
        job_id=job_id,
        error=None,
        phase_started_at=func.now(),
    )


async def _end(
    tx: Transaction,
    actor: Actor,
    import_id: UUID,
    expected: Collection[ImportStatus],
    status: ImportStatus,
    otherwise: str,
    **values: Any,  # noqa: ANN401  columns
) -> Row:
    row = await _locked(tx, actor, import_id)
    if not await store.move(tx, actor.workspace_id, import_id, expected=expected, status=status, **values):
        raise ImportNotReady(f"The import is {row.status}. {otherwise}")
    return row


async def _counted(tx: Transaction, actor: Actor, row: Row) -> dict[str, JsonValue]:
    """How many leads the import has written by now, where it has begun to; and what undoes that."""
    if row.changeset_id is None:
        return {"count": 0}
    changeset = await get_changeset(tx, actor, changeset_id=row.changeset_id)
    return undoable(changesets.changed_leads(changeset), row.id, changeset.id)
