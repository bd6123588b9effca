-- Questions to sources since a time, the latest :most of leads and of runs of companies: per outcome and hour; durations
-- per hour (without state) and of all (without hour).
WITH calls AS (
    (SELECT s ->> 'source' AS source, s ->> 'state' AS state, (s ->> 'seconds')::float8 AS seconds, r.ended_at AS at
     FROM company_runs r CROSS JOIN LATERAL jsonb_array_elements(r.steps) AS s
     WHERE r.workspace_id = :workspace_id AND r.ended_at >= :since
       AND NOT (s ->> 'stored')::boolean AND s ->> 'state' <> 'skipped'
     ORDER BY r.id DESC LIMIT :most)
    UNION ALL
    (SELECT source, state, extract(epoch FROM answered_at - asked_at)::float8, answered_at
     FROM lookups
     WHERE workspace_id = :workspace_id AND id >= :from_id AND lead_id IS NOT NULL AND answered_at IS NOT NULL
     ORDER BY id DESC LIMIT :most)
)
SELECT source, state, date_trunc('hour', at, 'UTC') AS hour, count(*)::integer AS questions,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95
FROM calls
GROUP BY GROUPING SETS ((source, state, date_trunc('hour', at, 'UTC')), (source, date_trunc('hour', at, 'UTC')), (source))
