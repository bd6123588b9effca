-- Budgets with their present window; those for each lead have none here.
SELECT b.id, b.scope, b.subject, b.period, b.limit_micros, b.state, b.version, b.created_at,
       coalesce(s.currency, 'EUR') AS currency, w.id AS window_id, w.reserved_micros, w.in_doubt_micros, w.spent_micros,
       w.starts_at, w.ends_at
FROM budgets b
LEFT JOIN spending_settings s ON s.workspace_id = b.workspace_id
LEFT JOIN budget_windows w ON w.workspace_id = b.workspace_id AND w.budget_id = b.id AND b.scope <> 'lead'
    AND (w.ends_at IS NULL OR w.starts_at <= now() AND w.ends_at > now())
WHERE b.workspace_id = :workspace_id AND {condition}
