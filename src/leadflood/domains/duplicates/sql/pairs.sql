-- Pairs of the leads of a part with leads that share a key.
-- A range of one value in the order of an index: for an equality PostgreSQL may read all rows of the workspace.
SELECT DISTINCT least(s.lead_id, o.lead_id) AS lead_a, greatest(s.lead_id, o.lead_id) AS lead_b
FROM scanned_keys s CROSS JOIN LATERAL (
    SELECT k.lead_id FROM duplicate_keys k
    WHERE k.workspace_id = :workspace_id AND k.key BETWEEN s.key AND s.key AND k.lead_id <> s.lead_id
    ORDER BY k.key, k.lead_id LIMIT :neighbours::integer
) o
