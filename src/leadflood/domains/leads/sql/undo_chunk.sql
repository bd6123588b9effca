-- The changes of a chunk beside the leads as they are. `merge`: the lead took part in a merge since: another one became
-- part of it (`merged`), or it became part of another one (`merged_into`).
SELECT c.lead_id, c.change, c.before, c.after, lead_image(l) AS present, l.deleted_at IS NOT NULL AS gone,
       CASE WHEN c.change NOT IN ('created', 'restored') OR l.version = 1 THEN NULL
            WHEN EXISTS (SELECT FROM (
                     SELECT DISTINCT ON (data ->> 'otherId') kind FROM lead_events e
                     WHERE e.workspace_id = :workspace_id AND e.lead_id = l.id
                       AND e.kind IN ('lead.merged', 'lead.unmerged')
                     ORDER BY data ->> 'otherId', e.id DESC) latest
                 WHERE kind = 'lead.merged') THEN 'merged'
            WHEN l.deleted_at IS NOT NULL AND (
                     SELECT kind FROM lead_events e
                     WHERE e.workspace_id = :workspace_id AND e.lead_id = l.id
                       AND e.kind IN ('lead.deleted', 'lead.merged_into')
                     ORDER BY e.id DESC LIMIT 1) = 'lead.merged_into' THEN 'merged_into' END AS merge
FROM lead_changes c
JOIN leads l ON l.workspace_id = c.workspace_id AND l.id = c.lead_id
WHERE c.workspace_id = :workspace_id AND c.changeset_id = :changeset_id
  AND c.lead_id > :after AND c.lead_id <= :until
