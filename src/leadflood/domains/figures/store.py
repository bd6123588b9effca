"""SQL that counts the timeline of leads. That only grows: counting again gives the same, or more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.figures.models import LATENCY_BOUNDS
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Nothing older is shown, so a new installation does not count it.
_BEGIN = sql("""
INSERT INTO figures_progress (name, counted_until) VALUES ('leads', now() - interval '31 days') ON CONFLICT DO NOTHING
""")

# Two workers that count at the same time do so one after the other, and the second sees what the first has not.
_HOLD = sql("SELECT counted_until, now() AS now FROM figures_progress WHERE name = 'leads' FOR UPDATE")

_ADVANCE = sql("""
UPDATE figures_progress SET counted_until = greatest(counted_until, :until) WHERE name = 'leads'
""")

_PATIENCE = sql("SELECT set_config('statement_timeout', '120s', true)")

# Each quarter is counted as a whole and replaced, never added to: doing it twice changes nothing. The id of the job,
# a UUIDv7, tells when the enrichment was asked for.
_COUNT = sql("""
WITH happened AS (
    SELECT workspace_id, kind, date_bin('15 minutes', at, timestamptz '2000-01-01 00:00:00+00') AS quarter,
           CASE WHEN kind = 'enrichment.completed' THEN width_bucket(
               extract(epoch FROM at)::double precision - 0.001::double precision
               * ('x' || left(data ->> 'jobId', 8) || substr(data ->> 'jobId', 10, 4))::bit(48)::bigint,
               :bounds) END AS slot,
           count(*)::integer AS n
    FROM lead_events
    WHERE at >= :since AND at < :until AND kind IN ('lead.created', 'enrichment.completed', 'enrichment.failed')
    GROUP BY 1, 2, 3, 4
), counted AS (
    SELECT workspace_id, quarter,
           coalesce(sum(n) FILTER (WHERE kind = 'lead.created'), 0) AS created,
           coalesce(sum(n) FILTER (WHERE kind = 'enrichment.completed'), 0) AS enriched,
           coalesce(sum(n) FILTER (WHERE kind = 'enrichment.failed'), 0) AS failed,
           jsonb_object_agg(slot, n) FILTER (WHERE slot IS NOT NULL) AS slots
    FROM happened
    GROUP BY workspace_id, quarter
)
INSERT INTO workspace_figures AS f (workspace_id, quarter, created, enriched, failed, latency)
SELECT workspace_id, quarter, created, enriched, failed,
       ARRAY(SELECT coalesce((slots ->> slot::text)::integer, 0) FROM generate_series(0, cardinality(:bounds)) slot)
FROM counted
ON CONFLICT (workspace_id, quarter) DO UPDATE
SET created = excluded.created, enriched = excluded.enriched, failed = excluded.failed, latency = excluded.latency
WHERE (f.created, f.enriched, f.failed, f.latency)
      IS DISTINCT FROM (excluded.created, excluded.enriched, excluded.failed, excluded.latency)
RETURNING workspace_id
""")

_TOTALS = sql("""
INSERT INTO workspace_figures AS f (workspace_id, quarter, leads_total)
SELECT workspace_id, date_bin('15 minutes', now(), timestamptz '2000-01-01 00:00:00+00'), count(*)
FROM leads
WHERE deleted_at IS NULL
GROUP BY workspace_id
ON CONFLICT (workspace_id, quarter) DO UPDATE SET leads_total = excluded.leads_total
""")

_FORGET = sql("DELETE FROM workspace_figures WHERE quarter < now() - interval '400 days'")


@dataclass(frozen=True, slots=True)
class Progress:
    """Up to when everything was counted, and what time it is."""

    counted_until: datetime
    now: datetime


async def hold(tx: Transaction) -> Progress:
    """How far counting is, held until the transaction ends. Needs a transaction across workspaces, as all here."""
    await tx.execute(_PATIENCE)
    await tx.execute(_BEGIN)
    row = (await tx.all(_HOLD))[0]
    return Progress(row.counted_until, row.now)


async def count(tx: Transaction, *, since: datetime, until: datetime) -> Sequence[UUID]:
    """Count what happened from `since`, the start of a quarter, to `until`. Returns whose figures changed."""
    rows = await tx.all(_COUNT, {"since": since, "until": until, "bounds": list(LATENCY_BOUNDS)})
    await tx.execute(_ADVANCE, {"until": until})
    return [row.workspace_id for row in rows]


async def count_leads(tx: Transaction) -> None:
    """Keep how many leads each workspace has now, and forget figures that nobody asks for any more."""
    await tx.execute(_PATIENCE)
    await tx.execute(_TOTALS)
    await tx.execute(_FORGET)
