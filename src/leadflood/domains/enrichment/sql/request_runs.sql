-- Start runs of companies whose facts are not fresh, or of all if they are asked again. Where sources were left out
-- because no tier depended on them, one may now: free sources answer from what is stored, and the others are judged
-- again. A company of which a run has not ended gets none: the unique index decides. In the order of companies, so that
-- two who start several cannot deadlock.
INSERT INTO company_runs (workspace_id, id, company_id, job_id, domain, sources, newer_than, wait_until,
                          free_only, batch_id)
SELECT :workspace_id, w.id, w.company_id, w.job_id, w.domain, :sources, :newer_than, now() + make_interval(secs => :wait),
       :free_only, coalesce(:batch_id::uuid, (
           SELECT i.batch_id FROM company_leads k
           JOIN enrichment_batch_items i ON i.workspace_id = k.workspace_id AND i.subject_id = k.lead_id
           WHERE k.workspace_id = :workspace_id AND k.company_id = w.company_id AND i.job_id IS NOT NULL LIMIT 1))
FROM unnest(:company_ids::uuid[], :domains::text[], :ids::uuid[], :job_ids::uuid[]) AS w (company_id, domain, id, job_id)
WHERE :newer_than::timestamptz IS NOT NULL OR NOT EXISTS (
    SELECT FROM company_runs r
    WHERE r.workspace_id = :workspace_id AND r.company_id = w.company_id AND r.domain = w.domain
      AND r.sources = :sources AND r.fresh_until > now()
      AND (NOT coalesce(r.steps @> '[{"avoided": true}]', false)
           OR r.ended_at > now() - interval '10 minutes'
              AND NOT EXISTS (SELECT FROM company_leads k
                              WHERE k.workspace_id = r.workspace_id AND k.company_id = r.company_id
                                AND k.linked_at > r.ended_at)))
ORDER BY w.company_id
ON CONFLICT (workspace_id, company_id) WHERE ended_at IS NULL DO NOTHING
RETURNING id, company_id, job_id, domain, wait_until
