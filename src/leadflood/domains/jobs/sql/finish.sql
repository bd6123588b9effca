-- Complete the jobs that these attempts still run. Returns which, and whether any is to run once more.
WITH held AS (
{attempts}
), completed AS (
    UPDATE job_executions j
    SET status = 'completed', finished_at = now(), updated_at = now(), lease_expires_at = NULL, last_error = NULL,
        cause = ''
    FROM held
    WHERE j.workspace_id = held.workspace_id AND j.id = held.id
      AND held.status = 'running' AND held.attempts = held.attempt
    RETURNING j.id, j.attempts, j.rerun
)
SELECT array_agg(id) AS ids, array_agg(attempts) AS attempts, bool_or(rerun) AS rerun FROM completed
