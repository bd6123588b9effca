-- Own fields of leads that existed, with the values that they had, and the company that they belonged to.
SELECT g.place, l.created_at, ARRAY[{columns}]::text[] AS own, {custom} AS custom, was.old, k.company_id,
       coalesce(k.named, false) AS named
FROM unnest(:places::integer[], :lead_ids::uuid[], :times::timestamptz[]) AS g (place, lead_id, at)
CROSS JOIN LATERAL (
    SELECT * FROM leads WHERE workspace_id = :workspace_id AND id = g.lead_id AND created_at < g.at LIMIT 1
) l
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(field, coalesce(old_value, 'null')) AS old FROM (
        SELECT DISTINCT ON (field) field, old_value FROM lead_field_history
        WHERE workspace_id = :workspace_id AND lead_id = g.lead_id AND at >= g.at ORDER BY field, id
    ) first_change
) was ON true
LEFT JOIN LATERAL (
    SELECT c.id AS company_id, c.name IS NOT NULL AS named
    FROM (SELECT company_id FROM company_leads
          WHERE workspace_id = :workspace_id AND lead_id = g.lead_id AND linked_at < g.at LIMIT 1) m
    CROSS JOIN LATERAL (
        SELECT id, name FROM companies
        WHERE workspace_id = :workspace_id AND id = m.company_id AND deleted_at IS NULL AND merged_into IS NULL LIMIT 1
    ) c
    WHERE NOT EXISTS (SELECT FROM company_merges s WHERE s.workspace_id = :workspace_id AND s.company_id = c.id
                      AND greatest(s.created_at, s.undone_at) >= g.at)
      AND NOT EXISTS (SELECT FROM company_merges s WHERE s.workspace_id = :workspace_id AND s.other_id = c.id
                      AND greatest(s.created_at, s.undone_at) >= g.at)
) k ON true
