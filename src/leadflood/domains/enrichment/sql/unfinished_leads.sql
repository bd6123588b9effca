-- Leads that are neither enriched nor failed, and that no live job is going to change.
SELECT 'lead ' || l.id || ' is ' || l.status || ', but no job is going to change that' AS violation
FROM leads l
WHERE l.status IN ('new', 'processing') AND l.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM job_executions j
                  WHERE j.workspace_id = l.workspace_id AND j.subject_id = l.id AND j.kind = :kind
                    AND j.status IN ('queued', 'running'))
  AND NOT (l.status = 'new'
           AND EXISTS (SELECT FROM lead_events e
                       WHERE e.workspace_id = l.workspace_id AND e.lead_id = l.id AND e.kind = 'lead.created'
                         AND e.data ? 'importId')
           AND (EXISTS (SELECT FROM enrichment_batch_items i
                        WHERE i.workspace_id = l.workspace_id AND i.subject_id = l.id AND i.job_id IS NULL)
                OR coalesce((SELECT e.kind = 'enrichment.canceled' FROM lead_events e
                             WHERE e.workspace_id = l.workspace_id AND e.lead_id = l.id
                               AND e.kind IN ('enrichment.requested', 'enrichment.canceled')
                             ORDER BY e.id DESC LIMIT 1), true)))
LIMIT :listed
