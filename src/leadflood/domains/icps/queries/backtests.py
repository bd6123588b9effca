"""SQL that reads backtests, and the outcomes that they are made of."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from leadflood.domains.icps.contracts.backtests import BacktestResult, BacktestView
from leadflood.domains.icps.errors import BacktestNotFound
from leadflood.domains.icps.models.backtest import FactsOf
from leadflood.domains.icps.queries import get_icp
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction

# Backtests of profiles that are not deleted. A command that tests by itself for an hour was killed.
_BACKTESTS = sql("""
SELECT b.id, b.icp_id, b.version_id, b.live_version_id, v.number, l.number AS live_number, b.facts, b.job_id,
       CASE WHEN b.state = 'running' AND b.job_id IS NULL AND b.created_at < now() - interval '1 hour' THEN 'failed'
            ELSE b.state END AS state,
       v.changed_at > b.changed_at AS outdated, b.created_at, b.ended_at, b.since, {result} AS result
FROM icp_backtests b
JOIN icps i ON i.workspace_id = b.workspace_id AND i.id = b.icp_id AND i.deleted_at IS NULL
JOIN icp_versions v ON v.workspace_id = b.workspace_id AND v.id = b.version_id
LEFT JOIN icp_versions l ON l.workspace_id = b.workspace_id AND l.id = b.live_version_id
WHERE b.workspace_id = :workspace_id AND {condition}
ORDER BY b.created_at DESC, b.id DESC LIMIT :limit
""")
_WITH_RESULT = sql("b.result::text")
_ONE = assemble(_BACKTESTS, result=_WITH_RESULT, condition=sql("b.id = :backtest_id"))
_LATEST = assemble(_BACKTESTS, result=_WITH_RESULT, condition=sql("b.icp_id = :icp_id AND b.since IS NULL"))
_LATEST_DONE = assemble(
    _BACKTESTS, result=_WITH_RESULT, condition=sql("b.icp_id = :icp_id AND b.since IS NULL AND b.state = 'done'")
)
_SINCE = assemble(
    _BACKTESTS,
    result=_WITH_RESULT,
    condition=sql("b.version_id = :version_id AND b.since IS NOT NULL AND b.state = ANY (:states::text[])"),
)
_LISTED = assemble(_BACKTESTS, result=sql("NULL"), condition=sql("b.icp_id = :icp_id"))

# Whether a job tests a version of the profile.
_RUNS = sql("""
SELECT EXISTS (SELECT FROM icp_backtests
               WHERE workspace_id = :workspace_id AND icp_id = :icp_id AND state = 'running' AND job_id IS NOT NULL)
""")

# The next leads with an outcome, in the order of their IDs: the latest won or lost of each, or else the latest thumb.
_OUTCOMES = sql("""
SELECT n.lead_id, o.outcome, o.at
FROM (
    SELECT DISTINCT lead_id FROM icp_outcomes
    WHERE workspace_id = :workspace_id AND (:after_id::uuid IS NULL OR lead_id > :after_id)
      AND (:since::timestamptz IS NULL OR at > :since)
    ORDER BY lead_id LIMIT :limit
) n
CROSS JOIN LATERAL (
    SELECT outcome, at FROM icp_outcomes
    WHERE workspace_id = :workspace_id AND lead_id = n.lead_id AND (:since::timestamptz IS NULL OR at > :since)
    ORDER BY outcome IN ('won', 'lost') DESC, at DESC, id DESC LIMIT 1
) o
ORDER BY n.lead_id
""")

# Leads that are not deleted.
_ACTIVE = sql("""
SELECT id FROM leads WHERE workspace_id = :workspace_id AND id = ANY (:lead_ids::uuid[]) AND deleted_at IS NULL
""")


async def get_backtest(tx: Transaction, actor: Actor, *, backtest_id: UUID) -> BacktestView:
    """A backtest with its result. Raises: BacktestNotFound."""
    row = await backtest_row(tx, actor.workspace_id, backtest_id=backtest_id)
    if row is None:
        raise BacktestNotFound
    return _view(row)


async def latest_backtest(tx: Transaction, actor: Actor, *, icp_id: UUID, done: bool = False) -> BacktestView | None:
    """The latest backtest of a profile, with its result. `done`: the latest that has one."""
    values = {"workspace_id": actor.workspace_id, "icp_id": icp_id, "limit": 1}
    row = await tx.first(_LATEST_DONE if done else _LATEST, values)
    return _view(row) if row is not None else None


async def latest_since(tx: Transaction, actor: Actor, *, version_id: UUID, done: bool = True) -> BacktestView | None:
    """The latest monthly backtest of a version. `done`: the latest that has a result."""
    states = ["done"] if done else ["done", "running"]
    values = {"workspace_id": actor.workspace_id, "version_id": version_id, "states": states, "limit": 1}
    row = await tx.first(_SINCE, values)
    return _view(row) if row is not None else None


async def list_backtests(tx: Transaction, actor: Actor, *, icp_id: UUID, limit: int) -> list[BacktestView]:
    """The latest backtests of a profile, without their results. Raises: IcpNotFound."""
    await get_icp(tx, actor, icp_id=icp_id)
    values = {"workspace_id": actor.workspace_id, "icp_id": icp_id, "limit": limit}
    return [_view(row) for row in await tx.all(_LISTED, values)]


async def backtest_row(tx: Transaction, workspace_id: UUID, *, backtest_id: UUID) -> Row | None:
    """A backtest as a row, for its job."""
    return await tx.first(_ONE, {"workspace_id": workspace_id, "backtest_id": backtest_id, "limit": 1})


async def has_running(tx: Transaction, actor: Actor, *, icp_id: UUID) -> bool:
    """Whether a job tests a version of the profile."""
    return bool(await tx.scalar(_RUNS, {"workspace_id": actor.workspace_id, "icp_id": icp_id}))


async def next_outcomes(
    tx: Transaction, workspace_id: UUID, *, after_id: UUID | None, since: datetime | None, limit: int
) -> Sequence[Row]:
    """The outcomes of the next leads, one of each, after a time if one is given. Deleted leads are included."""
    values = {"workspace_id": workspace_id, "after_id": after_id, "since": since, "limit": limit}
    return await tx.all(_OUTCOMES, values)


async def active_ids(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of the leads that are not deleted."""
    rows = await tx.all(_ACTIVE, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return frozenset(row.id for row in rows)


def _view(row: Row) -> BacktestView:
    return BacktestView(
        id=row.id,
        icp_id=row.icp_id,
        number=row.number,
        live_number=row.live_number,
        facts=FactsOf(row.facts),
        state=row.state,
        job_id=row.job_id,
        outdated=row.outdated,
        created_at=row.created_at,
        ended_at=row.ended_at,
        since=row.since,
        result=BacktestResult.model_validate_json(row.result) if row.result is not None else None,
    )
