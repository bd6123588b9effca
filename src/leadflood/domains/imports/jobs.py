"""The work of imports: staging, writing, queueing enrichment. Each goes on where an attempt before it ended."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from leadflood.domains.imports import store
from leadflood.domains.imports.errors import FileNotRead, UnreadableFile
from leadflood.domains.imports.events import COMMIT_IMPORT, ENRICH_IMPORTED, FORGET_IMPORTS, STAGE_IMPORT
from leadflood.domains.imports.models.states import ImportStatus
from leadflood.domains.imports.service import staging, writing
from leadflood.domains.imports.service.reading import Batch, open_rows
from leadflood.domains.imports.service.uploads import spooled
from leadflood.domains.imports.store import retention
from leadflood.domains.jobs.errors import Retryable, Terminal
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import JobContext, JobDefinition, failed_id, payload_id
from leadflood.domains.jobs.shared import hold_attempt
from leadflood.domains.leads.service.lanes import write_in_lanes
from leadflood.kernel.db.database import Database, Transaction
from leadflood.kernel.sandbox.pool import Sandbox

_A_DAY = 86_400.0
_PAUSE = 2.0
"""Seconds between looks whether there is room for more enrichment."""
_PATIENCE = 0.25
"""Seconds that a chunk of a preview waits for whoever is ending its job, and must end the import too: see there."""


def definitions(database: Database, sandbox: Sandbox, *, retention_days: int) -> list[JobDefinition]:
    """The jobs of this domain.

    Args: database: for files, for several transactions at a time, and for sweeps. sandbox: where files are read.
    """

    async def stage(context: JobContext) -> None:
        await _stage(context, database, sandbox)

    async def commit(context: JobContext) -> None:
        await _commit(context, database)

    async def forget(_context: JobContext) -> None:
        while await retention.forget(database, days=retention_days):
            pass

    return [
        JobDefinition(STAGE_IMPORT, stage, on_failed=_failed, timeout=_A_DAY),
        JobDefinition(COMMIT_IMPORT, commit, on_failed=_failed, timeout=_A_DAY),
        JobDefinition(ENRICH_IMPORTED, _enrich, timeout=_A_DAY),
        JobDefinition(FORGET_IMPORTS, forget, timeout=_A_DAY),
    ]


async def _stage(context: JobContext, database: Database, sandbox: Sandbox) -> None:
    actor, import_id = context.actor, _import_id(context.job)
    row = await _begin(context, ImportStatus.STAGING)
    if row is None:
        return
    while not row.staged_through:
        async with context.transaction() as tx:
            if not await store.clear_rows(tx, actor.workspace_id, import_id):
                break
    async with context.transaction() as tx:
        members = await staging.owners(tx, actor)
    try:
        async with (
            sandbox.process(actor.workspace_id) as process,
            spooled(database, actor, import_id=import_id) as file,
            open_rows(process, file, row, members) as batches,
        ):
            if not await _stage_rows(context, database, batches):
                return
    except FileNotRead as error:
        raise Retryable(error.detail) from error
    except UnreadableFile as error:
        raise Terminal(error.detail) from error
    async with context.completing() as tx:
        held = await _hold(tx, context.job, ImportStatus.STAGING)
        if held is not None:
            await staging.finish_staging(tx, actor, held)


async def _stage_rows(context: JobContext, database: Database, batches: AsyncIterator[Batch]) -> bool:
    """Stage each batch while the next one is read. False: the job has lost the import."""
    reading = asyncio.ensure_future(_next(batches))
    try:
        while (batch := await reading) is not None:
            reading = asyncio.ensure_future(_next(batches))
            async with database.transaction(context.job.workspace_id) as tx:
                held = await _hold(tx, context.job, ImportStatus.STAGING)
                if held is None:
                    return False
                await staging.hand_over(tx, batch)
                await staging.stage_batch(tx, context.actor, held, batch)
                await hold_attempt(tx, context.job, patience=_PATIENCE)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)  # its generator is closed next
    return True


async def _next(batches: AsyncIterator[Batch]) -> Batch | None:
    return await anext(batches, None)


async def _commit(context: JobContext, database: Database) -> None:
    row = await _begin(context, ImportStatus.COMMITTING)
    if row is None:
        return
    if not await write_in_lanes(database, context.job, writing.Writing(row)):
        return
    async with context.completing() as tx:
        held = await _hold(tx, context.job, ImportStatus.COMMITTING)
        if held is not None:
            await writing.finish_writing(tx, held)


async def _enrich(context: JobContext) -> None:
    while True:
        async with context.transaction() as tx:
            row = await store.lock(tx, context.job.workspace_id, _import_id(context.job))
            queued = None if row is None else await writing.enrich_more(tx, row)
        if queued is None:
            return
        if not queued:
            await asyncio.sleep(_PAUSE)


async def _begin(context: JobContext, status: ImportStatus) -> Row[Any] | None:
    """The import as this job finds it; a job that is tried again after it failed takes it up where it was."""
    async with context.transaction() as tx:
        await store.take_up(tx, context.job.workspace_id, _import_id(context.job), status=status, job_id=context.job.id)
        return await _hold(tx, context.job, status)


async def _hold(tx: Transaction, job: RunningJob, status: ImportStatus) -> Row[Any] | None:
    return await store.hold(tx, job.workspace_id, _import_id(job), expected=status, job_id=job.id)


async def _failed(tx: Transaction, job: RunningJob, error: str) -> None:
    import_id = failed_id(job, "importId")
    if import_id is not None:
        await store.fail(tx, job.workspace_id, import_id, job_id=job.id, error=error)


def _import_id(job: RunningJob) -> UUID:
    return payload_id(job, "importId")
