-- Store the answer of a claimed lookup, with its values.
WITH answered AS (
    UPDATE lookups
    SET state = :state, claim = NULL, claimed_until = NULL, answered_at = :answered_at, expires_at = :expires_at,
        sentence = :sentence, ticket = :ticket, ticket_at = :ticket_at, failures = :failures, units = :units,
        provider_ref = :provider_ref
    WHERE workspace_id = :workspace_id AND question_hash = :question_hash AND source = :source AND claim = :claim
    RETURNING workspace_id, id, purchase_id
), found AS (
    INSERT INTO found_values (workspace_id, lookup_id, id, field, value, confidence, method, evidence, source_url,
                              quote, observed_at)
    SELECT answered.workspace_id, answered.id, v.id, v.field, v.value::jsonb, v.confidence, v.method, v.evidence,
           v.source_url, v.quote, v.observed_at
    FROM answered
    CROSS JOIN unnest(:value_ids::uuid[], :fields::text[], :values::text[], :confidences::float8[], :methods::text[],
                      :evidences::text[], :urls::text[], :quotes::text[], :observed::timestamptz[])
               AS v (id, field, value, confidence, method, evidence, source_url, quote, observed_at)
)
SELECT id, purchase_id FROM answered
