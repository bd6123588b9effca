"""Jobs of imports: preview, commit, and queueing of enrichment. Each resumes after an earlier attempt."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.imports import store
from leadflood.domains.imports.errors import FileNotRead, UnreadableFile
from leadflood.domains.imports.events import (
    COMMIT_IMPORT,
    ENRICH_IMPORTED,
    PURGE_IMPORTS,
    STAGE_IMPORT,
    UNRELATE_IMPORT,
    ImportPayload,
)
from leadflood.domains.imports.models.column_detection import Notice
from leadflood.domains.imports.models.states import ImportStatus
from leadflood.domains.imports.service import commit, relating, similar_rows, staging
from leadflood.domains.imports.service.sandboxed_parser import RowBatch, open_rows
from leadflood.domains.imports.service.uploads import spooled
from leadflood.domains.imports.store import StoredImport, retention
from leadflood.domains.jobs.completion import lock_attempt
from leadflood.domains.jobs.errors import Retryable, Terminal
from leadflood.domains.jobs.models import NoPayload, RunningJob
from leadflood.domains.jobs.parallel_chunks import write_in_parallel
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.sandbox.pool import Sandbox

_A_DAY = 86_400.0
_PAUSE = 2.0
"""Seconds between checks whether there is room for more enrichment."""
_LOCK_TIMEOUT = 0.25
"""Seconds that a chunk of a preview waits for the transaction that ends its job; see `lock_attempt`."""


@dataclass(frozen=True, slots=True)
class StagedImport:
    """An import whose rows are all staged, and what to know about them."""

    import_id: UUID
    notices: Sequence[Notice]


def definitions(database: Database, sandbox: Sandbox, *, retention_days: int) -> list[JobDefinition[Any]]:
    """The jobs of this domain.

    Args: database: for files, concurrent transactions, and purges. sandbox: parses files.
    """

    async def stage(context: JobContext[ImportPayload]) -> Complete[StagedImport] | None:
        return await _stage(context, database, sandbox)

    async def commit(context: JobContext[ImportPayload]) -> Complete[UUID] | None:
        return await _commit(context, database)

    async def purge(_context: JobContext[NoPayload]) -> None:
        while await retention.purge_expired(database, days=retention_days):
            pass

    return [
        JobDefinition(STAGE_IMPORT, stage, on_failed=_failed, timeout=_A_DAY),
        JobDefinition(COMMIT_IMPORT, commit, on_failed=_failed, timeout=_A_DAY),
        JobDefinition(ENRICH_IMPORTED, _enrich, timeout=_A_DAY),
        JobDefinition(UNRELATE_IMPORT, _unrelate, timeout=_A_DAY),
        JobDefinition(PURGE_IMPORTS, purge, timeout=_A_DAY),
    ]


async def _stage(
    context: JobContext[ImportPayload], database: Database, sandbox: Sandbox
) -> Complete[StagedImport] | None:
    actor, import_id = context.actor, context.payload.import_id
    started = await _begin(context, ImportStatus.STAGING)
    if started is None:
        return None
    while not started.staged_through:
        async with context.transaction() as tx:
            if not await store.clear_rows(tx, actor.workspace_id, import_id):
                break
    async with context.transaction() as tx:
        known = await staging.known_values(tx, actor)
    try:
        async with (
            sandbox.process(actor.workspace_id) as process,
            spooled(database, actor, import_id=import_id) as file,
            open_rows(process, file, started, known) as batches,
        ):
            if not await _stage_rows(context, batches):
                return None
    except FileNotRead as error:
        raise Retryable(error.detail) from error
    except UnreadableFile as error:
        raise Terminal(error.detail) from error
    remarked = await _compare_rows(context)
    return None if remarked is None else Complete(_finish_staging, StagedImport(import_id, remarked))


async def _finish_staging(tx: Transaction, _actor: Actor, jobs: Sequence[tuple[RunningJob, StagedImport]]) -> None:
    for job, staged in jobs:
        found = await _lock(tx, job, staged.import_id, ImportStatus.STAGING)
        if found is not None:
            await similar_rows.save_notices(tx, found, staged.notices)
            await store.end_phase(tx, found, ImportStatus.PREVIEWED)


async def _stage_rows(context: JobContext[ImportPayload], batches: AsyncIterator[RowBatch]) -> bool:
    """Stage each batch while the next one is read. False: the job has lost the import."""
    reading = asyncio.ensure_future(_next(batches))
    try:
        while (batch := await reading) is not None:
            reading = asyncio.ensure_future(_next(batches))
            async with context.own_transaction() as tx:
                found = await _lock(tx, context.job, context.payload.import_id, ImportStatus.STAGING)
                if found is None:
                    return False
                await staging.stage_batch(tx, found, batch)
                await lock_attempt(tx, context.job, lock_timeout=_LOCK_TIMEOUT)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)  # its generator is closed next
    return True


async def _compare_rows(context: JobContext[ImportPayload]) -> list[Notice] | None:
    """Look for one person in several rows, with no transaction open. None: the job has lost the import."""
    async with context.transaction() as tx:
        found = await _lock(tx, context.job, context.payload.import_id, ImportStatus.STAGING)
        rows = None if found is None else await similar_rows.load_rows(tx, found)
    return None if rows is None else await similar_rows.compare_rows(rows)


async def _next(batches: AsyncIterator[RowBatch]) -> RowBatch | None:
    return await anext(batches, None)


async def _commit(context: JobContext[ImportPayload], database: Database) -> Complete[UUID] | None:
    started = await _begin(context, ImportStatus.COMMITTING)
    if started is None or not await write_in_parallel(database, context.job, commit.CommitWork(started)):
        return None
    more = True
    while more:
        async with context.transaction() as tx:
            found = await _lock(tx, context.job, context.payload.import_id, ImportStatus.COMMITTING)
            if found is None:
                return None
            more = await relating.relate_more(tx, found)
    return Complete(_finish_writing, context.payload.import_id)


async def _unrelate(context: JobContext[ImportPayload]) -> None:
    after: int | None = 0
    while after is not None:
        async with context.transaction() as tx:
            after = await relating.unrelate_more(tx, context.actor, import_id=context.payload.import_id, after=after)


async def _finish_writing(tx: Transaction, _actor: Actor, jobs: Sequence[tuple[RunningJob, UUID]]) -> None:
    for job, import_id in jobs:
        found = await _lock(tx, job, import_id, ImportStatus.COMMITTING)
        if found is not None:
            await commit.finish_writing(tx, found)


async def _enrich(context: JobContext[ImportPayload]) -> None:
    while True:
        async with context.transaction() as tx:
            found = await store.lock(tx, context.job.workspace_id, context.payload.import_id)
            queued = None if found is None else await commit.enrich_more(tx, found)
        if queued is None:
            return
        if not queued:
            await asyncio.sleep(_PAUSE)


async def _begin(context: JobContext[ImportPayload], status: ImportStatus) -> StoredImport | None:
    """The import of this job; a job that is retried after a failure resumes it."""
    job, import_id = context.job, context.payload.import_id
    async with context.transaction() as tx:
        await store.resume(tx, job.workspace_id, import_id, status=status, job_id=job.id)
        return await _lock(tx, job, import_id, status)


async def _lock(tx: Transaction, job: RunningJob, import_id: UUID, status: ImportStatus) -> StoredImport | None:
    return await store.lock_for_job(tx, job.workspace_id, import_id, expected=status, job_id=job.id)


async def _failed(tx: Transaction, job: RunningJob, payload: ImportPayload | None, error: str) -> None:
    import_id = payload.import_id if payload else job.subject_id
    if import_id is not None:
        await store.fail(tx, job.workspace_id, import_id, job_id=job.id, error=error)
