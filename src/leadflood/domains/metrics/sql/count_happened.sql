-- The same for the rows of one metric's own query.
INSERT INTO workspace_metrics AS m (workspace_id, metric, quarter, value)
SELECT h.workspace_id, :metric::text, date_bin('15 minutes', h.at, timestamptz '2000-01-01 00:00:00+00'), count(*)
FROM ({happened}) h
GROUP BY 1, 3
ON CONFLICT (workspace_id, metric, quarter) DO UPDATE SET value = excluded.value WHERE m.value <> excluded.value
RETURNING workspace_id
