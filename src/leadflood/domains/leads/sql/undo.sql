-- Undo the changes of a chunk whose leads are locked. Returns how many are `undone`, in a row without an id; leads to find
-- by a new text (`stale`) or to enrich (`unfinished`); and those with fields that were kept.
WITH chunk AS MATERIALIZED (
{chunk}
), compared AS (
{compared}
), {verdict}, {written}
SELECT NULL AS id, NULL AS first_name, NULL AS last_name, NULL AS email, NULL AS company, false AS stale,
       false AS unfinished, '{}'::text[] AS kept, count(*) AS undone
FROM moved
UNION ALL
SELECT id, first_name, last_name, email, company, coalesce(stale, false), coalesce(unfinished, false), '{}', 0
FROM moved WHERE stale OR unfinished
UNION ALL
SELECT lead_id, NULL, NULL, NULL, NULL, false, false, kept, 0 FROM verdict WHERE kept <> '{}'
