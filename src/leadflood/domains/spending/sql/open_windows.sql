-- Open windows of budgets, which cannot be changed meanwhile. In order, so that two that open several cannot deadlock.
INSERT INTO budget_windows (workspace_id, id, budget_id, key, limit_micros, state, starts_at, ends_at)
SELECT b.workspace_id, n.id, b.id, n.key, b.limit_micros, b.state,
       date_trunc(nullif(b.period, 'total'), local) AT TIME ZONE zone,
       (date_trunc(nullif(b.period, 'total'), local) + CASE b.period WHEN 'day' THEN interval '1 day' WHEN 'month' THEN interval '1 month' END) AT TIME ZONE zone
FROM (
    SELECT zone, now() AT TIME ZONE zone AS local
    FROM (SELECT coalesce(max(time_zone), 'UTC') AS zone FROM spending_settings
          WHERE workspace_id = :workspace_id) AS place
) AS clock
CROSS JOIN unnest(:ids::uuid[], :budget_ids::uuid[], :keys::text[]) AS n (id, budget_id, key)
JOIN budgets b ON b.workspace_id = :workspace_id AND b.id = n.budget_id
ORDER BY b.id, n.key
FOR SHARE OF b
ON CONFLICT (workspace_id, budget_id, key) DO NOTHING
