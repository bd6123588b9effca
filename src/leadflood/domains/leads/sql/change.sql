-- Change many leads alike, with their timeline and images.
-- `patch` holds the fields to set, by the names of an image. A lead that has them all already is left alone. `able` are
-- the leads that can be changed: not those whose address another lead has now, nor those that would get more custom
-- fields than a lead may have. Nothing here joins two steps: PostgreSQL expects few rows of each, and would compare all
-- of the one with all of the other.
WITH patch AS (
    SELECT :patch AS fields,
           coalesce(jsonb_object_agg(substr(key, 15), value) FILTER (WHERE value <> 'null'), '{}') AS custom,
           coalesce(array_agg(substr(key, 15)), '{}') AS custom_keys
    FROM jsonb_each(:patch) WHERE starts_with(key, 'custom_fields.')
), wanted AS MATERIALIZED (
    SELECT l.id, l.email_norm, lead_image(l) AS image, (l.custom_fields - custom_keys) || custom AS custom_fields,
           n.event_id, row_number() OVER (PARTITION BY l.email_norm ORDER BY l.id DESC) AS turn
    FROM unnest(:lead_ids::uuid[], :event_ids::uuid[]) AS n (id, event_id)
    JOIN leads l ON l.workspace_id = :workspace_id AND l.id = n.id
    CROSS JOIN patch
), able AS MATERIALIZED (
    SELECT w.* FROM wanted w CROSS JOIN patch
    WHERE EXISTS (SELECT FROM jsonb_each(fields) WHERE coalesce(image -> key, 'null') <> value)
      AND (custom = '{}' OR octet_length(custom_fields::text) <= :most_bytes
                            AND (SELECT count(*) FROM jsonb_object_keys(custom_fields)) <= :most_fields)
      AND (:change <> 'restored' OR turn = 1 AND NOT EXISTS (
               SELECT FROM leads o
               WHERE o.workspace_id = :workspace_id AND o.email_norm = w.email_norm AND o.deleted_at IS NULL))
), changed AS (
    UPDATE leads l
    SET {fields},
        custom_fields = able.custom_fields,
        deleted_at = CASE :change WHEN 'deleted' THEN now() WHEN 'restored' THEN NULL ELSE l.deleted_at END,
        version = l.version + 1, updated_at = now()
    FROM able CROSS JOIN patch
    WHERE l.workspace_id = :workspace_id AND l.id = able.id
    RETURNING l.id, l.version, l.status, able.image AS old_image, lead_image(l) AS new_image, able.event_id
), compared AS MATERIALIZED (
    SELECT c.id, c.version, c.event_id, d.before, d.after
    FROM changed c CROSS JOIN LATERAL lead_difference(c.old_image, c.new_image) d
), logged AS (
    INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, before, after)
    SELECT :workspace_id, :changeset_id, id, :change, before, after FROM compared
), timeline_rows AS (
    INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
    SELECT :workspace_id, c.id, c.event_id, :event, :actor_kind, :actor_id,
           jsonb_build_object('changesetId', :changeset_id, 'version', c.version) || coalesce(
               (SELECT jsonb_build_object('changes', jsonb_object_agg(key, jsonb_build_array(c.before -> key, value)))
                FROM jsonb_each(c.after - '{search_text,deleted_at}'::text[]) HAVING count(*) > 0), '{}')
    FROM compared c
)
SELECT ARRAY(SELECT id FROM changed) AS changed,
       ARRAY(SELECT id FROM changed WHERE :change = 'restored' AND status IN ('new', 'processing')) AS unfinished
