-- Part of compare.sql: the same for custom fields, and whether the lead would have too many of them.
-- A value counts as the same if it reads the same.
SELECT jsonb_object_agg('custom_fields.' || key, jsonb_build_array(l.custom_fields -> key, value)) FILTER (
           WHERE (l.custom_fields ->> key) IS DISTINCT FROM (i.custom_fields ->> key)
             AND (:custom_fields::text = 'overwrite'
                  OR :custom_fields::text = 'fill_empty' AND NOT l.custom_fields ? key)) AS changes,
       CASE WHEN :custom_fields::text <> 'overwrite' AND bool_or(l.custom_fields ->> key <> i.custom_fields ->> key)
            THEN ARRAY['custom_fields'] END AS kept,
       :custom_fields::text <> 'keep' AND (
           (SELECT count(*) FROM jsonb_object_keys(i.custom_fields || l.custom_fields)) > :most_custom
           OR octet_length((i.custom_fields || l.custom_fields)::text) > :most_bytes) AS overfull
FROM jsonb_each(i.custom_fields)
HAVING l.id IS NOT NULL AND i.custom_fields IS NOT NULL
