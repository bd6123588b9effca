"""The jobs of duplicates: a scan, committed in parts; and scheduled scans."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.duplicates.events import SCAN_DUPLICATES, START_SCANS, ScanPayload
from leadflood.domains.duplicates.models import ScanStatus
from leadflood.domains.duplicates.service import scanning
from leadflood.domains.duplicates.store import scanning as store
from leadflood.domains.jobs.models import NoPayload, RunningJob
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction

_MAX_SECONDS = 6 * 3600.0
"""Seconds: each part of a scan is committed, and an attempt continues where the previous one ended."""


def definitions(database: Database) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `database`: for queries over all workspaces."""

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
    ]


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
