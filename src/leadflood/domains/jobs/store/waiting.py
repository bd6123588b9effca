"""SQL of jobs that wait for something to end."""

from uuid import UUID

from leadflood.domains.jobs.store import QueuedJob, queued_job
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Queue the jobs that wait for something, in the order in which all lock jobs.
WAKE = sql("""
WITH waiting AS (
    SELECT workspace_id, id FROM job_executions
    WHERE workspace_id = :workspace_id AND awaited_id = :awaited_id AND status = 'queued'
    ORDER BY id
    FOR UPDATE
)
UPDATE job_executions j
SET next_attempt_at = now(), updated_at = now(), waiting_for = NULL, awaited_id = NULL
FROM waiting
WHERE j.workspace_id = waiting.workspace_id AND j.id = waiting.id
RETURNING j.workspace_id, j.id, j.kind, j.attempts, j.priority, j.trace::text AS trace, 0.0::float8 AS delay
""")


async def wake(tx: Transaction, workspace_id: UUID, awaited_id: UUID) -> list[QueuedJob]:
    """The jobs that waited for something, to be announced now."""
    rows = await tx.all(WAKE, {"workspace_id": workspace_id, "awaited_id": awaited_id})
    return [queued_job(row) for row in rows]
