-- Part of stage.sql: each incoming row with the lead that has its address, and what it would change there.
-- Each row meets the lead with its address by one look-up. PostgreSQL knows nothing of
-- a temporary table, and little of rows that came just now. LIMIT keeps it from reading all of them instead; the order,
-- which an equality would make void, and no sorting, keep it from every index but the one of addresses.
SELECT i.*, l.id AS found_id, l.version,
       plain.changes || CASE WHEN custom.overfull THEN '{}' ELSE coalesce(custom.changes, '{}') END AS changes,
       plain.kept || coalesce(custom.kept, '{}') AS kept,
       coalesce(custom.overfull, false) AS overfull
FROM incoming_rows i
LEFT JOIN LATERAL (
    SELECT * FROM leads l
    WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NULL
      AND l.email_norm >= i.email_norm AND l.email_norm <= i.email_norm
    ORDER BY l.email_norm LIMIT 1
) l ON i.forced_action IS NULL AND i.duplicate_of IS NULL
LEFT JOIN LATERAL ({plain}) plain ON true
LEFT JOIN LATERAL ({custom}) custom ON true
