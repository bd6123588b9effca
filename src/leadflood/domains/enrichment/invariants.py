"""What must hold between leads and the jobs that enrich them: for `doctor`, and for the end of each chaos test."""

from leadflood.domains.leads.events import ENRICH_LEAD
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

_LISTED = 100

_VIOLATIONS = sql("""
SELECT 'lead ' || l.id || ' is ' || l.status || ', but no job is going to change that' AS told
FROM leads l
WHERE l.status IN ('new', 'processing') AND l.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM job_executions j
                  WHERE j.workspace_id = l.workspace_id AND j.subject_id = l.id AND j.kind = :kind
                    AND j.status IN ('queued', 'running'))
  AND NOT (l.status = 'new'
           AND EXISTS (SELECT FROM lead_events e
                       WHERE e.workspace_id = l.workspace_id AND e.lead_id = l.id AND e.kind = 'lead.created'
                         AND e.data ? 'importId')
           AND NOT EXISTS (SELECT FROM lead_events e
                           WHERE e.workspace_id = l.workspace_id AND e.lead_id = l.id
                             AND e.kind = 'enrichment.requested'))
LIMIT :listed
""")


async def violations(tx: Transaction) -> list[str]:
    """One sentence for each lead that is neither `enriched` nor `failed` and has no live job, up to 100.

    A lead that an import made stays `new` until its enrichment is asked for, which the import may never do.
    A lead may have several live jobs: whoever asks for a fresh enrichment adds one. Deleted leads are left out.
    Needs a transaction across workspaces (`Database.system`).
    """
    return [row.told for row in await tx.all(_VIOLATIONS, {"kind": ENRICH_LEAD.name, "listed": _LISTED})]
