-- Take leads through `processing` to `enriched`: two versions on, with an entry in the timeline for each.
-- Two calls of MOVE instead take 1.4 times the processor time a drained job (775 against 560 µs, worker and PostgreSQL).
WITH moved AS (
    UPDATE leads
    SET status = 'enriched', error = NULL, updated_at = now(), version = version + 2, enriched_at = now(){found}
    {given}WHERE workspace_id = :workspace_id::uuid AND id = ANY (:lead_ids::uuid[]) AND status = ANY (:expected::text[]){matched}
    RETURNING id, version
)
INSERT INTO lead_events (workspace_id, lead_id, id, kind, at, actor_kind, actor_id, data)
SELECT :workspace_id::uuid, given.lead_id, entry.id, entry.kind, entry.at, :actor_kind::text, :actor_id::uuid,
       entry.data::jsonb || jsonb_build_object('version', entry.version)
FROM unnest(:lead_ids::uuid[], :begun_ids::uuid[], :ended_ids::uuid[], :begun_at::timestamptz[], :begun::text[],
            :ended::text[])
     AS given (lead_id, begun_id, ended_id, begun_at, begun, ended)
JOIN moved ON moved.id = given.lead_id
CROSS JOIN LATERAL (
    VALUES (given.begun_id, :begun_kind, coalesce(given.begun_at, now()), given.begun, moved.version - 1),
           (given.ended_id, :ended_kind, now(), given.ended, moved.version)
) AS entry (id, kind, at, data, version)
