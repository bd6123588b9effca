-- Store the answers of claimed lookups, which are locked in the order of their IDs, with their values.
WITH claimed AS (
    SELECT l.id, a.* FROM unnest(
        :question_hashes::bytea[], :sources::text[], :claims::uuid[], :states::text[], :answered::timestamptz[],
        :expire::timestamptz[], :sentences::text[], :tickets::text[], :tickets_at::timestamptz[], :failures::integer[],
        :units::integer[], :provider_refs::text[]
    ) AS a (question_hash, source, claim, state, answered_at, expires_at, sentence, ticket, ticket_at, failures, units,
            provider_ref)
    JOIN lookups l ON l.workspace_id = :workspace_id AND l.question_hash = a.question_hash AND l.source = a.source
                  AND l.claim = a.claim
    ORDER BY l.id::text FOR UPDATE OF l -- as text, or PostgreSQL was seen to walk through all lookups in this order
), answered AS (
    UPDATE lookups l
    SET state = c.state, claim = NULL, claimed_until = NULL, answered_at = c.answered_at, expires_at = c.expires_at,
        sentence = c.sentence, ticket = c.ticket, ticket_at = c.ticket_at, failures = c.failures, units = c.units,
        provider_ref = c.provider_ref, doubted_at = NULL
    FROM claimed c
    -- The array: without statistics, PostgreSQL was seen to read every lookup of the workspace for the join.
    WHERE l.workspace_id = :workspace_id AND l.id = ANY (ARRAY(SELECT id FROM claimed)) AND l.id = c.id
    RETURNING l.workspace_id, l.id, l.purchase_id, c.claim
), found AS (
    INSERT INTO found_values (workspace_id, lookup_id, id, field, value, confidence, method, evidence, source_url,
                              quote, observed_at)
    SELECT answered.workspace_id, answered.id, v.id, v.field, v.value::jsonb, v.confidence, v.method, v.evidence,
           v.source_url, v.quote, v.observed_at
    FROM answered
    JOIN unnest(:value_claims::uuid[], :value_ids::uuid[], :fields::text[], :values::text[], :confidences::float8[],
                :methods::text[], :evidences::text[], :urls::text[], :quotes::text[], :observed::timestamptz[])
         AS v (claim, id, field, value, confidence, method, evidence, source_url, quote, observed_at)
      ON v.claim = answered.claim
)
SELECT claim, id, purchase_id FROM answered
