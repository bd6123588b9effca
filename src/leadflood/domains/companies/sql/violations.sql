-- Companies and links that contradict each other: one sentence for each.
SELECT 'company ' || c.id || ' has the main domain ' || c.domain || ', which belongs to another one' AS violation
FROM companies c
LEFT JOIN company_domains d ON d.workspace_id = c.workspace_id AND d.domain = c.domain AND d.company_id = c.id
WHERE c.merged_into IS NULL AND d.domain IS NULL
UNION ALL
SELECT 'company ' || c.id || ' is merged, but still has the domain ' || d.domain
FROM companies c JOIN company_domains d ON d.workspace_id = c.workspace_id AND d.company_id = c.id
WHERE c.merged_into IS NOT NULL
UNION ALL
SELECT 'lead ' || l.lead_id || ' belongs to company ' || l.company_id || ', which is merged'
FROM company_leads l
JOIN companies c ON c.workspace_id = l.workspace_id AND c.id = l.company_id
WHERE c.merged_into IS NOT NULL
UNION ALL
SELECT 'lead ' || l.lead_id || ' belongs to company ' || l.company_id || ' by ' || l.domain
    || ', which is not a domain of it'
FROM company_leads l
LEFT JOIN company_domains d
    ON d.workspace_id = l.workspace_id AND d.domain = l.domain AND d.company_id = l.company_id
WHERE NOT l.pinned AND d.domain IS NULL
LIMIT :listed
