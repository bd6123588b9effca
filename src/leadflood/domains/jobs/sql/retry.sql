-- Queue failed jobs again, with a fresh set of attempts for their kind.
-- By key alone, and locked in order, for the same reasons as in CLAIM.
WITH held AS (
    SELECT j.workspace_id, j.id, j.kind, j.subject_id, j.status, j.unique_subject, k.more
    FROM job_executions j
    JOIN unnest(:kinds::text[], :more::integer[]) AS k (kind, more) USING (kind)
    WHERE j.workspace_id = :workspace_id AND j.id = ANY(:ids)
    ORDER BY j.id
    FOR UPDATE OF j
), failed AS (
    SELECT *, row_number() OVER (PARTITION BY kind, subject_id ORDER BY id DESC) AS place
    FROM held WHERE status = 'failed'
)
UPDATE job_executions j
SET status = 'queued', updated_at = now(), finished_at = NULL, worker_id = NULL, next_attempt_at = now(),
    max_attempts = j.attempts + failed.more, progress = NULL, on_hold = false
FROM failed
WHERE j.workspace_id = failed.workspace_id AND j.id = failed.id
  AND (NOT failed.unique_subject OR failed.place = 1 AND NOT EXISTS (
      SELECT FROM job_executions other
      WHERE other.workspace_id = failed.workspace_id AND other.kind = failed.kind
        AND other.subject_id = failed.subject_id AND other.unique_subject AND other.status IN ('queued', 'running')))
RETURNING j.workspace_id, j.id, j.kind, j.attempts, j.priority, j.trace::text AS trace, 0.0::float8 AS delay
