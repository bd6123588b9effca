-- Decisions on pairs, latest first: single merges, dismissed pairs, and runs. `mine`: only those of one actor.
SELECT d.kind, d.id, d.names, d.count, d.undoable, d.undone, d.actor_kind, d.actor_id, d.at
FROM (
    (SELECT 'merge' AS kind, m.id, ARRAY[s.email, o.email] AS names, 1 AS count, m.status = 'merged' AS undoable,
            m.status = 'undone' AS undone, m.actor_kind, m.actor_id, m.created_at AS at
     FROM lead_merges m
     JOIN leads s ON s.workspace_id = m.workspace_id AND s.id = m.survivor_id
     JOIN leads o ON o.workspace_id = m.workspace_id AND o.id = m.other_id
     WHERE m.workspace_id = :workspace_id AND m.run_id IS NULL
       AND (:mine::uuid IS NULL OR m.actor_id = :mine) AND (NOT :mine_only::boolean OR m.status = 'merged')
       AND (:before::timestamptz IS NULL OR m.created_at <= :before)
     ORDER BY m.created_at DESC, m.id DESC LIMIT :rows)
    UNION ALL
    (SELECT 'dismissal', c.id, ARRAY[a.email, b.email], 1, true, false, c.decided_by_kind, c.decided_by, c.decided_at
     FROM duplicate_candidates c
     JOIN leads a ON a.workspace_id = c.workspace_id AND a.id = c.lead_a
     JOIN leads b ON b.workspace_id = c.workspace_id AND b.id = c.lead_b
     WHERE c.workspace_id = :workspace_id AND c.status = 'dismissed' AND c.decided_at IS NOT NULL
       AND (:mine::uuid IS NULL OR c.decided_by = :mine)
       AND (:before::timestamptz IS NULL OR c.decided_at <= :before)
     ORDER BY c.decided_at DESC, c.id DESC LIMIT :rows)
    UNION ALL
    (SELECT 'run', r.id, '{}', r.merged, r.status = 'merged' AND r.merged > 0, r.status = 'undone', r.actor_kind,
            r.actor_id, r.created_at
     FROM merge_runs r
     WHERE r.workspace_id = :workspace_id AND (:mine::uuid IS NULL OR r.actor_id = :mine)
       AND (NOT :mine_only::boolean OR r.status = 'merged')
       AND (:before::timestamptz IS NULL OR r.created_at <= :before)
     ORDER BY r.created_at DESC, r.id DESC LIMIT :rows)
) d
WHERE :before::timestamptz IS NULL OR (d.at, d.id) < (:before, :before_id::uuid)
ORDER BY d.at DESC, d.id DESC LIMIT :rows
