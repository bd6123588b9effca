-- The values of the latest hit of each source about a company, and of all corrections. Some may belong to another company
-- about which a source was asked the same: a run used its answer, or a choice refers to it. Each lookup is read by its key
-- (OFFSET 0), whatever PostgreSQL knows of the tables.
SELECT latest.source, v.lookup_id, v.id, v.field, v.value, v.confidence, v.method, v.evidence, v.source_url, v.quote,
       v.observed_at, v.retraction_id,
       EXISTS (SELECT FROM rejected_values WHERE workspace_id = :workspace_id AND company_id = :company_id) AS rejects
FROM (
    SELECT DISTINCT ON (source, CASE source WHEN 'manual' THEN id END) id, source FROM (
        SELECT id, source, answered_at FROM lookups
        WHERE workspace_id = :workspace_id AND company_id = :company_id AND state = 'found'
        UNION ALL
        SELECT l.id, l.source, l.answered_at
        FROM (
            SELECT unnest(:lookup_ids::uuid[]) AS id
            UNION
            SELECT lookup_id FROM chosen_values WHERE workspace_id = :workspace_id AND subject_id = :company_id
        ) used
        CROSS JOIN LATERAL (
            SELECT id, source, answered_at FROM lookups
            WHERE workspace_id = :workspace_id AND id = used.id AND company_id IS NOT NULL AND state = 'found'
            OFFSET 0
        ) l
    ) answers
    ORDER BY source, CASE source WHEN 'manual' THEN id END, answered_at DESC, id DESC
) AS latest
CROSS JOIN LATERAL (
    SELECT * FROM found_values
    WHERE workspace_id = :workspace_id AND lookup_id = latest.id OFFSET 0
) v
ORDER BY v.lookup_id, v.id
