-- Stage incoming rows, each with what it does. Returns how many rows do what, and how many change or keep which field.
WITH placed AS (
    SELECT i.*, row_number() OVER (PARTITION BY i.email_norm
                                   ORDER BY CASE WHEN :last_wins::boolean THEN -i.row_no ELSE i.row_no END) AS place
    FROM incoming_rows i
), compared AS (
{compared}
), judged AS (
    SELECT c.*,
           CASE WHEN forced_action IS NOT NULL THEN forced_action
                WHEN repeated THEN 'skip'
                WHEN found_id IS NULL THEN CASE WHEN :mode = 'update_only' THEN 'skip' ELSE 'create' END
                WHEN :mode = 'create_only' THEN 'skip'
                WHEN changes = '{}' THEN 'unchanged'
                WHEN overfull THEN 'reject'
                ELSE 'update' END AS action
    FROM compared c
), staged AS (
    INSERT INTO import_rows (workspace_id, import_id, row_no, action, reason, lead_id, lead_version, email, email_norm,
                             {fields}, source, owner_id, custom_fields, changes, faults, raw, related)
    SELECT :workspace_id, :import_id, j.row_no, j.action,
           CASE WHEN j.forced_action IS NOT NULL THEN j.reason
                WHEN j.repeated THEN 'duplicate_in_file'
                WHEN j.action = 'skip' THEN CASE WHEN j.found_id IS NULL THEN 'no_such_lead' ELSE 'lead_exists' END END,
           CASE WHEN j.action = 'create' THEN j.lead_id WHEN NOT coalesce(j.repeated, false) THEN j.found_id END,
           CASE WHEN NOT coalesce(j.repeated, false) THEN j.version END,
           j.email, CASE WHEN j.action <> 'reject' AND NOT coalesce(j.repeated, true) THEN j.email_norm END,
           {given}, n.new_source, n.new_owner_id, n.custom_fields,
           CASE WHEN j.action = 'update' THEN j.changes END,
           CASE WHEN j.action = 'reject' AND j.forced_action IS NULL THEN :overfull_fault ELSE j.faults END,
           CASE WHEN j.action = 'reject' THEN j.raw END,
           CASE WHEN j.action IN ('create', 'update', 'unchanged') THEN j.related END
    FROM judged j LEFT JOIN LATERAL (
        SELECT {judged}, j.new_source, j.new_owner_id, j.custom_fields
    ) n ON j.action = 'create'
    RETURNING action
)
SELECT 'action' AS what, action AS name, count(*) AS n FROM staged GROUP BY action
UNION ALL
SELECT 'changed', split_part(key, '.', 1), count(DISTINCT row_no)
FROM judged CROSS JOIN LATERAL jsonb_object_keys(changes) AS key WHERE action = 'update' GROUP BY 2
UNION ALL
SELECT 'kept', name, count(*)
FROM judged CROSS JOIN LATERAL unnest(kept) AS name WHERE action IN ('update', 'unchanged') GROUP BY 2
