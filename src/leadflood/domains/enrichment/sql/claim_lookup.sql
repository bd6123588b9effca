-- Claim a question: with a new row, or the row of a caller whose time is over or who left a ticket. Nothing is claimed
-- if there is an answer that is still good, as far as this statement sees: another caller may have answered since it began.
INSERT INTO lookups AS l (workspace_id, id, lead_id, company_id, source, source_version, question_hash, state, job_id,
                          claim, claimed_until, asked_at)
SELECT :workspace_id::uuid, :claim::uuid, :lead_id::uuid, :company_id::uuid, :source::text, :version::text,
       :question_hash::bytea, 'asked', :job_id::uuid, :claim, :until::timestamptz, :now::timestamptz
WHERE :anyway::boolean OR NOT EXISTS (
    SELECT FROM (
        SELECT id, state, answered_at, expires_at FROM lookups
        WHERE workspace_id = :workspace_id AND question_hash = :question_hash AND source = :source
          AND answered_at IS NOT NULL
        ORDER BY answered_at DESC, id DESC LIMIT 1
    ) a
    WHERE a.expires_at > :now AND a.state <> 'waiting'
      AND (:newer_than::timestamptz IS NULL OR a.state IN ('missed', 'refused')
           OR a.state = 'found' AND a.answered_at >= :newer_than)
      AND NOT EXISTS (SELECT FROM found_values v WHERE v.workspace_id = :workspace_id AND v.lookup_id = a.id
                      AND v.retraction_id IS NOT NULL))
ON CONFLICT (workspace_id, question_hash, source) WHERE state IN ('asked', 'in_doubt', 'waiting') DO UPDATE
SET claim = excluded.claim, claimed_until = excluded.claimed_until, job_id = excluded.job_id
WHERE (l.claim IS NULL OR l.claimed_until <= :now) AND l.purchase_id IS NULL
RETURNING id
