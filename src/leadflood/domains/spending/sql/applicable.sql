-- The windows that purchases of these sources and batches, about these leads or companies, draw on now. A window that
-- does not exist yet has no ID.
WITH clock AS (
    SELECT zone, now() AT TIME ZONE zone AS local
    FROM (SELECT coalesce(max(time_zone), 'UTC') AS zone FROM spending_settings
          WHERE workspace_id = :workspace_id) AS place
)
SELECT b.id AS budget_id, b.scope, b.subject, k.lead_id, k.key, w.id AS window_id
FROM budgets b
CROSS JOIN clock
CROSS JOIN LATERAL (
    SELECT s.id AS lead_id, concat_ws(' ', CASE b.period WHEN 'day' THEN to_char(local, 'YYYY-MM-DD')
                                                         WHEN 'month' THEN to_char(local, 'YYYY-MM') END, s.id) AS key
    FROM unnest(CASE b.scope WHEN 'lead' THEN :subject_ids::uuid[] ELSE ARRAY[NULL]::uuid[] END) AS s (id)
) AS k
LEFT JOIN budget_windows w ON w.workspace_id = b.workspace_id AND w.budget_id = b.id AND w.key = k.key
WHERE b.workspace_id = :workspace_id AND b.state <> 'closed'
  AND (b.scope IN ('workspace', 'lead') OR b.scope = 'source' AND b.subject = ANY (:sources::text[])
       OR b.scope = 'batch' AND b.subject = ANY (:batches::text[]))
