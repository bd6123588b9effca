-- Deleted leads, the last deleted first, each with how it was deleted.
-- A deletion that was undone and repeated keeps its first `deleted_at`; the time to restore counts from the last one.
-- The last entry about a deletion says who deleted a lead and why. A lead is part of another for as long as that exists.
SELECT l.id, l.email, l.first_name, l.last_name, l.company, l.deleted_at,
       greatest(l.deleted_at, l.updated_at) + make_interval(days => :days) AS restorable_until,
       d.actor_kind, d.actor_id, (d.data ->> 'changesetId')::uuid AS changeset_id, d.data ? 'undo' AS by_undo,
       (d.data ->> 'mergeId')::uuid AS merge_id, s.id AS survivor_id, s.email AS survivor_email
FROM leads l
LEFT JOIN LATERAL (
    SELECT e.kind, e.actor_kind, e.actor_id, e.data FROM lead_events e
    WHERE e.workspace_id = :workspace_id AND e.lead_id = l.id AND e.kind IN ('lead.deleted', 'lead.merged_into')
    ORDER BY e.id DESC LIMIT 1
) d ON true
LEFT JOIN leads s ON s.workspace_id = :workspace_id AND d.kind = 'lead.merged_into'
                 AND s.id = (d.data ->> 'survivorId')::uuid
WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NOT NULL
  AND (:lead_id::uuid IS NULL OR l.id = :lead_id)
  AND (:needle = '' OR strpos(l.search_text, :needle) > 0)
  AND (:changeset_id::uuid IS NULL OR d.data ->> 'changesetId' = :changeset_id::uuid::text)
  AND (:until::timestamptz IS NULL OR l.deleted_at <= :until)
  AND (NOT :restorable OR s.id IS NULL)
  AND (:after_id::uuid IS NULL OR (l.deleted_at, l.id) < (:after_time, :after_id))
ORDER BY l.deleted_at DESC, l.id DESC
LIMIT :page_size
