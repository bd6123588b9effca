"""What must hold of jobs and the outbox at any moment: for `doctor`, and for the end of each chaos test."""

from leadflood.domains.jobs.models import FORGOTTEN_AFTER
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

NOT_RESCUED_AFTER = 60.0
"""Seconds past the end of a lease: a rescue takes far less."""

STRANDED_AFTER = 2 * FORGOTTEN_AFTER
"""Seconds overdue: by then a lost ticket has been replaced, and a stale event taken again."""

_LISTED = 100

_VIOLATIONS = sql("""
SELECT told FROM (
    (SELECT 'job ' || id || ' (' || kind || ') is running, but its lease ended at ' || lease_expires_at
            || ' and nobody rescued it' AS told
     FROM job_executions
     WHERE status = 'running' AND lease_expires_at < now() - make_interval(secs => :not_rescued)
     LIMIT :listed)
    UNION ALL
    (SELECT 'job ' || id || ' (' || kind || ') is queued, but has no attempt left'
     FROM job_executions
     WHERE status = 'queued' AND attempts >= max_attempts
     LIMIT :listed)
    UNION ALL
    (SELECT 'job ' || id || ' (' || kind || ') should have started at ' || next_attempt_at
            || ' and no event announces it: its ticket is lost, or there are too few workers'
     FROM job_executions j
     WHERE status = 'queued' AND next_attempt_at < now() - make_interval(secs => :stranded)
       AND NOT EXISTS (SELECT FROM outbox_events e WHERE e.workspace_id = j.workspace_id AND e.job_id = j.id
                       AND e.status IN ('pending', 'processing', 'failed'))
     LIMIT :listed)
    UNION ALL
    (SELECT 'outbox event ' || id || ' is ' || status || ', but its job ' || job_id || ' is missing'
     FROM outbox_events e
     WHERE status IN ('pending', 'processing', 'failed')
       AND NOT EXISTS (SELECT FROM job_executions j WHERE j.workspace_id = e.workspace_id AND j.id = e.job_id)
     LIMIT :listed)
    UNION ALL
    (SELECT 'outbox event ' || id || ' is ' || status || ' and was due at ' || next_attempt_at
            || ', but no relay published it'
     FROM outbox_events
     WHERE status IN ('pending', 'processing', 'failed')
       AND next_attempt_at < now() - make_interval(secs => :stranded)
     LIMIT :listed)
) AS violations
""")


async def violations(tx: Transaction) -> list[str]:
    """One sentence for each thing that is wrong, up to 100 of a sort; empty when all is well.

    Needs a transaction across workspaces (`Database.system`).
    """
    limits = {"not_rescued": NOT_RESCUED_AFTER, "stranded": STRANDED_AFTER, "listed": _LISTED}
    return [row.told for row in await tx.all(_VIOLATIONS, limits)]
