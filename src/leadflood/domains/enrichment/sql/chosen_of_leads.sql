-- The chosen values of leads and of their companies for fields of the lead, the surest first for each field. Each row is
-- looked up by its key (LIMIT, OFFSET 0), whatever PostgreSQL knows of the tables: it was seen to read all choices of the
-- workspace for each of its links, 670 ms for 20 leads of 750.
SELECT given.lead_id, c.subject_kind, v.field, v.value, c.confidence AS certainty, k.name IS NOT NULL AS named{receipt}
FROM unnest(:lead_ids::uuid[]) AS given (lead_id)
LEFT JOIN LATERAL (
    SELECT o.id, o.name
    FROM (SELECT company_id FROM company_leads WHERE workspace_id = :workspace_id AND lead_id = given.lead_id LIMIT 1) m
    CROSS JOIN LATERAL (
        SELECT id, name FROM companies
        WHERE workspace_id = :workspace_id AND id = m.company_id AND deleted_at IS NULL AND merged_into IS NULL
        LIMIT 1
    ) o
) k ON true
CROSS JOIN unnest(ARRAY[given.lead_id, k.id]) AS subject (id)
CROSS JOIN LATERAL (
    SELECT * FROM chosen_values
    WHERE workspace_id = :workspace_id AND subject_id = subject.id AND field = ANY (:fields::text[]) OFFSET 0
) c
CROSS JOIN LATERAL (
    SELECT * FROM found_values
    WHERE workspace_id = :workspace_id AND lookup_id = c.lookup_id AND id = c.value_id AND retraction_id IS NULL LIMIT 1
) v
{lookup}ORDER BY given.lead_id, c.field, c.confidence DESC, c.item
