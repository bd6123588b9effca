-- The chosen values of leads and companies by field, and when something about them has changed last. Each row is looked
-- up by its key (OFFSET 0), whatever PostgreSQL knows of the tables.
SELECT g.subject_id, c.facts, c.observed,
       greatest(c.chosen_at,
                (SELECT max(answered_at) FROM lookups
                 WHERE workspace_id = :workspace_id AND lead_id = g.subject_id AND state = 'found' AND g.is_lead),
                (SELECT max(answered_at) FROM lookups
                 WHERE workspace_id = :workspace_id AND company_id = g.subject_id AND state = 'found'
                   AND NOT g.is_lead),
                (SELECT max(created_at) FROM rejected_values
                 WHERE workspace_id = :workspace_id AND lead_id = g.subject_id AND :any_rejected),
                (SELECT max(created_at) FROM rejected_values
                 WHERE workspace_id = :workspace_id AND company_id = g.subject_id AND :any_rejected),
                (SELECT max(r.created_at) FROM lookups l
                 JOIN found_values v ON v.workspace_id = l.workspace_id AND v.lookup_id = l.id
                 JOIN retractions r ON r.workspace_id = v.workspace_id AND r.id = v.retraction_id
                 WHERE l.workspace_id = :workspace_id AND l.lead_id = g.subject_id AND :any_retracted),
                (SELECT max(r.created_at) FROM lookups l
                 JOIN found_values v ON v.workspace_id = l.workspace_id AND v.lookup_id = l.id
                 JOIN retractions r ON r.workspace_id = v.workspace_id AND r.id = v.retraction_id
                 WHERE l.workspace_id = :workspace_id AND l.company_id = g.subject_id AND :any_retracted)) AS changed_at
FROM unnest(:subject_ids::uuid[], :are_leads::boolean[]) AS g (subject_id, is_lead)
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(field, items) AS facts, jsonb_object_agg(field, observed) AS observed,
           max(chosen_at) AS chosen_at
    FROM (
        SELECT o.field, max(o.chosen_at) AS chosen_at, max(extract(epoch FROM v.observed_at)) AS observed,
               jsonb_agg(jsonb_build_array(v.value, o.confidence) ORDER BY o.confidence DESC, o.item) AS items
        FROM (SELECT * FROM chosen_values
              WHERE workspace_id = :workspace_id AND subject_id = g.subject_id AND field = ANY (:fields::text[])
              OFFSET 0) o
        CROSS JOIN LATERAL (
            SELECT value, observed_at FROM found_values
            WHERE workspace_id = :workspace_id AND lookup_id = o.lookup_id AND id = o.value_id
              AND retraction_id IS NULL LIMIT 1
        ) v
        GROUP BY o.field
    ) by_field
) c ON true
