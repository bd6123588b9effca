"""SQL that aggregates timelines, which are append-only, and metrics: counting again gives the same result, or more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.metrics.models import LATENCY_BOUNDS
from leadflood.kernel.db.sql import Sql, assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.metrics import Metric, MetricRegistry

# Record that aggregation begins: with the first workspace, as nothing happened before it, or with what is still shown.
_BEGIN = sql("""
INSERT INTO figures_progress (name, counted_until)
SELECT 'leads', greatest(coalesce(min(created_at), now()), now() - interval '31 days') FROM workspaces
ON CONFLICT DO NOTHING
""")

# Progress of the aggregation, locked: two workers run one after the other, and the second sees only what is left.
_LOCK_PROGRESS = sql("SELECT counted_until, now() AS now FROM figures_progress WHERE name = 'leads' FOR UPDATE")

# Store the progress of the aggregation.
_ADVANCE = sql("""
UPDATE figures_progress SET counted_until = greatest(counted_until, :until) WHERE name = 'leads'
""")

_SECONDS = 120
"""Timeout of each statement: aggregation reads all of a workspace."""

_COUNT_LATENCY = assemble(
    sql_file("leadflood.domains.metrics.sql", "count_latency"),
    latency_slot=sql_file("leadflood.domains.metrics.sql", "latency_slot"),
)

_COUNT_ENTRIES = sql_file("leadflood.domains.metrics.sql", "count_entries")
_COUNT_HAPPENED = sql_file("leadflood.domains.metrics.sql", "count_happened")

# Store the current number of leads of each workspace.
_TOTALS = sql("""
INSERT INTO workspace_figures AS f (workspace_id, quarter, leads_total)
SELECT workspace_id, date_bin('15 minutes', now(), timestamptz '2000-01-01 00:00:00+00'), count(*)
FROM leads
WHERE deleted_at IS NULL
GROUP BY workspace_id
ON CONFLICT (workspace_id, quarter) DO UPDATE SET leads_total = excluded.leads_total
""")

# Delete metrics past their retention period.
_PURGE_EXPIRED = (
    sql("DELETE FROM workspace_figures WHERE quarter < now() - interval '400 days'"),
    sql("DELETE FROM workspace_metrics WHERE quarter < now() - interval '400 days'"),
)


@dataclass(frozen=True, slots=True)
class AggregationProgress:
    """The time up to which everything is aggregated, and the current time."""

    counted_until: datetime
    now: datetime


async def lock_progress(tx: Transaction) -> AggregationProgress:
    """Lock the progress of the aggregation until the transaction ends. All functions here need a system transaction."""
    await tx.limit(statement=_SECONDS)
    await tx.execute(_BEGIN)
    row = (await tx.all(_LOCK_PROGRESS))[0]
    return AggregationProgress(row.counted_until, row.now)


async def aggregate(tx: Transaction, metrics: MetricRegistry, *, since: datetime, until: datetime) -> Sequence[UUID]:
    """Aggregate events from `since`, the start of a quarter, to `until`. Returns the workspaces with changes."""
    between = {"since": since, "until": until}
    rows = [*await tx.all(_COUNT_LATENCY, {**between, "bounds": list(LATENCY_BOUNDS)})]
    entries = metrics.entries
    rows += await tx.all(_COUNT_ENTRIES, {**between, "kinds": [*entries], "metrics": [*entries.values()]})
    for metric, statement in _happened(metrics):
        rows += await tx.all(statement, {**between, "metric": metric.name})
    await tx.execute(_ADVANCE, {"until": until})
    return [row.workspace_id for row in rows]


def _happened(metrics: MetricRegistry) -> Iterable[tuple[Metric, Sql]]:
    for metric in metrics:
        if metric.happened is not None:
            yield metric, assemble(_COUNT_HAPPENED, happened=metric.happened)


async def aggregate_lead_totals(tx: Transaction) -> None:
    """Store the current number of leads of each workspace, and purge expired metrics."""
    await tx.limit(statement=_SECONDS)
    await tx.execute(_TOTALS)
    for statement in _PURGE_EXPIRED:
        await tx.execute(statement)
