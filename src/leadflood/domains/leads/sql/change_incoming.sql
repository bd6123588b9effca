-- Change leads as incoming changes say, with their timeline and images. Returns their ids.
-- A lead at the version of the preview is as it was then. Another may still be changed, if what is to change is as it
-- was: an edit of other fields is no conflict.
WITH changed AS (
    UPDATE leads l
    SET {fields},
        owner_id = coalesce(
            (SELECT m.user_id FROM memberships m
             WHERE m.workspace_id = :workspace_id AND m.user_id = (c.changes -> 'owner_id' ->> 1)::uuid),
             l.owner_id),
        custom_fields = l.custom_fields || coalesce(
            (SELECT jsonb_object_agg(substr(key, 15), value -> 1) FROM jsonb_each(c.changes)
             WHERE starts_with(key, 'custom_fields.')), '{}'),
        version = l.version + 1, updated_at = now()
    FROM incoming_changes c
    WHERE l.workspace_id = :workspace_id AND l.id = c.lead_id AND l.deleted_at IS NULL
      AND (l.version = c.version OR NOT EXISTS (
               SELECT FROM jsonb_each(c.changes) e
               WHERE coalesce(lead_image(l) -> e.key, 'null') <> e.value -> 0))
    RETURNING l.id, l.version, c.changes
), recorded AS (
    INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
    SELECT :workspace_id, id, :event_id, 'lead.changed', :actor_kind, :actor_id,
           jsonb_build_object('changes', changes, 'changesetId', :changeset_id::uuid::text, 'importId', :origin::text,
                              'version', version)
    FROM changed
), noted AS (
    INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, before, after)
    SELECT :workspace_id, :changeset_id, id, 'updated', before, after
    FROM changed CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(key, value -> 0) AS before, jsonb_object_agg(key, value -> 1) AS after
        FROM jsonb_each(changes)
    ) images
)
SELECT coalesce(array_agg(id), '{}') FROM changed
