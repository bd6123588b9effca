-- Empty the rows of a person. Those that wait for a commit do nothing any more; others keep what they did.
UPDATE {table} t
SET action = CASE WHEN t.action IN ('create', 'update') AND EXISTS (
                           SELECT FROM imports i
                           WHERE i.workspace_id = t.workspace_id AND i.id = t.import_id
                             AND i.status IN ('previewed', 'paused', 'failed') AND t.row_no > i.committed_through)
                  THEN 'skip' ELSE t.action END,
    reason = 'erased', lead_id = NULL, lead_version = NULL, email = NULL, email_norm = NULL,
    {fields}, custom_fields = NULL, related = NULL, search_text = NULL, changes = NULL, faults = NULL, raw = NULL
WHERE t.workspace_id = :workspace_id AND ({found})
