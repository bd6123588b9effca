-- The jobs of these attempts with their state, locked in id order, so that two groups of jobs cannot wait for each other.
-- One look-up by key a job, and its state is checked on what was locked: else PostgreSQL may compare each of them with all
-- that run (40 us a job in groups of 100 instead of 15, and more the larger they are).
SELECT j.*, t.attempt
FROM (SELECT * FROM unnest(:workspace_ids::uuid[], :ids::uuid[], :attempts::integer[])
                        AS n (workspace_id, id, attempt) ORDER BY id) AS t
CROSS JOIN LATERAL (
    SELECT workspace_id, id, status, attempts FROM job_executions
    WHERE workspace_id = t.workspace_id AND id = t.id
    {lock}
) AS j
