-- Where the last of several rows with an address counts: turn earlier ones, staged before, into duplicates. An INSERT that
-- conflicts finds them by their primary key, whatever the statistics of the table say.
WITH old AS (
    SELECT x.row_no, x.action, x.changes, max(i.row_no) AS later
    FROM incoming_rows i
    CROSS JOIN LATERAL (SELECT e.row_no, e.action, e.changes FROM import_rows e
                        WHERE e.workspace_id = :workspace_id AND e.import_id = :import_id AND e.row_no < :first
                          AND e.email_norm >= i.email_norm AND e.email_norm <= i.email_norm
                        ORDER BY e.email_norm LIMIT 1) x
    WHERE i.forced_action IS NULL
    GROUP BY x.row_no, x.action, x.changes
), stepped_back AS (
    INSERT INTO import_rows (workspace_id, import_id, row_no, action, reason, duplicate_of)
    SELECT :workspace_id, :import_id, row_no, 'skip', 'duplicate_in_file', later FROM old
    ON CONFLICT (workspace_id, import_id, row_no) DO UPDATE
    SET action = excluded.action, reason = excluded.reason, duplicate_of = excluded.duplicate_of, email_norm = NULL,
        changes = NULL, lead_id = NULL, related = NULL, given = NULL, {fields}, custom_fields = NULL, search_text = NULL
)
SELECT action, changes FROM old
