-- Write values of other domains into the empty fields of many locked leads, with their timeline and images. A lead without
-- such a field is left alone.
WITH wanted AS MATERIALIZED (
    SELECT l.id, lead_image(l) AS image, given.*
    FROM unnest(:lead_ids::uuid[], :event_ids::uuid[], :found_by::text[], {arrays})
         AS given (lead_id, event_id, found_by, {fields})
    JOIN leads l ON l.workspace_id = :workspace_id AND l.id = given.lead_id
), changed AS (
    UPDATE leads l SET {assigned}, version = l.version + 1, updated_at = now()
    FROM wanted
    WHERE l.workspace_id = :workspace_id AND l.id = wanted.id AND ({fillable})
    RETURNING l.id, l.version, wanted.image AS old_image, lead_image(l) AS new_image, wanted.event_id, wanted.found_by
), compared AS MATERIALIZED (
    SELECT c.*, d.before, d.after FROM changed c CROSS JOIN LATERAL lead_difference(c.old_image, c.new_image) d
), logged AS (
    INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, before, after)
    SELECT :workspace_id, :changeset_id, id, 'updated', before, after FROM compared
), timeline_rows AS (
    INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
    SELECT :workspace_id, c.id, c.event_id, :event, :actor_kind, :actor_id,
           jsonb_build_object('changesetId', :changeset_id, 'version', c.version, 'foundBy', c.found_by::jsonb)
           || coalesce(
               (SELECT jsonb_build_object('changes', jsonb_object_agg(key, jsonb_build_array(c.before -> key, value)))
                FROM jsonb_each(c.after - 'search_text') HAVING count(*) > 0), '{}')
    FROM compared c
)
SELECT id FROM changed
