-- Combine rows with one address: the first one gets what it leaves empty from the next one that has it. Too many custom
-- fields for one lead are not combined.
WITH grouped AS (
    SELECT g.head, {first}, jsonb_agg(g.custom_fields ORDER BY g.row_no DESC) AS customs, jsonb_agg(g.related) AS related
    FROM (SELECT coalesce(i.duplicate_of, i.row_no) AS head, i.* FROM incoming_rows i WHERE i.forced_action IS NULL) g
    WHERE g.head IN (SELECT d.duplicate_of FROM incoming_rows d WHERE d.duplicate_of IS NOT NULL)
    GROUP BY g.head
)
UPDATE incoming_rows h
SET {filled}, new_source = coalesce(m.source, h.new_source), new_owner_id = coalesce(m.owner_id, h.new_owner_id),
    related = u.related,
    custom_fields = CASE WHEN octet_length(c.custom_fields::text) > :most_bytes OR c.keys > :most_custom
                         THEN h.custom_fields ELSE c.custom_fields END
FROM grouped m
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(f.key, f.value ORDER BY o.place) AS custom_fields, count(DISTINCT f.key) AS keys
    FROM jsonb_array_elements(m.customs) WITH ORDINALITY AS o (object, place)
    CROSS JOIN jsonb_each(CASE WHEN jsonb_typeof(o.object) = 'object' THEN o.object ELSE '{}' END) AS f
) c
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(n.kind, n.names) AS related
    FROM (SELECT r.key AS kind, jsonb_agg(DISTINCT e.name) AS names
          FROM jsonb_array_elements(m.related) AS o (object)
          CROSS JOIN jsonb_each(CASE WHEN jsonb_typeof(o.object) = 'object' THEN o.object ELSE '{}' END) AS r
          CROSS JOIN jsonb_array_elements(r.value) AS e (name)
          GROUP BY r.key) n
) u
WHERE h.row_no = m.head
