-- Merges that are half done or half undone: one sentence for each.
SELECT 'merge ' || m.id || ' is ' || m.status || ', but its changeset is ' || s.status AS violation
FROM lead_merges m
JOIN lead_changesets s ON s.workspace_id = m.workspace_id AND s.id = m.changeset_id
WHERE s.forgotten_at IS NULL AND s.status <> CASE m.status WHEN 'merged' THEN 'applied' ELSE 'undone' END
UNION ALL
SELECT 'merge ' || m.id || ' moved ' || f.kind || ' ' || f.reference_id || ', which is still with the deleted lead'
FROM lead_merges m
JOIN merge_references f ON f.workspace_id = m.workspace_id AND f.merge_id = m.id
JOIN chosen_values v ON v.workspace_id = f.workspace_id AND v.value_id = f.reference_id AND v.subject_id = m.other_id
JOIN leads l ON l.workspace_id = m.workspace_id AND l.id = m.other_id
WHERE m.status = 'merged' AND f.kind = 'value' AND l.deleted_at IS NOT NULL
UNION ALL
SELECT 'pair ' || id || ' has its leads the wrong way round, so that it may be there twice'
FROM duplicate_candidates WHERE lead_a > lead_b
LIMIT :listed
