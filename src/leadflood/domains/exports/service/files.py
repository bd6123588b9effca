"""Files of exports: requested, written by a job, downloaded, deleted."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from leadflood.domains.exports import queries, store
from leadflood.domains.exports.contracts import CreateExport, ExportView
from leadflood.domains.exports.errors import ExportNotFound, ExportNotReady, TooManyExports
from leadflood.domains.exports.events import WRITE_EXPORT, ExportAuditAction, ExportPayload
from leadflood.domains.exports.models import MAX_EXPORTS, ExportStatus, readable
from leadflood.domains.exports.permissions import LEADS_EXPORT
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

_SUBJECT = "export"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A ready file, and its parts."""

    view: ExportView
    pieces: AsyncIterator[bytes]


async def request_export(
    tx: Transaction,
    actor: Actor,
    *,
    command: CreateExport,
    trace: Mapping[str, str],
) -> ExportView:
    """Start a background export; its file is kept for 7 days.

    Raises: TooManyExports, leadflood.kernel.actor.MissingPermission.
    """
    actor.require(LEADS_EXPORT)
    if await queries.count_exports(tx, actor) >= MAX_EXPORTS:
        raise TooManyExports(MAX_EXPORTS)
    export_id = new_id()
    (job_id,) = await jobs.enqueue(
        tx, actor, jobs=[NewJob(WRITE_EXPORT, ExportPayload(export_id=export_id), export_id, trace)]
    )
    layout = replace(command.layout, columns=readable(command.columns, actor))
    selection = command.selection.fixed(actor)
    await store.insert_export(tx, actor, export_id=export_id, job_id=job_id, layout=layout, selection=selection)
    await audit.record(
        tx,
        actor,
        action=ExportAuditAction.REQUESTED,
        subject_type=_SUBJECT,
        subject_id=export_id,
        data={**layout.written, **selection.written},
    )
    return await queries.get_export(tx, actor, export_id=export_id)


async def open_file(database: Database, actor: Actor, *, export_id: UUID) -> ExportFile:
    """Start a download, and record the user. Raises: ExportNotFound, ExportNotReady."""
    actor.require(LEADS_EXPORT)
    async with database.transaction(actor.workspace_id) as tx:
        view = await queries.get_export(tx, actor, export_id=export_id)
        if view.status is not ExportStatus.READY:
            remedy = "Wait until it is ready." if view.status is ExportStatus.WRITING else "Ask for a new one."
            message = f"The file is {view.status}. {remedy}"
            raise ExportNotReady(message)
        await audit.record(
            tx,
            actor,
            action=ExportAuditAction.DOWNLOADED,
            subject_type=_SUBJECT,
            subject_id=export_id,
            data={"format": view.format, "count": view.processed},
        )
    return ExportFile(view, _pieces(database, actor, export_id))


async def delete_export(tx: Transaction, actor: Actor, *, export_id: UUID) -> None:
    """Delete a file, ready or not: it is unavailable immediately, and its bytes are removed within the hour.

    Raises: ExportNotFound.
    """
    actor.require(LEADS_EXPORT)
    if not await store.expire(tx, actor.workspace_id, export_id):
        raise ExportNotFound
    await audit.record(
        tx,
        actor,
        action=ExportAuditAction.DELETED,
        subject_type=_SUBJECT,
        subject_id=export_id,
    )


async def _pieces(database: Database, actor: Actor, export_id: UUID) -> AsyncIterator[bytes]:
    number = 0
    while True:
        async with database.transaction(actor.workspace_id, read_only=True) as tx:
            data = await queries.read_part(tx, actor, export_id=export_id, number=number)
        if data is None:
            return
        yield data
        number += 1
