"""SQL of jobs that were lost with their workers twice, and run in a separate process."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.store import Key, running_job
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The first due job that runs in a separate process (its `losses` are SUSPECT_AFTER or more). Those are in a partial
# index, which is nearly always empty.
CLAIM = sql("""
WITH next AS (
    SELECT workspace_id, id FROM job_executions
    WHERE status = 'queued' AND losses >= 2 AND next_attempt_at <= now() AND kind = ANY(:kinds) AND NOT on_hold
      AND attempts < max_attempts
    ORDER BY next_attempt_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE job_executions j
SET status = 'running', attempts = j.attempts + 1, worker_id = :worker_id, updated_at = now(), started_at = now(),
    lease_expires_at = now() + make_interval(secs => :lease), waiting_for = NULL, awaited_id = NULL,
    rerun = false
FROM next
WHERE j.workspace_id = next.workspace_id AND j.id = next.id
RETURNING j.workspace_id, j.id, j.kind, j.attempts, j.max_attempts, j.payload::text AS payload, j.subject_id,
          j.trace::text AS trace, j.created_at, j.started_at, j.losses, j.priority
""")

# An attempt that still runs.
RUNNING = sql("""
SELECT workspace_id, id, kind, attempts, max_attempts, payload::text AS payload, subject_id, trace::text AS trace,
       created_at, started_at, losses, priority
FROM job_executions
WHERE workspace_id = :workspace_id AND id = :id AND attempts = :attempt AND status = 'running'
""")


async def claim(tx: Transaction, kinds: Sequence[str], worker_id: UUID, lease: float) -> RunningJob | None:
    """Start the first due job of these kinds among those that run in a separate process."""
    row = await tx.first(CLAIM, {"kinds": list(kinds), "worker_id": worker_id, "lease": lease})
    return running_job(row) if row else None


async def running(tx: Transaction, key: Key) -> RunningJob | None:
    """The attempt, if it is still running. It is not locked."""
    row = await tx.first(RUNNING, {"workspace_id": key[0], "id": key[1], "attempt": key[2]})
    return running_job(row) if row else None
