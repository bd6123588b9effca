"""Jobs of profiles: publish a version, score again what depends on the date, score marked leads, and test a version."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from leadflood.domains.icps import queries
from leadflood.domains.icps.contracts.backtests import BacktestResult
from leadflood.domains.icps.events import (
    CHECK_DRIFT,
    PUBLISH_VERSION,
    RESCORE_DAILY,
    RESCORE_PENDING,
    RESCORE_VERSION,
    RUN_BACKTEST,
    BacktestPayload,
    VersionPayload,
)
from leadflood.domains.icps.service import backtests, drift, publishing, rescoring
from leadflood.domains.icps.store import scoring
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob, NoPayload, RunningJob
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition, Later
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db import writers
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction

_MAX_SECONDS: Final = 6 * 3600.0
"""Seconds for all leads of a workspace. Each chunk is committed, and the next attempt continues after it."""
_POLL_SECONDS: Final = 0.1
_POLLS: Final = 600
_LATER: Final = timedelta(seconds=30)
_PURGED: Final = 5_000
"""Scores that are deleted in one transaction."""


def definitions(database: Database) -> list[JobDefinition[Any]]:
    """The jobs. `database`: for transactions across workspaces."""

    async def rescore_pending(_context: JobContext[NoPayload]) -> None:
        async with database.system(read_only=True) as tx:
            workspace_ids = await queries.marked_workspaces(tx)
        for workspace_id in workspace_ids:
            scored = rescoring.MAX_LEADS
            while scored:
                async with database.transaction(workspace_id) as tx:
                    scored = await rescoring.rescore_pending(tx, Actor.system(workspace_id))

    async def rescore_daily(_context: JobContext[NoPayload]) -> None:
        async with database.system(read_only=True) as tx:
            workspace_ids = await queries.workspaces_with_versions(tx)
        for workspace_id in workspace_ids:
            await _purge(database, workspace_id)
            async with database.transaction(workspace_id) as tx:
                live = [row for row in await queries.scored_rows(tx, workspace_id) if row.state == "live"]
                new = [NewJob(RESCORE_VERSION, VersionPayload(version_id=row.id), row.icp_id) for row in live]
                if new:
                    await jobs.enqueue(tx, Actor.system(workspace_id), jobs=new)

    async def check_drift(_context: JobContext[NoPayload]) -> None:
        async with database.system(read_only=True) as tx:
            workspace_ids = await queries.workspaces_with_versions(tx)
        for workspace_id in workspace_ids:
            await _check_drift(database, Actor.system(workspace_id))

    return [
        JobDefinition(CHECK_DRIFT, check_drift, timeout=_MAX_SECONDS),
        JobDefinition(PUBLISH_VERSION, _publish, timeout=_MAX_SECONDS, on_failed=_give_up),
        JobDefinition(RESCORE_VERSION, _rescore, timeout=_MAX_SECONDS),
        JobDefinition(RUN_BACKTEST, _backtest, timeout=_MAX_SECONDS, on_failed=_fail_backtest),
        JobDefinition(RESCORE_PENDING, rescore_pending),
        JobDefinition(RESCORE_DAILY, rescore_daily),
    ]


async def _publish(context: JobContext[VersionPayload]) -> Complete[UUID] | Later:
    """Wait for transactions that began before the publication, score all leads, and show the scores."""
    version_id = context.payload.version_id
    async with context.transaction() as tx:
        row = await queries.version_row(tx, context.job.workspace_id, version_id=version_id)
        after_id = row.after_id if row is not None else None
        began = await writers.horizon(tx)
    if after_id is None and not await _ended_before(context, began):
        return Later(utc_now() + _LATER, "Another change of data has not ended yet.")
    await _score_all(context, after_id)
    async with context.transaction() as tx:
        await drift.remember(tx, context.actor, version_id=version_id)
    return Complete(_finish, version_id)


async def _ended_before(context: JobContext[VersionPayload], began: int) -> bool:
    """Whether all transactions below this number end within a minute."""
    for _ in range(_POLLS):
        async with context.own_transaction() as tx:
            if await writers.oldest_writer(tx) >= began:
                return True
        await asyncio.sleep(_POLL_SECONDS)
    return False


async def _score_all(context: JobContext[VersionPayload], after_id: UUID | None) -> None:
    while True:
        async with context.transaction() as tx:
            after_id = await publishing.score_chunk(
                tx, context.actor, version_id=context.payload.version_id, after_id=after_id
            )
        if after_id is None:
            return


async def _rescore(context: JobContext[VersionPayload]) -> None:
    await _score_all(context, None)


async def _finish(tx: Transaction, actor: Actor, ended: Sequence[tuple[RunningJob, UUID]]) -> None:
    for _, version_id in ended:
        await publishing.finish(tx, actor, version_id=version_id)


async def _give_up(tx: Transaction, job: RunningJob, payload: VersionPayload | None, _error: str) -> None:
    if payload is not None:
        await publishing.give_up(tx, Actor.system(job.workspace_id), version_id=payload.version_id)


async def _backtest(context: JobContext[BacktestPayload]) -> Complete[tuple[UUID, BacktestResult | None]]:
    backtest_id = context.payload.backtest_id
    result = await backtests.measure(context.transaction, context.actor, backtest_id=backtest_id)
    return Complete(_finish_backtests, (backtest_id, result))


async def _finish_backtests(
    tx: Transaction, actor: Actor, ended: Sequence[tuple[RunningJob, tuple[UUID, BacktestResult | None]]]
) -> None:
    for _, (backtest_id, result) in ended:
        await backtests.finish(tx, actor, backtest_id=backtest_id, result=result)


async def _fail_backtest(tx: Transaction, job: RunningJob, payload: BacktestPayload | None, _error: str) -> None:
    if payload is not None:
        actor = Actor.system(job.workspace_id)
        await backtests.finish(tx, actor, backtest_id=payload.backtest_id, result=None)


async def _check_drift(database: Database, actor: Actor) -> None:
    """Check the live versions of a workspace, each in a transaction of its own."""
    async with database.transaction(actor.workspace_id, read_only=True) as tx:
        version_ids = [row.id for row in await queries.scored_rows(tx, actor.workspace_id) if row.state == "live"]
    for version_id in version_ids:
        async with database.transaction(actor.workspace_id) as tx:
            await drift.check(tx, actor, version_id=version_id)
        async with database.transaction(actor.workspace_id) as tx:
            await drift.begin_monthly_test(tx, actor, version_id=version_id)


async def _purge(database: Database, workspace_id: UUID) -> None:
    purged = _PURGED
    while purged == _PURGED:
        async with database.transaction(workspace_id) as tx:
            purged = await scoring.purge_scores(tx, workspace_id, limit=_PURGED)
