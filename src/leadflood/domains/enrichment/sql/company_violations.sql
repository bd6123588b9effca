-- What contradicts the rules of runs of companies, in words.
SELECT violation FROM (
    (SELECT 'run ' || r.id || ' of company ' || r.company_id || ' has not ended, but no job is going to end it'
            AS violation
     FROM company_runs r
     WHERE r.ended_at IS NULL
       AND NOT EXISTS (SELECT FROM job_executions j WHERE j.workspace_id = r.workspace_id AND j.id = r.job_id
                       AND j.status IN ('queued', 'running'))
     LIMIT :listed)
    UNION ALL
    (SELECT 'job ' || j.id || ' waits for run ' || r.id || ', which has ended'
     FROM job_executions j JOIN company_runs r ON r.workspace_id = j.workspace_id AND r.id = j.awaited_id
     WHERE j.status = 'queued' AND j.awaited_id IS NOT NULL AND r.ended_at IS NOT NULL
     LIMIT :listed)
    UNION ALL
    (SELECT 'company ' || c.subject_id || ' has chosen values, but does not exist'
     FROM chosen_values c
     WHERE c.subject_kind = 'company'
       AND NOT EXISTS (SELECT FROM companies o WHERE o.workspace_id = c.workspace_id AND o.id = c.subject_id)
     LIMIT :listed)
) AS violations
