"""SQL that counts the timeline of leads. That only grows: counting again gives the same, or more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.metrics.models import LATENCY_BOUNDS
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction

# Record that counting begins. Nothing older is shown, so a new installation does not count it.
_BEGIN = sql("""
INSERT INTO figures_progress (name, counted_until) VALUES ('leads', now() - interval '31 days') ON CONFLICT DO NOTHING
""")

# How far counting is, locked: two workers count one after the other, and the second sees what the first has not.
_LOCK_PROGRESS = sql("SELECT counted_until, now() AS now FROM figures_progress WHERE name = 'leads' FOR UPDATE")

# Record how far counting is.
_ADVANCE = sql("""
UPDATE figures_progress SET counted_until = greatest(counted_until, :until) WHERE name = 'leads'
""")

_SECONDS = 120
"""For each statement here: counting reads all of a workspace."""

_AGGREGATE = assemble(
    sql_file("leadflood.domains.metrics.sql", "count"),
    latency_slot=sql_file("leadflood.domains.metrics.sql", "latency_slot"),
)

# Record how many leads each workspace has now.
_TOTALS = sql("""
INSERT INTO workspace_figures AS f (workspace_id, quarter, leads_total)
SELECT workspace_id, date_bin('15 minutes', now(), timestamptz '2000-01-01 00:00:00+00'), count(*)
FROM leads
WHERE deleted_at IS NULL
GROUP BY workspace_id
ON CONFLICT (workspace_id, quarter) DO UPDATE SET leads_total = excluded.leads_total
""")

# Delete figures that are no longer shown.
_PURGE_EXPIRED = sql("DELETE FROM workspace_figures WHERE quarter < now() - interval '400 days'")


@dataclass(frozen=True, slots=True)
class AggregationProgress:
    """Up to when everything was counted, and what time it is."""

    counted_until: datetime
    now: datetime


async def lock_progress(tx: Transaction) -> AggregationProgress:
    """How far counting is, held until the transaction ends. Needs a transaction across workspaces, as all here."""
    await tx.limit(statement=_SECONDS)
    await tx.execute(_BEGIN)
    row = (await tx.all(_LOCK_PROGRESS))[0]
    return AggregationProgress(row.counted_until, row.now)


async def aggregate(tx: Transaction, *, since: datetime, until: datetime) -> Sequence[UUID]:
    """Count what happened from `since`, the start of a quarter, to `until`. Returns whose figures changed."""
    rows = await tx.all(_AGGREGATE, {"since": since, "until": until, "bounds": list(LATENCY_BOUNDS)})
    await tx.execute(_ADVANCE, {"until": until})
    return [row.workspace_id for row in rows]


async def aggregate_lead_totals(tx: Transaction) -> None:
    """Store how many leads each workspace has now, and purge expired metrics."""
    await tx.limit(statement=_SECONDS)
    await tx.execute(_TOTALS)
    await tx.execute(_PURGE_EXPIRED)
