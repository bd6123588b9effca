-- Count what happened by quarter of an hour, and replace the counts that differ: doing it twice changes nothing.
WITH happened AS (
    SELECT workspace_id, kind, date_bin('15 minutes', at, timestamptz '2000-01-01 00:00:00+00') AS quarter,
           {latency_slot} AS slot, count(*)::integer AS n
    FROM lead_events e
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
