-- Open pairs of the leads of a part, which are compared again.
SELECT c.id, c.lead_a, c.lead_b
FROM unnest(:lead_ids::uuid[]) AS i (lead_id) CROSS JOIN LATERAL (
    SELECT d.id, d.lead_a, d.lead_b FROM duplicate_candidates d
    WHERE d.workspace_id = :workspace_id AND d.lead_a BETWEEN i.lead_id AND i.lead_id AND d.status = 'open'
    ORDER BY d.lead_a, d.lead_b LIMIT :most::integer
) c
UNION ALL
SELECT c.id, c.lead_a, c.lead_b
FROM unnest(:lead_ids::uuid[]) AS i (lead_id) CROSS JOIN LATERAL (
    SELECT d.id, d.lead_a, d.lead_b FROM duplicate_candidates d
    WHERE d.workspace_id = :workspace_id AND d.lead_b BETWEEN i.lead_id AND i.lead_id AND d.status = 'open'
    ORDER BY d.lead_b LIMIT :most::integer
) c
