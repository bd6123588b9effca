-- The values of the latest hit of each source about a company, and of all corrections. Some may belong to another company
-- about which a source was asked the same.
SELECT latest.source, v.lookup_id, v.id, v.field, v.value, v.confidence, v.method, v.evidence, v.source_url, v.quote,
       v.observed_at, v.retraction_id
FROM (
    SELECT DISTINCT ON (source, CASE source WHEN 'manual' THEN id END) id, source FROM (
        SELECT id, source, answered_at FROM lookups
        WHERE workspace_id = :workspace_id AND company_id = :company_id AND state = 'found'
        UNION ALL
        SELECT id, source, answered_at FROM lookups
        WHERE workspace_id = :workspace_id AND id = ANY (:lookup_ids::uuid[]) AND company_id IS NOT NULL
          AND state = 'found'
    ) answers
    ORDER BY source, CASE source WHEN 'manual' THEN id END, answered_at DESC, id DESC
) AS latest
CROSS JOIN LATERAL (
    SELECT * FROM found_values
    WHERE workspace_id = :workspace_id AND lookup_id = latest.id OFFSET 0
) v
ORDER BY v.lookup_id, v.id
