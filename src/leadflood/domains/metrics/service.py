"""Verbs of figures: counting."""

from datetime import timedelta

from leadflood.domains.metrics import store
from leadflood.domains.metrics.models import quarter_of
from leadflood.kernel.db.database import Database

_STEP = timedelta(hours=1)


async def aggregate(database: Database, *, lookback: timedelta) -> None:
    """Count all that was not counted yet, and the last `lookback` once more, hour by hour.

    An event has the time at which its transaction began, and is seen when that is committed: `lookback` is how long a
    transaction may take without being missed. Each hour is a transaction of its own, so what was counted before a
    kill stays counted.
    """
    since = None
    while True:
        async with database.system() as tx:
            progress = await store.lock_progress(tx)
            latest = max(progress.counted_until, progress.now)
            if since is None:
                since = quarter_of(min(progress.counted_until, progress.now) - lookback)
            until = min(since + _STEP, latest)
            tx.mark(*set(await store.aggregate(tx, since=since, until=until)))
        if until == latest:
            return
        since = until


async def aggregate_lead_totals(database: Database) -> None:
    """Count how many leads each workspace has."""
    async with database.system() as tx:
        await store.aggregate_lead_totals(tx)
