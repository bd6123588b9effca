-- Merges, newest first, each with the address of the lead that became part of the other.
SELECT m.id, m.survivor_id, m.other_id, m.changeset_id, m.status, m.taken, m.actor_kind, m.actor_id, m.undone_by_kind,
       m.undone_by, m.created_at, m.undone_at, l.email AS other_email, l.deleted_at IS NOT NULL AS other_deleted
FROM lead_merges m
JOIN leads l ON l.workspace_id = m.workspace_id AND l.id = m.other_id
WHERE m.workspace_id = :workspace_id
  AND (:merge_id::uuid IS NULL OR m.id = :merge_id)
  AND (:before_id::uuid IS NULL OR m.id < :before_id)
ORDER BY m.id DESC LIMIT :rows
