-- Histograms of the time to enrich by quarter of an hour. Those that differ are replaced: doing it twice changes nothing.
WITH completed AS (
    SELECT workspace_id, date_bin('15 minutes', at, timestamptz '2000-01-01 00:00:00+00') AS quarter,
           {latency_slot} AS slot, count(*)::integer AS n
    FROM lead_events e
    WHERE at >= :since AND at < :until AND kind = 'enrichment.completed'
    GROUP BY 1, 2, 3
), counted AS (
    SELECT workspace_id, quarter, jsonb_object_agg(slot, n) FILTER (WHERE slot IS NOT NULL) AS slots
    FROM completed
    GROUP BY workspace_id, quarter
)
INSERT INTO workspace_figures AS f (workspace_id, quarter, latency)
SELECT workspace_id, quarter,
       ARRAY(SELECT coalesce((slots ->> slot::text)::integer, 0) FROM generate_series(0, cardinality(:bounds)) slot)
FROM counted
ON CONFLICT (workspace_id, quarter) DO UPDATE SET latency = excluded.latency WHERE f.latency <> excluded.latency
RETURNING workspace_id
