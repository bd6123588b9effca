"""Jobs of exports: writing a file, resuming after an earlier attempt, and deleting expired files."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.exports import queries, store
from leadflood.domains.exports.errors import TooManyColumns
from leadflood.domains.exports.events import PURGE_EXPORTS, WRITE_EXPORT, ExportPayload
from leadflood.domains.exports.models import Encoder, Selection, UnfinishedExport
from leadflood.domains.exports.service.batches import batches, open_encoder, scan_for_export
from leadflood.domains.jobs.errors import Terminal
from leadflood.domains.jobs.models import NoPayload, RunningJob
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition
from leadflood.domains.leads.contracts.filters import LeadQuery
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Position
from leadflood.kernel.threads import EXPORT_ENCODING

_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class _Task:
    """One attempt to write a file."""

    context: JobContext[ExportPayload]
    database: Database
    selection: Selection

    @property
    def export_id(self) -> UUID:
        return self.context.payload.export_id

    async def lock(self, tx: Transaction) -> UnfinishedExport | None:
        return await store.lock(tx, self.context.job.workspace_id, self.export_id, job_id=self.context.job.id)


def definitions(database: Database) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `database`: for reading leads, and for the purge over all workspaces."""

    async def write(context: JobContext[ExportPayload]) -> Complete[UUID] | None:
        return await _write(context, database)

    async def purge(_context: JobContext[NoPayload]) -> None:
        removed = True
        while removed:
            async with database.system() as tx:
                removed = await store.purge_expired(tx) > 0

    return [
        JobDefinition(WRITE_EXPORT, write, on_failed=_failed, timeout=_A_DAY),
        JobDefinition(PURGE_EXPORTS, purge, timeout=_A_DAY),
    ]


async def _write(context: JobContext[ExportPayload], database: Database) -> Complete[UUID] | None:
    job, export_id = context.job, context.payload.export_id
    async with context.transaction() as tx:
        await store.resume(tx, job.workspace_id, export_id, job_id=job.id)
        export = await store.lock(tx, job.workspace_id, export_id, job_id=job.id)
    if export is None:
        return None
    filters = LeadQuery.model_validate(export.filter).lead_filter()
    task = _Task(context, database, Selection(filters, export.lead_ids))
    if export.resolved is None:
        await _scan(task, export)
    elif not export.layout.format.resumable:
        await _start_over(task)
    async with context.transaction() as tx:
        export = await task.lock(tx)
    if export is None or export.resolved is None:
        return None
    opened = await open_encoder(database, context.actor, layout=export.layout, columns=export.resolved)
    with closing(opened) as writer:
        written = await _copy(task, export, export.resolved, writer)
    return Complete(_finish, export_id) if written else None


async def _scan(task: _Task, export: UnfinishedExport) -> None:
    try:
        found = await scan_for_export(task.database, task.context.actor, selection=task.selection, layout=export.layout)
    except TooManyColumns as error:
        raise Terminal(error.errors[0].message) from error
    async with task.context.transaction() as tx:
        if await task.lock(tx) is not None:
            await store.set_survey(tx, export, columns=found.columns, total=found.total)


async def _start_over(task: _Task) -> None:
    """A format whose file is completed at its end cannot be resumed: the output of an earlier attempt is deleted."""
    workspace_id = task.context.job.workspace_id
    cleared = 1
    while cleared:
        async with task.context.transaction() as tx:
            cleared = await store.restart(tx, workspace_id, task.export_id)


async def _copy(task: _Task, export: UnfinishedExport, columns: Sequence[str], writer: Encoder) -> bool:
    """Write all leads after the position of the export. Returns False if it was deleted meanwhile."""
    if not export.parts and not await _append(task, writer.begin()):
        return False
    walk = batches(task.database, task.context.actor, selection=task.selection, columns=columns, after=export.position)
    async for records in walk:
        data = await EXPORT_ENCODING.run(writer.rows, records)
        if not await _append(task, data, written=len(records), position=queries.position_of(records[-1])):
            return False
    rest = iter(writer.end())
    while data := await EXPORT_ENCODING.run(next, rest, b""):
        if not await _append(task, data):
            return False
    return True


async def _append(task: _Task, data: bytes, *, written: int = 0, position: Position | None = None) -> bool:
    async with task.context.transaction() as tx:
        export = await task.lock(tx)
        if export is None:
            return False
        await store.append_part(tx, export, data, written=written, position=position)
        if written:
            done = export.done + written
            await task.context.report(tx, done=done, total=max(done, export.total or 0))
    return True


async def _finish(tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, UUID]]) -> None:
    for job, export_id in jobs:
        if await store.lock(tx, actor.workspace_id, export_id, job_id=job.id) is not None:
            await store.finish(tx, actor.workspace_id, export_id)


async def _failed(tx: Transaction, job: RunningJob, payload: ExportPayload | None, error: str) -> None:
    export_id = payload.export_id if payload else job.subject_id
    if export_id is not None:
        await store.fail(tx, job.workspace_id, export_id, job_id=job.id, error=error)
