-- The changes of a chunk beside the leads as they are. `conflict`: why a lead must not be removed; of `merged_into`, only
-- where the lead is deleted, as one that is part of another is.
SELECT c.lead_id, c.change, c.before, c.after, lead_image(l) AS present, l.deleted_at IS NOT NULL AS gone,
       CASE WHEN c.change NOT IN ('created', 'restored') THEN NULL
            WHEN l.deleted_at IS NULL AND :conflicts::jsonb ->> l.id::text = 'merged_into' THEN NULL
            ELSE :conflicts::jsonb ->> l.id::text END AS conflict
FROM lead_changes c
JOIN leads l ON l.workspace_id = c.workspace_id AND l.id = c.lead_id
WHERE c.workspace_id = :workspace_id AND c.changeset_id = :changeset_id
  AND c.lead_id > :after AND c.lead_id <= :until
