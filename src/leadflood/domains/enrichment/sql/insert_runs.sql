-- Keep runs of adapters, and the values that they found.
WITH run AS (
    INSERT INTO enrichment_runs (workspace_id, id, lead_id, job_id, adapter, adapter_version, status, error,
                                 cost_micros, started_at)
    SELECT :workspace_id, r.* FROM unnest(:ids::uuid[], :lead_ids::uuid[], :job_ids::uuid[], :adapters::text[],
                                          :versions::text[], :statuses::text[], :errors::text[], :costs::bigint[],
                                          :started::timestamptz[]) AS r
)
INSERT INTO enrichment_values (workspace_id, id, run_id, lead_id, field, value, confidence, method, evidence,
                               source_url, cost_micros, chosen)
SELECT :workspace_id, v.id, v.run_id, v.lead_id, v.field, v.value::jsonb, v.confidence, v.method, v.evidence,
       v.source_url, v.cost, v.chosen
FROM unnest(:value_ids::uuid[], :run_ids::uuid[], :value_lead_ids::uuid[], :fields::text[], :values::text[],
            :confidences::float8[], :methods::text[], :evidences::text[], :urls::text[],
            :value_costs::bigint[], :chosen::boolean[])
     AS v (id, run_id, lead_id, field, value, confidence, method, evidence, source_url, cost, chosen)
