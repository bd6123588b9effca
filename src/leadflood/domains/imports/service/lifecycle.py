"""Verbs of an import: preview, commit, pause, cancel, undo, delete. Workers run them."""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.fields.models import label_of
from leadflood.domains.fields.service import define_missing
from leadflood.domains.imports import queries, store
from leadflood.domains.imports.contracts import ImportDetail
from leadflood.domains.imports.errors import ImportNotFound, ImportNotReady
from leadflood.domains.imports.events import COMMIT_IMPORT, STAGE_IMPORT, ImportAuditAction, ImportPayload
from leadflood.domains.imports.models.fields import Target, custom_key_of
from leadflood.domains.imports.models.states import BUSY, ImportStatus, RowAction
from leadflood.domains.imports.service.mapping import changeable
from leadflood.domains.imports.service.recording import record, undoable
from leadflood.domains.imports.service.relating import request_removal, require_related
from leadflood.domains.imports.store import StoredImport
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import JobKind, NewJob
from leadflood.domains.leads.errors import ChangesetNotUndoable
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.models import ChangesetKind
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.queries.changesets import get_changeset
from leadflood.domains.leads.service import changesets
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participants

_STOPPABLE = frozenset(
    {
        ImportStatus.UPLOADED,
        ImportStatus.STAGING,
        ImportStatus.PREVIEWED,
        ImportStatus.COMMITTING,
        ImportStatus.PAUSED,
    }
)
_WRITTEN = (RowAction.CREATE, RowAction.UPDATE)
_UNDOABLE = frozenset({ImportStatus.COMMITTED, ImportStatus.PAUSED, ImportStatus.CANCELLED, ImportStatus.FAILED})


async def preview_import(tx: Transaction, actor: Actor, *, import_id: UUID, trace: Mapping[str, str]) -> ImportDetail:
    """Start the preview: the file is parsed and compared with the leads. No leads are changed.

    Raises: ImportNotFound, ImportNotReady: it is at work, or committed, or no column is the address.
        leadflood.kernel.actor.MissingPermission: it adds tags or lists, which the actor may not.
    """
    actor.require(LEADS_WRITE)
    found, _ = await changeable(tx, actor, import_id=import_id)
    if not any(column.target == Target.EMAIL for column in found.columns):
        raise ImportNotReady("Map one column to email.")
    require_related(actor, found.columns, found.options)
    await store.start_staging(tx, found, await _enqueue(tx, actor, found, STAGE_IMPORT, trace))
    await record(tx, actor, ImportAuditAction.PREVIEWED, found.id, found.filename)
    return await queries.get_import(tx, actor, import_id=import_id)


async def commit_import(tx: Transaction, actor: Actor, *, import_id: UUID, trace: Mapping[str, str]) -> ImportDetail:
    """Start the commit of a preview, or resume one that was paused or failed.

    Columns that become custom fields which are not defined define them, as text with the column's name as label.

    Raises: ImportNotFound, ImportNotReady.
    """
    actor.require(LEADS_WRITE)
    found = await _locked(tx, actor, import_id)
    resumed = found.changeset_id is not None and found.status in (ImportStatus.PAUSED, ImportStatus.FAILED)
    if found.status is not ImportStatus.PREVIEWED and not resumed:
        raise ImportNotReady(f"The import is {found.status}. Preview it first.")
    require_related(actor, found.columns, found.options)
    wanted = sum(found.counts.get(action, 0) for action in _WRITTEN)
    changeset_id, done = found.changeset_id, 0
    if changeset_id is None:
        request = {"importId": str(import_id)}
        changeset_id = await changesets.open_changeset(
            tx, actor, kind=ChangesetKind.IMPORT, label=found.filename, wanted=wanted, request=request
        )
    if found.committed_through:
        done = (await queries.get_import(tx, actor, import_id=import_id)).progress.rows_done
    await define_missing(tx, actor, subject=LEAD, labels=_custom_labels(found))
    job_id = await _enqueue(tx, actor, found, COMMIT_IMPORT, trace)
    await store.start_writing(tx, found, job_id, changeset_id=changeset_id, offset=done)
    data = undoable(wanted, import_id, changeset_id)
    await record(tx, actor, ImportAuditAction.COMMITTED, found.id, found.filename, data)
    return await queries.get_import(tx, actor, import_id=import_id)


async def pause_import(tx: Transaction, actor: Actor, *, import_id: UUID) -> ImportDetail:
    """Pause a commit. Rows in progress are rolled back. Raises: ImportNotFound, ImportNotReady."""
    actor.require(LEADS_WRITE)
    found = await _locked(tx, actor, import_id)
    if found.status is not ImportStatus.COMMITTING:
        raise ImportNotReady(f"The import is {found.status}. Only a running import can be paused.")
    await store.change_status(tx, found, ImportStatus.PAUSED)
    await record(tx, actor, ImportAuditAction.PAUSED, found.id, found.filename, await _counted(tx, actor, found))
    return await queries.get_import(tx, actor, import_id=import_id)


