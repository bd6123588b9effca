-- Where the last of several rows with an address counts: turn earlier ones, staged before, into duplicates.
UPDATE import_rows r
SET action = 'skip', reason = 'duplicate_in_file', email_norm = NULL, changes = NULL, lead_id = NULL, related = NULL,
    given = NULL, duplicate_of = old.later,
    {fields}, custom_fields = NULL, search_text = NULL
FROM (SELECT x.row_no, x.action, x.changes, max(i.row_no) AS later
      FROM incoming_rows i
      CROSS JOIN LATERAL (SELECT e.row_no, e.action, e.changes FROM import_rows e
                          WHERE e.workspace_id = :workspace_id AND e.import_id = :import_id AND e.row_no < :first
                            AND e.email_norm >= i.email_norm AND e.email_norm <= i.email_norm
                          ORDER BY e.email_norm LIMIT 1) x
      WHERE i.forced_action IS NULL
      GROUP BY x.row_no, x.action, x.changes) old
WHERE r.workspace_id = :workspace_id AND r.import_id = :import_id AND r.row_no = old.row_no
RETURNING old.action, old.changes
