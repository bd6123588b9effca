-- Insert leads with the first entry of their timelines. Returns the ids of those whose address no living lead had.
-- Rows go in by address, so that two processes that insert the same addresses wait for each other in one direction only.
-- Of equal ones the first of the arrays wins.
WITH given AS (
    SELECT * FROM unnest(:ids::uuid[], :emails::text[], :email_norms::text[], :first_names::text[],
                         :last_names::text[], :companies::text[], :job_titles::text[], :phones::text[],
                         :websites::text[], :countries::text[], :sources::text[], :custom_fields::text[],
                         :owner_ids::uuid[], :search_texts::text[],
                         :job_ids::uuid[], :event_ids::uuid[], :actor_kinds::text[], :actor_ids::uuid[])
         WITH ORDINALITY
         AS g (id, email, email_norm, first_name, last_name, company, job_title, phone, website, country, source,
               custom_fields, owner_id, search_text, job_id, event_id, actor_kind, actor_id, place)
), created AS (
    INSERT INTO leads (workspace_id, id, email, email_norm, first_name, last_name, company, job_title, phone, website,
                       country, source, custom_fields, owner_id, search_text)
    SELECT :workspace_id, id, email, email_norm, first_name, last_name, company, job_title, phone, website, country,
           source, custom_fields::jsonb, owner_id, search_text
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
