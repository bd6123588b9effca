-- Complete the jobs that these attempts still run. Returns which, and whether any is to run once more.
-- Locked in id order, so that two groups of jobs that finish cannot wait for each other. One look-up by key a job, and
-- its state is checked on what was locked: else PostgreSQL may compare each of them with all that run (40 us a job in
-- groups of 100 instead of 15, and more the larger they are).
WITH held AS (
    SELECT j.*, t.attempt
    FROM (SELECT * FROM unnest(:workspace_ids::uuid[], :ids::uuid[], :attempts::integer[])
                            AS n (workspace_id, id, attempt) ORDER BY id) AS t
    CROSS JOIN LATERAL (
        SELECT workspace_id, id, status, attempts FROM job_executions
        WHERE workspace_id = t.workspace_id AND id = t.id
        FOR UPDATE
    ) AS j
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
