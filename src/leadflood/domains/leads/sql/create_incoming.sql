-- Insert incoming leads with their timeline and images. Returns their ids.
-- The image is written out here: `lead_image` takes three times as long, and a new lead has no other state than this.
-- In the order of their addresses, as two imports with the same new addresses must not wait for each other in turns.
WITH made AS (
    INSERT INTO leads (workspace_id, id, email, email_norm, {fields}, custom_fields, owner_id)
    SELECT :workspace_id, i.id, i.email, i.email_norm, {new_fields}, coalesce(i.custom_fields, '{}'),
           (SELECT m.user_id FROM memberships m WHERE m.workspace_id = :workspace_id AND m.user_id = i.owner_id)
    FROM incoming_leads i
    ORDER BY i.email_norm
    ON CONFLICT (workspace_id, email_norm) WHERE deleted_at IS NULL DO NOTHING
    RETURNING id, email, {fields}, owner_id, custom_fields
), recorded AS (
    INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
    SELECT :workspace_id, id, :event_id, 'lead.created', :actor_kind, :actor_id,
           jsonb_build_object('source', source, 'changesetId', :changeset_id::uuid::text, 'importId', :origin::text,
                              'version', 1)
    FROM made
), noted AS (
    INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, after)
    SELECT :workspace_id, :changeset_id, id, 'created', jsonb_strip_nulls(jsonb_build_object(
               'email', email, {pairs}, 'owner_id', owner_id
           )) || CASE WHEN custom_fields = '{}' THEN '{}' ELSE (
               SELECT jsonb_object_agg('custom_fields.' || key, value) FROM jsonb_each(custom_fields)) END
    FROM made
)
SELECT coalesce(array_agg(id), '{}') FROM made
