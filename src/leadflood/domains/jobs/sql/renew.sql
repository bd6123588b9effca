-- Extend the leases of attempts that still run. Returns those, as far as is committed.
-- A row that its own handler's transaction holds is passed over, not waited for: the others' leases would run out
-- meanwhile. It cannot be rescued while it is locked, so it is still ours. Looked up as in FINISH: OFFSET 0
-- keeps the look-ups apart.
WITH ours AS (
    SELECT j.*
    FROM unnest(:workspace_ids::uuid[], :ids::uuid[], :attempts::integer[]) AS t (workspace_id, id, attempt)
    CROSS JOIN LATERAL (
        SELECT workspace_id, id, attempts FROM job_executions
        WHERE workspace_id = t.workspace_id AND id = t.id AND status = 'running' AND attempts = t.attempt
        OFFSET 0
    ) AS j
), free AS (
    SELECT j.*
    FROM ours
    CROSS JOIN LATERAL (
        SELECT workspace_id, id FROM job_executions
        WHERE workspace_id = ours.workspace_id AND id = ours.id AND status = 'running' AND attempts = ours.attempts
        FOR UPDATE SKIP LOCKED
    ) AS j
), renewed AS (
    UPDATE job_executions j
    SET lease_expires_at = now() + make_interval(secs => :lease)
    FROM free
    WHERE j.workspace_id = free.workspace_id AND j.id = free.id
)
SELECT workspace_id, id, attempts FROM ours
