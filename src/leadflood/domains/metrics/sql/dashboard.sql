-- The metrics of the dashboard per interval of a period, with the sum of each slot of the time to enrich.
WITH counts AS (
    SELECT width_bucket(quarter, :bounds::timestamptz[]) AS part,
           sum(value) FILTER (WHERE metric = :created)::bigint AS created,
           sum(value) FILTER (WHERE metric = :enriched)::bigint AS enriched,
           sum(value) FILTER (WHERE metric = :failed)::bigint AS failed
    FROM workspace_metrics
    WHERE workspace_id = :workspace_id AND metric IN (:created, :enriched, :failed)
      AND quarter >= :first AND quarter < :last
    GROUP BY 1
), slots AS (
    SELECT width_bucket(quarter, :bounds::timestamptz[]) AS part,
           ARRAY[sum(latency[1]), sum(latency[2]), sum(latency[3]), sum(latency[4]), sum(latency[5]), sum(latency[6]),
                 sum(latency[7]), sum(latency[8]), sum(latency[9]), sum(latency[10]), sum(latency[11]),
                 sum(latency[12]), sum(latency[13]), sum(latency[14]), sum(latency[15]), sum(latency[16]),
                 sum(latency[17]), sum(latency[18]), sum(latency[19]), sum(latency[20]), sum(latency[21]),
                 sum(latency[22]), sum(latency[23]), sum(latency[24]), sum(latency[25])] AS latency
    FROM workspace_figures
    WHERE workspace_id = :workspace_id AND quarter >= :first AND quarter < :last
    GROUP BY 1
)
SELECT coalesce(c.part, s.part) AS part, coalesce(c.created, 0) AS created, coalesce(c.enriched, 0) AS enriched,
       coalesce(c.failed, 0) AS failed, coalesce(s.latency, '{}') AS latency
FROM counts c FULL JOIN slots s ON s.part = c.part
