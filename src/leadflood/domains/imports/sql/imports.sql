-- Imports, newest first, each with its changeset as far as there is one.
SELECT i.id, i.filename, i.status, i.actor_kind, i.actor_id, i.size_bytes, i.sha256, i.job_id, i.changeset_id,
       i.staged_bytes, i.row_count, i.counts, i.fields, i.faults, i.phase_offset, i.error, i.phase_started_at,
       i.created_at, i.updated_at, i.finished_at, s.status AS changeset_status, s.wanted, s.done,
       s.created + s.updated AS written, s.undone, s.kept, s.updated_at AS changeset_updated_at{more}
FROM imports i
LEFT JOIN lead_changesets s ON s.workspace_id = i.workspace_id AND s.id = i.changeset_id
WHERE i.workspace_id = :workspace_id
  AND (:import_id::uuid IS NULL OR i.id = :import_id)
  AND (:before_id::uuid IS NULL OR i.id < :before_id)
ORDER BY i.id DESC LIMIT :rows
