-- Put the fields back, with an entry in each timeline. An owner who left is removed.
moved AS (
    UPDATE leads l
    SET email = CASE WHEN back ? 'email' THEN back ->> 'email' ELSE l.email END,
        email_norm = CASE WHEN back ? 'email' AND before ? 'email_norm' THEN before ->> 'email_norm'
                          ELSE l.email_norm END,
        {fields},
        owner_id = CASE WHEN back ? 'owner_id'
                        THEN (SELECT m.user_id FROM memberships m
                              WHERE m.workspace_id = :workspace_id AND m.user_id = (back ->> 'owner_id')::uuid)
                        ELSE l.owner_id END,
        custom_fields = coalesce(
            (SELECT (l.custom_fields - array_agg(substr(key, 15)))
                    || coalesce(jsonb_object_agg(substr(key, 15), value) FILTER (WHERE value <> 'null'), '{}')
             FROM jsonb_each(back) WHERE starts_with(key, 'custom_fields.') HAVING count(*) > 0),
            l.custom_fields),
        deleted_at = CASE WHEN back ? 'deleted_at' THEN to_timestamp((back ->> 'deleted_at')::double precision)
                          ELSE l.deleted_at END,
        version = l.version + 1, updated_at = now()
    FROM verdict
    WHERE l.workspace_id = :workspace_id AND l.id = verdict.lead_id AND back <> '{}'
    RETURNING l.id, l.version, present, back,
              back -> 'deleted_at' = 'null' AND l.status IN ('new', 'processing') AS unfinished
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY id) AS number FROM moved
), timeline_rows AS (
    INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
    SELECT :workspace_id, n.id, (:event_ids::uuid[])[n.number],
           CASE WHEN back -> 'deleted_at' = 'null' THEN 'lead.restored' WHEN back ? 'deleted_at' THEN 'lead.deleted'
                ELSE 'lead.changed' END,
           :actor_kind, :actor_id,
           jsonb_build_object('changesetId', :changeset_id, 'undo', true, 'version', n.version) || coalesce(
               (SELECT jsonb_build_object('changes', jsonb_object_agg(
                    key, jsonb_build_array(coalesce(present -> key, 'null'), value)))
                FROM jsonb_each(back - 'deleted_at') HAVING count(*) > 0), '{}')
    FROM numbered n
)
