-- Delete comparison keys of leads, except those in `scanned_keys`.
DELETE FROM duplicate_keys d
WHERE d.workspace_id = :workspace_id AND d.lead_id = ANY (:lead_ids::uuid[])
  AND NOT EXISTS (SELECT FROM scanned_keys s WHERE s.lead_id = d.lead_id AND s.key = d.key)
