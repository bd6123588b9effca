-- What contradicts the rules of jobs and events, in words.
SELECT violation FROM (
    (SELECT 'job ' || id || ' (' || kind || ') is running, but its lease ended at ' || lease_expires_at
            || ' and nobody rescued it' AS violation
     FROM job_executions
     WHERE status = 'running' AND lease_expires_at < now() - make_interval(secs => :not_rescued)
     LIMIT :listed)
    UNION ALL
    (SELECT 'job ' || id || ' (' || kind || ') is queued, but has no attempt left'
     FROM job_executions
     WHERE status = 'queued' AND attempts >= max_attempts
     LIMIT :listed)
    UNION ALL
    (SELECT 'job ' || id || ' (' || kind || ') should have started at ' || next_attempt_at
            || ' and no event announces it: its ticket is lost, or there are too few workers'
     FROM job_executions j
     WHERE status = 'queued' AND next_attempt_at < now() - make_interval(secs => :stranded)
       AND NOT EXISTS (SELECT FROM outbox_events e WHERE e.workspace_id = j.workspace_id AND e.job_id = j.id
                       AND e.status IN ('pending', 'processing', 'failed'))
     LIMIT :listed)
    UNION ALL
    (SELECT 'outbox event ' || id || ' is ' || status || ', but its job ' || job_id || ' is missing'
     FROM outbox_events e
     WHERE status IN ('pending', 'processing', 'failed') AND subject_ids IS NULL
       AND NOT EXISTS (SELECT FROM job_executions j WHERE j.workspace_id = e.workspace_id AND j.id = e.job_id)
     LIMIT :listed)
    UNION ALL
    (SELECT 'outbox event ' || id || ' is ' || status || ' and was due at ' || next_attempt_at
            || ', but no relay published it'
     FROM outbox_events
     WHERE status IN ('pending', 'processing', 'failed')
       AND next_attempt_at < now() - make_interval(secs => :stranded)
     LIMIT :listed)
) AS violations
