-- Count entries of timelines by metric and quarter of an hour. Counts that differ are replaced: twice changes nothing.
INSERT INTO workspace_metrics AS m (workspace_id, metric, quarter, value)
SELECT e.workspace_id, k.metric, date_bin('15 minutes', e.at, timestamptz '2000-01-01 00:00:00+00'), count(*)
FROM lead_events e
JOIN unnest(:kinds::text[], :metrics::text[]) AS k (kind, metric) ON k.kind = e.kind
WHERE e.at >= :since AND e.at < :until AND e.kind = ANY (:kinds)
GROUP BY 1, 2, 3
ON CONFLICT (workspace_id, metric, quarter) DO UPDATE SET value = excluded.value WHERE m.value <> excluded.value
RETURNING workspace_id
