-- Create companies for those of the domains that no company has. Waits for others who create the same ones: then theirs
-- are kept. In the order of domains, so that two who create several cannot deadlock.
WITH claimed AS (
    INSERT INTO company_domains (workspace_id, domain, company_id, source)
    SELECT :workspace_id, wanted.domain, wanted.id, :source
    FROM unnest(:domains::text[], :ids::uuid[]) AS wanted (domain, id)
    WHERE NOT EXISTS (
        SELECT FROM company_domains d WHERE d.workspace_id = :workspace_id AND d.domain = wanted.domain OFFSET 0)
    ORDER BY wanted.domain
    ON CONFLICT DO NOTHING
    RETURNING domain, company_id
)
INSERT INTO companies (workspace_id, id, domain, sort_key, source)
SELECT :workspace_id, company_id, domain, domain, :source FROM claimed
RETURNING id
