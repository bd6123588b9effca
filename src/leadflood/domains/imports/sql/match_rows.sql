-- Find the row with the address of each incoming row: one that is staged already, or one of these. The order makes the
-- look-up use the index of addresses: see compare.sql.
WITH placed AS (
    SELECT ctid AS place, row_no, email_norm,
           first_value(row_no) OVER (PARTITION BY email_norm
                                     ORDER BY CASE WHEN :last_wins::boolean THEN -row_no ELSE row_no END) AS first
    FROM incoming_rows
    WHERE forced_action IS NULL
), matched AS (
    SELECT p.place, coalesce(e.row_no, nullif(p.first, p.row_no)) AS other
    FROM placed p
    LEFT JOIN LATERAL (
        SELECT row_no FROM import_rows e
        WHERE e.workspace_id = :workspace_id AND e.import_id = :import_id
          AND e.email_norm >= p.email_norm AND e.email_norm <= p.email_norm
        ORDER BY e.email_norm LIMIT 1
    ) e ON true
)
UPDATE incoming_rows i SET duplicate_of = m.other
FROM matched m WHERE m.other IS NOT NULL AND i.ctid = m.place
