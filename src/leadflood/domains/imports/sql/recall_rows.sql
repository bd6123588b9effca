-- Recall staged rows that incoming rows have the address of: with the values of those, they are decided and staged again.
-- The order makes the look-up use the primary key: see compare.sql.
WITH wanted AS (
    SELECT duplicate_of AS row_no, (array_agg(lead_id))[1] AS lead_id, (array_agg(new_source))[1] AS new_source,
           (array_agg(new_owner_id))[1] AS new_owner_id
    FROM incoming_rows WHERE duplicate_of < :first GROUP BY duplicate_of
), recalled AS (
    SELECT r.*, w.lead_id AS fresh_id, w.new_source, w.new_owner_id
    FROM wanted w
    CROSS JOIN LATERAL (
        SELECT e.* FROM import_rows e
        WHERE e.workspace_id = :workspace_id AND e.import_id = :import_id
          AND e.row_no >= w.row_no AND e.row_no <= w.row_no
        ORDER BY e.row_no LIMIT 1
    ) r
), given_again AS (
    INSERT INTO incoming_rows (row_no, lead_id, email, email_norm, {fields}, source, owner_id, new_source, new_owner_id,
                               custom_fields, faults, related, counted)
    SELECT row_no, CASE WHEN action = 'create' THEN lead_id ELSE fresh_id END, email, email_norm, {fields},
           CASE WHEN action <> 'create' OR 'source' = ANY (given) THEN source END,
           CASE WHEN action <> 'create' OR 'owner_id' = ANY (given) THEN owner_id END,
           coalesce(source, new_source), coalesce(owner_id, new_owner_id), custom_fields, faults, related,
           array_remove(ARRAY[{counted}, CASE WHEN custom_fields IS NOT NULL THEN 'custom_fields' END], NULL)
    FROM recalled
)
SELECT action, changes FROM recalled
