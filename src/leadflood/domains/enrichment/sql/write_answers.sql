-- Store answers with their facts, and choose those of the facts that have a reason.
WITH lookup AS (
    INSERT INTO lookups (workspace_id, id, lead_id, source, source_version, state, job_id, sentence, asked_at,
                         answered_at, expires_at)
    SELECT :workspace_id, l.*, now(), now()
    FROM unnest(:ids::uuid[], :lead_ids::uuid[], :sources::text[], :versions::text[], :states::text[],
                :job_ids::uuid[], :sentences::text[], :asked::timestamptz[]) AS l
), fact AS MATERIALIZED (
    SELECT * FROM unnest(:lookup_ids::uuid[], :value_ids::uuid[], :subject_ids::uuid[], :fields::text[],
                         :values::text[], :confidences::float8[], :methods::text[], :evidences::text[], :urls::text[],
                         :quotes::text[], :observed::timestamptz[], :items::text[], :certainties::float8[],
                         :reasons::text[])
           AS f (lookup_id, id, subject_id, field, value, confidence, method, evidence, source_url, quote, observed_at,
                 item, certainty, because)
), found AS (
    INSERT INTO found_values (workspace_id, lookup_id, id, field, value, confidence, method, evidence, source_url,
                              quote, observed_at)
    SELECT :workspace_id, lookup_id, id, field, value::jsonb, confidence, method, evidence, source_url, quote,
           observed_at
    FROM fact
)
INSERT INTO chosen_values AS c (workspace_id, subject_kind, subject_id, field, item, lookup_id, value_id, confidence,
                                because)
SELECT :workspace_id, 'lead', subject_id, field, item, lookup_id, id, certainty, because
FROM fact WHERE because IS NOT NULL
ON CONFLICT (workspace_id, subject_id, field, item) DO UPDATE
SET lookup_id = excluded.lookup_id, value_id = excluded.value_id, confidence = excluded.confidence,
    because = excluded.because, chosen_at = now()
WHERE c.because <> 'pinned'
