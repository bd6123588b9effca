"""The job that retracts the values of many leads and companies, part by part."""

from typing import Any, Final

from leadflood.domains.enrichment.events import RETRACT_VALUES, RetractValuesPayload
from leadflood.domains.enrichment.service import retractions
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

_MAX_SECONDS: Final = 6 * 3600.0
"""Seconds for all of them. Each part is committed, and another attempt continues."""


def retracting() -> list[JobDefinition[Any]]:
    """The job."""
    return [JobDefinition(RETRACT_VALUES, _retract, on_failed=_failed, timeout=_MAX_SECONDS)]


async def _retract(context: JobContext[RetractValuesPayload]) -> None:
    more = True
    while more:
        async with context.transaction() as tx:
            more = await retractions.retract_more(
                tx, context.actor, retraction_id=context.payload.retraction_id, trace=context.job.trace
            )


async def _failed(tx: Transaction, job: RunningJob, payload: RetractValuesPayload | None, _error: str) -> None:
    retraction_id = payload.retraction_id if payload else job.subject_id
    if retraction_id is not None:
        await retractions.end(tx, Actor.system(job.workspace_id), retraction_id=retraction_id)
