-- Insert leads with the first entry of their timelines. Returns the ids of those whose address no active lead had.
-- Rows go in by address, so that two processes that insert the same addresses wait for each other in one direction only.
-- Of equal ones the first of the arrays wins.
WITH given AS (
    SELECT * FROM unnest(:ids::uuid[], :emails::text[], :email_norms::text[], {arrays}, :custom_fields::text[],
                         :job_ids::uuid[], :event_ids::uuid[], :actor_kinds::text[],
                         :actor_ids::uuid[])
         WITH ORDINALITY
         AS g (id, email, email_norm, {fields}, custom_fields, job_id, event_id, actor_kind, actor_id, place)
), created AS (
    INSERT INTO leads (workspace_id, id, email, email_norm, {fields}, custom_fields)
    SELECT :workspace_id, id, email, email_norm, {new_fields}, custom_fields::jsonb
    FROM given ORDER BY email_norm COLLATE "C", place
    ON CONFLICT (workspace_id, email_norm) WHERE deleted_at IS NULL DO NOTHING
    RETURNING id
), timeline_rows AS (
    INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
    SELECT :workspace_id, id, event_id, :kind, actor_kind, actor_id,
           jsonb_build_object('source', source, 'jobId', job_id)
    FROM given JOIN created USING (id)
)
SELECT id FROM created
