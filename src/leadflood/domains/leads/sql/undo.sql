-- Undo the changes of a chunk whose leads are locked. Returns which are `restored`, `deleted` and `updated`, in a row
-- without an id; leads to enrich (`unfinished`); and those with fields that were kept.
WITH chunk AS MATERIALIZED (
{chunk}
), compared AS (
{compared}
), {verdict}, {written}
SELECT NULL AS id, false AS unfinished, '{}'::text[] AS kept,
       array_agg(id) FILTER (WHERE back -> 'deleted_at' = 'null') AS restored,
       array_agg(id) FILTER (WHERE back -> 'deleted_at' <> 'null') AS deleted,
       array_agg(id) FILTER (WHERE NOT back ? 'deleted_at') AS updated
FROM moved
UNION ALL
SELECT id, true, '{}', NULL, NULL, NULL FROM moved WHERE unfinished
UNION ALL
SELECT lead_id, false, kept, NULL, NULL, NULL FROM verdict WHERE kept <> '{}'
