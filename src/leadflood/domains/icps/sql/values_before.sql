-- The values that answers had given before the time, newest answers first; whether they had been rejected, or pinned.
SELECT g.place, l.is_lead, l.source, l.id AS lookup_id,
       v.field, v.value, v.confidence, v.method, v.evidence, v.observed_at,
       EXISTS (SELECT FROM retractions r
               WHERE r.workspace_id = :workspace_id AND r.id = v.retraction_id AND r.created_at < g.at
              ) AS was_retracted,
       EXISTS (SELECT FROM chosen_values c
               WHERE c.workspace_id = :workspace_id AND c.subject_id = g.subject_id AND c.field = v.field
                 AND c.value_id = v.id AND c.because = 'pinned' AND c.chosen_at < g.at) AS was_pinned,
       ARRAY(SELECT r.value_key FROM rejected_values r
             WHERE r.workspace_id = :workspace_id AND (r.lead_id = g.subject_id OR r.company_id = g.subject_id)
               AND r.field = v.field AND r.source = l.source AND r.created_at < g.at) AS rejected
FROM unnest(:places::integer[], :subject_ids::uuid[], :times::timestamptz[]) AS g (place, subject_id, at)
CROSS JOIN LATERAL (
    SELECT id, source, answered_at, lead_id IS NOT NULL AS is_lead FROM lookups
    WHERE workspace_id = :workspace_id AND (lead_id = g.subject_id OR company_id = g.subject_id) AND state = 'found'
      AND answered_at < g.at
    OFFSET 0
) l
CROSS JOIN LATERAL (
    SELECT * FROM found_values
    WHERE workspace_id = :workspace_id AND lookup_id = l.id AND field = ANY (:fields::text[]) AND observed_at < g.at
    OFFSET 0
) v
ORDER BY g.place, l.answered_at DESC, l.id DESC, v.id
