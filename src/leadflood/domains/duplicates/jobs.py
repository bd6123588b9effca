"""The jobs of duplicates: a scan, committed in parts; and scheduled scans."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from leadflood.domains.duplicates.events import (
    MERGE_CERTAIN,
    SCAN_DUPLICATES,
    START_SCANS,
    UNDO_MERGE_RUN,
    MergeRunPayload,
    ScanPayload,
)
from leadflood.domains.duplicates.models import ScanStatus
from leadflood.domains.duplicates.service import merge_runs, scanning
from leadflood.domains.duplicates.store import merge_runs as run_store
from leadflood.domains.duplicates.store import scanning as store
from leadflood.domains.duplicates.store.merge_runs import MergeRun
from leadflood.domains.jobs.models import NoPayload, RunningJob
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participants

_MAX_SECONDS = 6 * 3600.0
"""Seconds: each part of a scan is committed, and an attempt continues where the previous one ended."""


def definitions(database: Database, participants: Participants) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `database`: for queries over all workspaces."""

    async def merge(context: JobContext[MergeRunPayload]) -> Complete[UUID]:
        return await _carry_on(context, partial(merge_runs.merge_more, participants=participants))

    async def unmerge(context: JobContext[MergeRunPayload]) -> Complete[UUID]:
        trace = context.job.trace
        return await _carry_on(context, partial(merge_runs.undo_more, participants=participants, trace=trace))

    async def start(context: JobContext[NoPayload]) -> None:
        async with database.system() as tx:
            await store.purge_expired(tx)
            waiting = await store.waiting(tx)
        for workspace_id in waiting:
            async with database.transaction(workspace_id) as tx:
                await scanning.start_scan(tx, Actor.system(workspace_id), trace=context.job.trace)

    return [
        JobDefinition(SCAN_DUPLICATES, _scan, on_failed=_failed, timeout=_MAX_SECONDS),
        JobDefinition(START_SCANS, start),
        JobDefinition(MERGE_CERTAIN, merge, on_failed=_run_failed, timeout=_MAX_SECONDS),
        JobDefinition(UNDO_MERGE_RUN, unmerge, on_failed=_run_failed, timeout=_MAX_SECONDS),
    ]


async def _carry_on(
    context: JobContext[MergeRunPayload], step: Callable[..., Awaitable[MergeRun | None]]
) -> Complete[UUID]:
    """Take one step after the other, each in its own transaction, until there is none left."""
    run_id = context.payload.run_id
    more = True
    while more:
        async with context.transaction() as tx:
            run = await step(tx, workspace_id=context.job.workspace_id, run_id=run_id)
            if run is not None:
                await context.report(tx, done=run.done + 1, total=max(run.total, run.done + 1))
        more = run is not None
    return Complete(_end_runs, run_id)


async def _end_runs(tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, UUID]]) -> None:
    for _, run_id in jobs:
        await run_store.end(tx, actor.workspace_id, run_id)


async def _run_failed(tx: Transaction, job: RunningJob, payload: MergeRunPayload | None, error: str) -> None:
    """Finished merges stay. The rest can be tried again."""
    run_id = payload.run_id if payload else job.subject_id
    if run_id is not None:
        await run_store.end(tx, job.workspace_id, run_id, error=error)


async def _scan(context: JobContext[ScanPayload]) -> Complete[UUID] | None:
    scan_id = context.payload.scan_id
    async with context.transaction() as tx:
        scan = await store.begin(tx, context.job.workspace_id, scan_id)
        if scan is None:
            return None
        weights = await scanning.prepare(tx, context.actor, scan=scan)
    async with context.transaction() as tx:
        scan = await store.lock(tx, context.job.workspace_id, scan_id)
        if scan is None:
            return None
        done, total = scan.scanned, await store.count_leads(tx, scan)
    place: store.ScanPosition | None = None
    more = True
    while more:
        async with context.transaction() as tx:
            place = await scanning.delete_stale_keys(tx, scan=scan, after=place)
            more = place is not None
    more = True
    while more:
        async with context.transaction() as tx:
            part = await scanning.scan_more(tx, context.actor, scan_id=scan_id, weights=weights)
            done += part
            await context.report(tx, done=done, total=max(done, total))
            more = part > 0
    return Complete(_finish, scan_id)


async def _finish(tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, UUID]]) -> None:
    for _, scan_id in jobs:
        await store.finish(tx, actor.workspace_id, scan_id, ScanStatus.COMPLETED)


async def _failed(tx: Transaction, job: RunningJob, payload: ScanPayload | None, _error: str) -> None:
    """The next scan begins where the last completed one did."""
    scan_id = payload.scan_id if payload else job.subject_id
    if scan_id is not None:
        await store.finish(tx, job.workspace_id, scan_id, ScanStatus.FAILED)
