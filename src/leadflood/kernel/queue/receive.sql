-- Takes up to $1 ready tickets of the kinds $2, and hides them for the time $4 unless they are acknowledged.
-- Parameters: $1 limit, $2 kinds, $3 the workspace to begin with, $4 redelivery time, $5 all priorities.
--
-- A lane is what one workspace has of one priority. At most $1 lanes of each priority are looked up, each by one probe
-- of tickets_ready_idx, in a circle that begins at $3: the work depends on the batch, not on how much waits.
WITH RECURSIVE lanes AS (
    SELECT p.priority, s.wrapped, found.workspace_id, 1 AS n
    FROM unnest($5::smallint[]) AS p (priority)
    CROSS JOIN (VALUES (false, $3::uuid), (true, '00000000-0000-0000-0000-000000000000')) AS s (wrapped, lowest)
    CROSS JOIN LATERAL (
        SELECT workspace_id FROM leadflood_queue.tickets
        WHERE ready AND priority = p.priority AND workspace_id >= s.lowest AND kind = ANY($2)
        ORDER BY workspace_id LIMIT 1
    ) AS found
    WHERE NOT s.wrapped OR found.workspace_id < $3
    UNION ALL
    SELECT lane.priority, lane.wrapped, found.workspace_id, lane.n + 1
    FROM lanes AS lane
    CROSS JOIN LATERAL (
        SELECT workspace_id FROM leadflood_queue.tickets
        WHERE ready AND priority = lane.priority AND workspace_id > lane.workspace_id AND kind = ANY($2)
        ORDER BY workspace_id LIMIT 1
    ) AS found
    WHERE lane.n < $1 AND (NOT lane.wrapped OR found.workspace_id < $3)
), turns AS (
    SELECT priority, workspace_id, row_number() OVER (ORDER BY priority, wrapped, workspace_id) AS turn,
           priority = min(priority) OVER (PARTITION BY workspace_id) AS most_urgent
    FROM lanes
    ORDER BY turn
), fair AS MATERIALIZED (
    SELECT priority, workspace_id, turn FROM turns WHERE most_urgent LIMIT $1
), shared AS (
    -- Every workspace gets the same share of the batch ...
    SELECT fair.turn, ticket.job_id, ticket.attempt
    FROM fair
    CROSS JOIN LATERAL (
        SELECT job_id, attempt FROM leadflood_queue.tickets
        WHERE ready AND priority = fair.priority AND workspace_id = fair.workspace_id AND kind = ANY($2)
        ORDER BY due_at, job_id
        LIMIT (SELECT $1 / count(*) FROM fair)
        FOR UPDATE SKIP LOCKED
    ) AS ticket
), rest AS (
    -- ... and what some do not need goes to the others.
    SELECT turns.turn, ticket.job_id, ticket.attempt
    FROM turns
    CROSS JOIN LATERAL (
        SELECT job_id, attempt FROM leadflood_queue.tickets
        WHERE ready AND priority = turns.priority AND workspace_id = turns.workspace_id AND kind = ANY($2)
          AND (job_id, attempt) NOT IN (SELECT job_id, attempt FROM shared)
        ORDER BY due_at, job_id
        LIMIT (SELECT $1 - count(*) FROM shared)
        FOR UPDATE SKIP LOCKED
    ) AS ticket
    LIMIT (SELECT $1 - count(*) FROM shared)
), taken AS (
    UPDATE leadflood_queue.tickets AS ticket
    SET ready = false, visible_at = now() + $4::interval
    FROM (TABLE shared UNION ALL TABLE rest) AS next
    WHERE ticket.job_id = next.job_id AND ticket.attempt = next.attempt
    RETURNING next.turn, ticket.kind, ticket.workspace_id, ticket.job_id, ticket.attempt, ticket.priority, ticket.due_at
)
SELECT kind, workspace_id, job_id, attempt, priority FROM taken ORDER BY turn, due_at, job_id
