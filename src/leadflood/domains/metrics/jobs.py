"""The jobs of metrics: aggregating the last minutes every minute, and the last hours every hour."""

from datetime import timedelta

from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.domains.metrics import service
from leadflood.domains.metrics.events import AGGREGATE_METRICS, REBUILD_METRICS
from leadflood.kernel.db.database import Database

_MINUTES = timedelta(minutes=5)
_HOURS = timedelta(hours=3)


def definitions(database: Database) -> list[JobDefinition[NoPayload]]:
    """The jobs of this domain. `database`: for aggregating over all workspaces."""

    async def count(_context: JobContext[NoPayload]) -> None:
        await service.aggregate(database, lookback=_MINUTES)

    async def recount(_context: JobContext[NoPayload]) -> None:
        await service.aggregate(database, lookback=_HOURS)
        await service.aggregate_lead_totals(database)

    return [JobDefinition(AGGREGATE_METRICS, count), JobDefinition(REBUILD_METRICS, recount, timeout=1800.0)]
