-- Pairs to compare: the leads of a part with those that share a key, and again those of their open candidates.
-- A range of one key, in the order of the primary key: for an equality PostgreSQL may walk all leads of the workspace.
SELECT least(s.lead_id, o.lead_id) AS lead_a, greatest(s.lead_id, o.lead_id) AS lead_b
FROM scanned_keys s CROSS JOIN LATERAL (
    SELECT k.lead_id FROM duplicate_keys k
    WHERE k.workspace_id = :workspace_id AND k.key BETWEEN s.key AND s.key AND k.lead_id <> s.lead_id
    ORDER BY k.key, k.lead_id LIMIT :neighbours::integer
) o
UNION
SELECT lead_a, lead_b FROM duplicate_candidates
WHERE workspace_id = :workspace_id AND status = 'open' AND lead_a = ANY(:lead_ids)
UNION
SELECT lead_a, lead_b FROM duplicate_candidates
WHERE workspace_id = :workspace_id AND status = 'open' AND lead_b = ANY(:lead_ids)
