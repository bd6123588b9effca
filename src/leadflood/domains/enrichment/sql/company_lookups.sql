-- The lookups whose values compete for a company: those that are chosen, and the latest hit of each source of which none
-- is. Then those with retracted values, of which these alone are shown.
WITH chosen AS (
    SELECT DISTINCT lookup_id FROM chosen_values WHERE workspace_id = :workspace_id AND subject_id = :company_id
), shown AS (
    SELECT DISTINCT ON (source, CASE source WHEN 'manual' THEN id END) id
    FROM lookups
    WHERE workspace_id = :workspace_id AND state = 'found'
      AND (company_id = :company_id OR id IN (SELECT lookup_id FROM chosen))
    ORDER BY source, CASE source WHEN 'manual' THEN id END, id IN (SELECT lookup_id FROM chosen) DESC, answered_at DESC, id DESC
), retracted AS (
    SELECT id FROM lookups l
    WHERE workspace_id = :workspace_id AND company_id = :company_id AND state = 'found'
      AND EXISTS (SELECT FROM found_values v
                  WHERE v.workspace_id = l.workspace_id AND v.lookup_id = l.id AND v.retraction_id IS NOT NULL)
    ORDER BY id DESC LIMIT :most
)
SELECT id, job_id, source, source_version, state, sentence, cost_micros, asked_at, answered_at,
       id IN (SELECT id FROM shown UNION ALL SELECT lookup_id FROM chosen) AS competes
FROM lookups
WHERE workspace_id = :workspace_id
  AND id IN (SELECT id FROM shown UNION ALL SELECT lookup_id FROM chosen UNION ALL SELECT id FROM retracted)
