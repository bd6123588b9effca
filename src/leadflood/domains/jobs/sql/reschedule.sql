-- Put attempts that did not fail back to `queued` until a time. The attempt number never decreases, so one more is allowed.
WITH held AS (
{attempts}
)
UPDATE job_executions j
SET status = 'queued', updated_at = now(), lease_expires_at = NULL, worker_id = NULL, last_error = NULL, cause = '',
    max_attempts = max_attempts + 1, losses = 0, waiting_for = w.reason, awaited_id = w.awaited_id,
    next_attempt_at = greatest(w.at, now())
FROM held
JOIN unnest(:ids::uuid[], :ats::timestamptz[], :reasons::text[], :awaited_ids::uuid[]) AS w (id, at, reason, awaited_id)
    USING (id)
WHERE j.workspace_id = held.workspace_id AND j.id = held.id AND held.status = 'running' AND held.attempts = held.attempt
RETURNING j.workspace_id, j.id, j.kind, j.attempts, j.priority, j.trace::text AS trace,
          extract(epoch FROM j.next_attempt_at - now())::double precision AS delay
