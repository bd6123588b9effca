"""SQL that writes jobs which wait for the hold on outgoing effects."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.store import Key, QueuedJob, queued_job, running_job
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# No message announces it before it is released. If it is never released, it is found as overdue and checks again. The
# attempt number never decreases, so one more is allowed.
PUT = sql("""
UPDATE job_executions
SET status = 'queued', on_hold = true, updated_at = now(), lease_expires_at = NULL, worker_id = NULL,
    last_error = :reason, cause = '', max_attempts = max_attempts + 1,
    next_attempt_at = now() + make_interval(secs => :seconds)
WHERE workspace_id = :workspace_id AND id = :id AND attempts = :attempt AND status = 'running'
""")

# A probe of an index of only those on hold, which is nearly always empty.
RELEASE = sql("""
UPDATE job_executions j
SET on_hold = false, next_attempt_at = now(), last_error = NULL, updated_at = now()
FROM (
    SELECT workspace_id, id FROM job_executions
    WHERE on_hold AND status = 'queued' AND EXISTS (SELECT FROM effects_hold WHERE closed_at IS NULL)
    ORDER BY workspace_id, id
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
) released
WHERE j.workspace_id = released.workspace_id AND j.id = released.id
RETURNING j.workspace_id, j.id, j.kind, j.attempts, j.priority, j.trace::text AS trace, 0.0::float8 AS delay
""")

# Jobs on hold, locked.
WAITING = sql("""
SELECT workspace_id, id, kind, attempts, max_attempts, payload::text AS payload, subject_id, trace::text AS trace,
       created_at, started_at, losses, priority
FROM job_executions
WHERE workspace_id = :workspace_id AND status = 'queued' AND kind = ANY(:kinds)
ORDER BY id
LIMIT :limit
FOR UPDATE
""")


async def put(tx: Transaction, key: Key, *, reason: str, seconds: float) -> bool:
    """Put a running attempt back to `queued`, on hold; False if it no longer runs."""
    named = {"workspace_id": key[0], "id": key[1], "attempt": key[2]}
    return await tx.changed(PUT, {**named, "reason": reason, "seconds": seconds}) == 1


async def release(tx: Transaction, *, limit: int) -> list[QueuedJob]:
    """The jobs on hold, to be announced now, if the hold is released. Requires a system transaction."""
    return [queued_job(row) for row in await tx.all(RELEASE, {"limit": limit})]


async def waiting(tx: Transaction, workspace_id: UUID, kinds: Sequence[str], *, limit: int) -> list[RunningJob]:
    """Queued jobs of these kinds, locked for this transaction."""
    rows = await tx.all(WAITING, {"workspace_id": workspace_id, "kinds": list(kinds), "limit": limit})
    return [running_job(row) for row in rows]
