-- Stage incoming rows, each with what it does. Returns how many rows do what, and how many change or keep which field.
-- Recalled rows are staged already.
WITH compared AS (
{compared}
), judged AS (
    SELECT c.*,
           CASE WHEN forced_action IS NOT NULL THEN forced_action
                WHEN duplicate_of IS NOT NULL THEN :repeated_action
                WHEN found_id IS NULL THEN CASE WHEN :mode = 'update_only' THEN 'skip' ELSE 'create' END
                WHEN :mode = 'create_only' THEN 'skip'
                WHEN overfull AND :strict::boolean THEN 'reject'
                WHEN changes = '{}' THEN 'unchanged'
                ELSE 'update' END AS action
    FROM compared c
), staged AS (
    INSERT INTO import_rows (workspace_id, import_id, row_no, action, reason, lead_id, lead_version, email, email_norm,
                             {fields}, source, owner_id, custom_fields, changes, faults, raw, related, duplicate_of,
                             given)
    SELECT :workspace_id, :import_id, j.row_no, j.action,
           CASE WHEN j.forced_action IS NOT NULL THEN j.reason
                WHEN j.duplicate_of IS NOT NULL THEN :repeated_reason
                WHEN j.action = 'skip' THEN CASE WHEN j.found_id IS NULL THEN 'no_such_lead' ELSE 'lead_exists' END END,
           CASE WHEN j.action = 'create' THEN j.lead_id WHEN j.duplicate_of IS NULL THEN j.found_id END,
           CASE WHEN j.duplicate_of IS NULL THEN j.version END,
           j.email, CASE WHEN j.action <> 'reject' AND j.forced_action IS NULL AND j.duplicate_of IS NULL
                         THEN j.email_norm END,
           {given}, n.source, n.owner_id, n.custom_fields,
           CASE WHEN j.action = 'update' THEN j.changes END,
           CASE WHEN j.overfull AND j.action IN ('update', 'unchanged', 'reject')
                THEN coalesce(j.faults, '[]') || :overfull_fault::jsonb ELSE j.faults END,
           CASE WHEN j.action = 'reject' THEN j.raw END,
           CASE WHEN j.action IN ('create', 'update', 'unchanged') THEN j.related END,
           j.duplicate_of, n.given
    FROM judged j LEFT JOIN LATERAL (
        SELECT {judged},
               CASE WHEN j.action = 'create' THEN j.new_source ELSE j.source END AS source,
               CASE WHEN j.action = 'create' THEN j.new_owner_id ELSE j.owner_id END AS owner_id, j.custom_fields,
               CASE WHEN :combines::boolean AND j.action = 'create' THEN nullif(array_remove(ARRAY[
                   CASE WHEN j.source IS NOT NULL THEN 'source' END,
                   CASE WHEN j.owner_id IS NOT NULL THEN 'owner_id' END], NULL), '{}') END AS given
    ) n ON j.action = 'create' OR :combines::boolean AND j.action IN ('update', 'unchanged')
    ON CONFLICT (workspace_id, import_id, row_no) DO UPDATE
    SET action = excluded.action, reason = excluded.reason, lead_id = excluded.lead_id,
        lead_version = excluded.lead_version, email = excluded.email, email_norm = excluded.email_norm,
        {replaced}, source = excluded.source, owner_id = excluded.owner_id, custom_fields = excluded.custom_fields,
        changes = excluded.changes, faults = excluded.faults, raw = excluded.raw, related = excluded.related,
        duplicate_of = excluded.duplicate_of, given = excluded.given
    RETURNING action
)
SELECT 'action' AS what, action AS name, count(*) AS n FROM staged GROUP BY action
UNION ALL
SELECT 'changed', split_part(key, '.', 1), count(DISTINCT row_no)
FROM judged CROSS JOIN LATERAL jsonb_object_keys(changes) AS key WHERE action = 'update' GROUP BY 2
UNION ALL
SELECT 'fault', '/customFields too_long', count(*)
FROM judged WHERE overfull AND action IN ('update', 'unchanged', 'reject') HAVING count(*) > 0
UNION ALL
SELECT 'kept', name, count(*)
FROM judged CROSS JOIN LATERAL unnest(kept) AS name
WHERE action IN ('update', 'unchanged') AND name <> ALL (coalesce(counted, '{}')) GROUP BY 2
