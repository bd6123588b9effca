"""Drift of live versions: the distribution of scores is stored at publishing, and compared with later ones.

Besides, a live version is tested once a month on the outcomes since it was published, which it cannot have been made
for.
"""

from uuid import UUID

from leadflood.domains.icps import queries
from leadflood.domains.icps.events import ICP_DRIFTED, RUN_BACKTEST, BacktestPayload, DriftData
from leadflood.domains.icps.models.backtest import FactsOf
from leadflood.domains.icps.models.drift import MONTH, Drift, compare
from leadflood.domains.icps.queries import backtests as backtest_queries
from leadflood.domains.icps.queries import drift as drift_queries
from leadflood.domains.icps.service.backtests import KEPT
from leadflood.domains.icps.store import backtests as backtest_store
from leadflood.domains.icps.store import drift as store
from leadflood.domains.icps.store import lock_icp
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.jobs.publishing import publish
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event
from leadflood.kernel.ids import new_id


async def remember(tx: Transaction, actor: Actor, *, version_id: UUID) -> None:
    """Store the distribution of a version whose leads are all scored."""
    found = await drift_queries.distribution(tx, actor.workspace_id, version_id=version_id)
    before = drift_queries.written_distribution(found)
    await store.remember(tx, actor.workspace_id, version_id=version_id, before=before)


async def check(tx: Transaction, actor: Actor, *, version_id: UUID) -> Drift | None:
    """Compare the scores of a live version with those at publishing. None: there is nothing to compare with yet.

    An event tells it once when the distributions begin to differ, and again only after they were alike.
    """
    row = await queries.version_row(tx, actor.workspace_id, version_id=version_id)
    if row is None or row.state != "live":
        return None
    stored = await drift_queries.stored_drift(tx, actor.workspace_id, version_id=version_id)
    if stored is None:
        await remember(tx, actor, version_id=version_id)
        return None
    after = await drift_queries.distribution(tx, actor.workspace_id, version_id=version_id)
    found = compare(drift_queries.read_distribution(stored.before), after)
    written = drift_queries.written_distribution(after)
    was_above = await store.checked(
        tx,
        actor.workspace_id,
        version_id=version_id,
        after=written,
        stability=found.stability,
        drifted=found.is_above,
    )
    if found.is_above and not was_above:
        data = DriftData(number=row.number, stability=round(found.stability or 0, 4))
        await publish(tx, ICP_DRIFTED, [Event(row.icp_id, data, actor)])
    return found


async def begin_monthly_test(tx: Transaction, actor: Actor, *, version_id: UUID) -> bool:
    """Begin to test a live version on the outcomes since it was published, if it is time. Returns whether it is."""
    row = await queries.version_row(tx, actor.workspace_id, version_id=version_id)
    if row is None or row.state != "live" or row.published_at is None:
        return False
    await lock_icp(tx, actor.workspace_id, row.icp_id)
    last = await backtest_queries.latest_since(tx, actor, version_id=version_id, done=False)
    since = last.created_at if last is not None else row.published_at
    if utc_now() - since < MONTH or not await drift_queries.has_outcomes_since(tx, actor.workspace_id, since):
        return False
    backtest_id, job_id = new_id(), new_id()
    await backtest_store.insert(
        tx,
        actor,
        backtest_id=backtest_id,
        version=row,
        live_version_id=None,
        facts=FactsOf.BEFORE,
        job_id=job_id,
        since=row.published_at,
    )
    await backtest_store.trim(tx, actor.workspace_id, row.icp_id, kept=KEPT)
    job = NewJob(RUN_BACKTEST, BacktestPayload(backtest_id=backtest_id), row.icp_id, id=job_id)
    await jobs.enqueue(tx, actor, jobs=[job])
    return True
