-- What happened since the last count, by the leads that changed: the timeline has no index by workspace and time.
WITH touched AS (
    SELECT id FROM leads
    WHERE workspace_id = :workspace_id AND updated_at >= :since AND deleted_at IS NULL
    ORDER BY updated_at, id
    LIMIT :most
)
SELECT t.touched, e.at, e.kind, e.slot
FROM (SELECT count(*) AS touched FROM touched) t
LEFT JOIN (
    SELECT e.at, e.kind, {latency_slot} AS slot
    FROM touched
    JOIN lead_events e ON e.workspace_id = :workspace_id AND e.lead_id = touched.id
    WHERE e.at >= :since AND e.kind IN ('lead.created', 'enrichment.completed', 'enrichment.failed')
) e ON true
