"""Jobs of rules: run them on leads whose tier has changed, and find changes that no mark tells of."""

import asyncio
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.errors import Retryable
from leadflood.domains.jobs.models import NewJob, NoPayload
from leadflood.domains.jobs.registry import JobContext, JobDefinition, Later
from leadflood.domains.rules import queries, store
from leadflood.domains.rules.events import COMPARE_DAILY, COMPARE_TIERS, RUN_RULES, ProfilePayload
from leadflood.domains.rules.service import running
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db import writers
from leadflood.kernel.db.database import Database

RETENTION_DAYS: Final = 90
"""Days for which runs are kept. Timelines of leads keep theirs."""
_MAX_SECONDS: Final = 6 * 3600.0
"""Seconds for all leads. Each batch is committed, and the next attempt continues after it."""
_POLL_SECONDS: Final = 0.1
_POLLS: Final = 600
_LATER: Final = timedelta(seconds=30)
_PURGED: Final = 5_000
"""Runs that are deleted in one transaction."""

_log = structlog.get_logger()


def definitions(database: Database) -> list[JobDefinition[Any]]:
    """The jobs. `database`: for transactions across workspaces."""

    async def run_rules(_context: JobContext[NoPayload]) -> None:
        async with database.system(read_only=True) as tx:
            workspace_ids = await queries.marked_workspaces(tx)
        failed = False
        while workspace_ids:  # a batch of each in turn: none waits for all changes of another one
            done = {workspace_id: await _run_batch(database, workspace_id) for workspace_id in workspace_ids}
            failed = failed or None in done.values()
            workspace_ids = [workspace_id for workspace_id, count in done.items() if count]
        if failed:
            raise Retryable("Rules of some workspaces could not be run. The log has the reasons.")

    async def compare_daily(_context: JobContext[NoPayload]) -> None:
        async with database.system(read_only=True) as tx:
            watched = await queries.watched_profiles(tx)
            workspace_ids = await queries.workspaces_with_rules(tx)
        for workspace_id, icp_id in watched:
            async with database.transaction(workspace_id) as tx:
                new = NewJob(COMPARE_TIERS, ProfilePayload(icp_id=icp_id), icp_id)
                await jobs.enqueue(tx, Actor.system(workspace_id), jobs=[new])
        for workspace_id in workspace_ids:
            purged = _PURGED
            while purged == _PURGED:
                async with database.transaction(workspace_id) as tx:
                    purged = await store.purge_runs(tx, workspace_id, days=RETENTION_DAYS, limit=_PURGED)

    return [
        JobDefinition(RUN_RULES, run_rules, timeout=_MAX_SECONDS),
        JobDefinition(COMPARE_TIERS, _compare, timeout=_MAX_SECONDS),
        JobDefinition(COMPARE_DAILY, compare_daily),
    ]


async def _run_batch(database: Database, workspace_id: UUID) -> int | None:
    """The number of changes of tiers for which rules were run; None: it failed."""
    try:
        async with database.transaction(workspace_id) as tx:
            return await running.run_marked(tx, Actor.system(workspace_id))
    except Exception:  # noqa: BLE001  what is wrong in one workspace must not stop the rules of others
        _log.exception("rules.run_failed", workspace_id=str(workspace_id))
        return None


async def _compare(context: JobContext[ProfilePayload]) -> Later | None:
    """Wait for transactions that began before the publication or the rule, and mark what has moved."""
    async with context.transaction() as tx:
        began = await writers.horizon(tx)
    for _ in range(_POLLS):
        async with context.own_transaction() as tx:
            ended = await writers.oldest_writer(tx) >= began
        if ended:
            break
        await asyncio.sleep(_POLL_SECONDS)
    else:
        return Later(utc_now() + _LATER, "Another change of data has not ended yet.")
    async with context.transaction() as tx:
        await running.compare_tiers(tx, context.actor, icp_id=context.payload.icp_id)
    return None
