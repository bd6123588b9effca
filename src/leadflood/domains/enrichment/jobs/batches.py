"""The job that carries a batch on."""

import asyncio
from datetime import timedelta
from typing import Final

from leadflood.domains.enrichment.events import ENRICH_BATCH, EnrichBatch
from leadflood.domains.enrichment.service import batch_walk, batches
from leadflood.domains.enrichment.service.workspace_sources import SourceSets
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import JobContext, JobDefinition, Later
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import monotonic, utc_now
from leadflood.kernel.db.transaction import Transaction

_PAUSE: Final = 0.3
"""Seconds between two looks at what is under way."""
_TURN: Final = 10.0
"""Seconds of an attempt: less than a stopping worker waits for its jobs."""
_SOON: Final = timedelta(seconds=1)
_LOOK_AGAIN: Final = timedelta(minutes=1)
"""Time after which it looks whether a user had the companies read before their time."""
_WAITS_FOR_SOURCES: Final = "Waiting for sources that limit requests."
_WAITS: Final = "Waiting for leads that are being enriched."


def definitions(sources: SourceSets) -> list[JobDefinition[EnrichBatch]]:
    """The job. Args: sources: of each workspace."""

    async def carry_on(context: JobContext[EnrichBatch]) -> Later | None:
        """Take one step after the other, each in its own transaction; killed anywhere, the next attempt continues."""
        end = monotonic() + _TURN
        while True:
            async with context.transaction() as tx:
                about = (await sources.of(tx, context.actor.workspace_id)).companies
                progress = await batch_walk.advance(
                    tx, context.actor, batch_id=context.payload.batch_id, job=context.job, sources=about
                )
                if not progress.ended:
                    await context.report(tx, done=progress.done, total=progress.total)
            if progress.ended:
                return None
            if progress.again is not None:
                latest = utc_now() + _LOOK_AGAIN
                return Later(max(utc_now() + _SOON, min(progress.again, latest)), _WAITS_FOR_SOURCES)
            if monotonic() >= end:
                return Later(utc_now() + timedelta(seconds=_PAUSE), _WAITS)
            if progress.idle:
                await asyncio.sleep(_PAUSE)

    return [JobDefinition(ENRICH_BATCH, carry_on, on_failed=_failed)]


async def _failed(tx: Transaction, job: RunningJob, payload: EnrichBatch | None, error: str) -> None:
    batch_id = payload.batch_id if payload else job.subject_id
    if batch_id is not None:
        await batches.fail(tx, Actor.system(job.workspace_id), batch_id=batch_id, error=error)
