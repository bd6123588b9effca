-- What goes back: `back` has the fields with their values, `kept` those that are neither as written nor as before.
-- A lead that the undo would delete stays if there is a conflict, such as another one that was merged into it since. One
-- that was itself merged into another is marked `merged_into`: undoing that merge leaves it deleted (`store.merging`).
SELECT lead_id, change, before, after, present, gone,
       CASE WHEN conflict IS NULL THEN f.back ELSE f.back - 'deleted_at' END AS back,
       CASE WHEN conflict IS NULL THEN f.kept
            ELSE array_remove(coalesce(f.kept, '{}'), 'deleted_at') || conflict END AS kept
FROM chunk CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(key, before -> key) FILTER (WHERE value = coalesce(present -> key, 'null')) AS back,
           array_agg(key) FILTER (WHERE coalesce(present -> key, 'null') NOT IN (value, before -> key)) AS kept
    FROM jsonb_each(after - '{email_norm,search_text}'::text[])
) f
WHERE change <> 'created'
UNION ALL
SELECT lead_id, change, before, after, present, gone,
       CASE WHEN f.kept IS NULL THEN jsonb_build_object('deleted_at', extract(epoch FROM now())) END, f.kept
FROM chunk CROSS JOIN LATERAL (
    SELECT jsonb_strip_nulls(after) - '{email_norm,search_text}'::text[] AS made,
           jsonb_strip_nulls(present) - '{email_norm,search_text,deleted_at}'::text[] AS found
    OFFSET 0
) i CROSS JOIN LATERAL (
    SELECT CASE WHEN conflict <> 'merged_into' THEN ARRAY[conflict]
                WHEN made <> found
                THEN (SELECT array_agg(key) FROM lead_difference(made, found) d, jsonb_object_keys(d.after) AS key)
                WHEN conflict = 'merged_into' THEN ARRAY[conflict] END AS kept
) f
WHERE change = 'created' AND (NOT gone OR conflict IS NOT NULL)