async def cancel_import(tx: Transaction, actor: Actor, *, import_id: UUID) -> ImportDetail:
    """Cancel an import. Written leads stay, and can be undone. Raises: ImportNotFound, ImportNotReady."""
    actor.require(LEADS_WRITE)
    found = await _locked(tx, actor, import_id)
    if found.status not in _STOPPABLE:
        raise ImportNotReady(f"The import is {found.status}. There is nothing to cancel.")
    await store.end_phase(tx, found, ImportStatus.CANCELLED)
    if found.changeset_id is not None:
        await changesets.close_changeset(tx, actor, changeset_id=found.changeset_id)
    await record(tx, actor, ImportAuditAction.CANCELLED, found.id, found.filename, await _counted(tx, actor, found))
    return await queries.get_import(tx, actor, import_id=import_id)


async def undo_import(
    tx: Transaction, actor: Actor, participants: Participants, *, import_id: UUID, trace: Mapping[str, str]
) -> ImportDetail:
    """Undo an import, except values that were edited since.

    Raises: ImportNotFound, ImportNotReady: nothing is written, or it is being written.
    """
    actor.require(LEADS_WRITE)
    found = await _locked(tx, actor, import_id)
    if found.changeset_id is None or found.status not in _UNDOABLE:
        raise ImportNotReady(
            f"The import is {found.status}. Only what is committed can be undone; pause or cancel first."
        )
    if found.status in (ImportStatus.PAUSED, ImportStatus.FAILED):
        await store.change_status(tx, found, ImportStatus.CANCELLED)
    await store.restart_clock(tx, found)
    await changesets.close_changeset(tx, actor, changeset_id=found.changeset_id)
    try:
        undone, began = await changesets.begin_undo(
            tx, actor, participants, changeset_id=found.changeset_id, trace=trace
        )
    except ChangesetNotUndoable:
        if not found.related_through or any(found.counts.get(action) for action in _WRITTEN):
            raise
        await request_removal(tx, actor, found, trace)  # the import added only tags and lists
        await record(tx, actor, ImportAuditAction.UNDONE, found.id, found.filename, {"count": 0})
        return await queries.get_import(tx, actor, import_id=import_id)
    if began:
        count = undone.reverted if undone.job_id is None else changesets.changed_leads(undone)
        await record(tx, actor, ImportAuditAction.UNDONE, found.id, found.filename, {"count": count})
    return await queries.get_import(tx, actor, import_id=import_id)


async def delete_import(tx: Transaction, actor: Actor, *, import_id: UUID) -> None:
    """Delete an import with its file and rows; written leads stay, and its changeset can still be undone.

    Raises: ImportNotFound, ImportNotReady: it is at work.
    """
    actor.require(LEADS_WRITE)
    found = await _locked(tx, actor, import_id)
    if found.status in BUSY or found.status == ImportStatus.PAUSED:
        raise ImportNotReady(f"The import is {found.status}. Cancel it first.")
    await store.remove(tx, actor.workspace_id, import_id)
    await record(tx, actor, ImportAuditAction.DELETED, found.id, found.filename)


def _custom_labels(found: StoredImport) -> dict[str, str]:
    """Labels of new custom fields, by key: the names of columns with values. Repeated names are numbered."""
    labels: dict[str, str] = {}
    names: Counter[str] = Counter()
    for column in found.columns:
        custom = custom_key_of(column.target)
        key = custom or column.target
        label = column.header if column.header not in ("", key) else label_of(key)
        names[label] += 1
        if custom and (not found.filled or key in found.filled):
            labels[key] = label if names[label] == 1 else f"{label} {names[label]}"
    return labels


async def _locked(tx: Transaction, actor: Actor, import_id: UUID) -> StoredImport:
    found = await store.lock(tx, actor.workspace_id, import_id)
    if found is None:
        raise ImportNotFound
    return found


async def _enqueue(
    tx: Transaction, actor: Actor, found: StoredImport, kind: JobKind[ImportPayload], trace: Mapping[str, str]
) -> UUID:
    job = NewJob(kind, ImportPayload(import_id=found.id), found.id, trace)
    (job_id,) = await jobs.enqueue(tx, actor, jobs=[job])
    return job_id


async def _counted(tx: Transaction, actor: Actor, found: StoredImport) -> dict[str, JsonValue]:
    """Number of leads that the import has written so far, if it has started, and the undo for them."""
    if found.changeset_id is None:
        return {"count": 0}
    changeset = await get_changeset(tx, actor, changeset_id=found.changeset_id)
    return undoable(changesets.changed_leads(changeset), found.id, changeset.id)
