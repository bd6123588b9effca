-- Mark the leads whose tier is not the one that a rule of the profile knows.
INSERT INTO rule_marks (workspace_id, icp_id, lead_id, is_check)
SELECT DISTINCT :workspace_id::uuid, :icp_id::uuid, found.lead_id, true
FROM (
    SELECT s.lead_id
    FROM rules r
    JOIN icps i ON i.workspace_id = r.workspace_id AND i.id = r.icp_id
    JOIN icp_scores s ON s.workspace_id = i.workspace_id AND s.version_id = i.live_version_id AND s.tier = r.tier
    WHERE r.workspace_id = :workspace_id AND r.icp_id = :icp_id AND r.enabled
      AND NOT EXISTS (SELECT FROM rule_members m
                      WHERE m.workspace_id = r.workspace_id AND m.rule_id = r.id AND m.lead_id = s.lead_id)
    UNION ALL
    SELECT m.lead_id
    FROM rules r
    JOIN icps i ON i.workspace_id = r.workspace_id AND i.id = r.icp_id
    JOIN rule_members m ON m.workspace_id = r.workspace_id AND m.rule_id = r.id
    WHERE r.workspace_id = :workspace_id AND r.icp_id = :icp_id AND r.enabled
      AND NOT EXISTS (SELECT FROM icp_scores s
                      WHERE s.workspace_id = r.workspace_id AND s.version_id = i.live_version_id
                        AND s.lead_id = m.lead_id AND s.tier = r.tier)
) found
JOIN leads l ON l.workspace_id = :workspace_id AND l.id = found.lead_id AND l.deleted_at IS NULL
