-- A lead whose address another lead has now stays deleted, or keeps its present address.
addressed AS (
    SELECT *, back -> 'deleted_at' = 'null' AS returns,
           CASE WHEN back -> 'deleted_at' = 'null' OR NOT gone AND back ? 'email' AND before ? 'email_norm'
                THEN CASE WHEN back ? 'email' AND before ? 'email_norm' THEN before ->> 'email_norm'
                          ELSE present ->> 'email_norm' END END AS address
    FROM compared
), contested AS (
    SELECT *, address IS NOT NULL AND (
               row_number() OVER (PARTITION BY address ORDER BY lead_id) > 1
               OR EXISTS (SELECT FROM leads other
                          WHERE other.workspace_id = :workspace_id AND other.email_norm = address
                            AND other.deleted_at IS NULL AND other.id <> lead_id)) AS taken
    FROM addressed
), verdict AS MATERIALIZED (
    SELECT lead_id, before, after, present, gone,
           coalesce(CASE WHEN taken AND returns THEN NULL WHEN taken THEN back - 'email' ELSE back END, '{}') AS back,
           coalesce(kept, '{}') || CASE WHEN taken THEN '{email}'::text[] ELSE '{}' END AS kept
    FROM contested
)
