"""Aggregation of metrics."""

from datetime import timedelta

from leadflood.domains.metrics import store
from leadflood.domains.metrics.models import quarter_of
from leadflood.domains.metrics.registry import METRICS
from leadflood.kernel.db.database import Database

_STEP = timedelta(hours=1)


async def aggregate(database: Database, *, lookback: timedelta) -> None:
    """Aggregate new events, and the last `lookback` again, hour by hour.

    An event has the time at which its transaction began, and is visible once it commits: `lookback` is the longest
    transaction that is not missed. Each hour is a separate transaction, so aggregates from before a kill are kept.
    """
    since = None
    while True:
        async with database.system() as tx:
            progress = await store.lock_progress(tx)
            latest = max(progress.counted_until, progress.now)
            if since is None:
                since = quarter_of(min(progress.counted_until, progress.now) - lookback)
            until = min(since + _STEP, latest)
            tx.mark(*set(await store.aggregate(tx, METRICS, since=since, until=until)))
        if until == latest:
            return
        since = until


async def aggregate_lead_totals(database: Database) -> None:
    """Count the leads of each workspace."""
    async with database.system() as tx:
        await store.aggregate_lead_totals(tx)
