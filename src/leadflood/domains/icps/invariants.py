"""Invariants of scores: for `doctor`, and for the end of each chaos test."""

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

_LISTED = 100

# Live versions that do not have a score of each lead, without a mark that it follows; and publications without a job.
_VIOLATIONS = sql("""
(SELECT 'Lead ' || l.id || ' has no score by version ' || v.number || ' of profile ' || i.name || '.' AS violation
 FROM icps i
 JOIN icp_versions v ON v.workspace_id = i.workspace_id AND v.id = i.live_version_id
 JOIN leads l ON l.workspace_id = i.workspace_id AND l.deleted_at IS NULL
 WHERE NOT EXISTS (SELECT FROM icp_scores s
                   WHERE s.workspace_id = l.workspace_id AND s.version_id = v.id AND s.lead_id = l.id)
   AND NOT EXISTS (SELECT FROM icp_pending p WHERE p.workspace_id = l.workspace_id AND p.lead_id = l.id)
 LIMIT :listed)
UNION ALL
(SELECT 'The publication of version ' || v.number || ' of profile ' || i.name || ' has no job.'
 FROM icp_versions v JOIN icps i ON i.workspace_id = v.workspace_id AND i.id = v.icp_id
 WHERE v.state = 'publishing' AND NOT EXISTS (
     SELECT FROM job_executions j
     WHERE j.workspace_id = v.workspace_id AND j.id = v.job_id AND j.status IN ('queued', 'running'))
 LIMIT :listed)
""")


async def violations(tx: Transaction) -> list[str]:
    """One sentence for each lead without a score, and for each publication that nothing ends, up to 100 of each.

    Needs a transaction across workspaces (`Database.system`).
    """
    return [row.violation for row in await tx.all(_VIOLATIONS, {"listed": _LISTED})]
