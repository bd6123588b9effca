"""SQL of unique jobs: only one is queued or runs per subject."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from leadflood.domains.jobs.models import NewJob
from leadflood.domains.jobs.store import Key, QueuedJob, queued_job
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The lock prevents a queued job from starting, and a running one from ending, before the caller's writes are committed.
JOIN = sql("""
WITH active AS (
    SELECT workspace_id, id, status FROM job_executions
    WHERE workspace_id = :workspace_id AND kind = :kind AND subject_id = :subject_id
      AND unique_subject AND status IN ('queued', 'running')
    FOR UPDATE
), running AS (
    UPDATE job_executions j SET rerun = true
    FROM active
    WHERE j.workspace_id = active.workspace_id AND j.id = active.id AND active.status = 'running'
)
SELECT id FROM active
""")

# Insert a job of a unique kind.
INSERT = sql("""
INSERT INTO job_executions (workspace_id, id, kind, subject_id, payload, trace, max_attempts, priority, unique_subject)
VALUES (:workspace_id, :id, :kind, :subject_id, :payload, :trace, :max_attempts,
        :priority, true)
ON CONFLICT (workspace_id, kind, subject_id) WHERE unique_subject AND status IN ('queued', 'running') DO NOTHING
RETURNING workspace_id, id, kind, attempts, priority, trace::text AS trace, 0.0::double precision AS delay
""")

# Jobs that have just ended, in this transaction, and for which another run was requested while they ran.
RERUN = sql("""
UPDATE job_executions j
SET status = 'queued', updated_at = now(), finished_at = NULL, worker_id = NULL, next_attempt_at = now(),
    rerun = false, progress = NULL, losses = 0, max_attempts = j.attempts + n.max_attempts
FROM unnest(:ids::uuid[], :max_attempts::integer[]) AS n (id, max_attempts)
WHERE j.workspace_id = :workspace_id AND j.id = n.id AND j.rerun AND j.status IN ('completed', 'failed')
RETURNING j.workspace_id, j.id, j.kind, j.attempts, j.priority, j.trace::text AS trace, 0.0::double precision AS delay
""")


async def join(tx: Transaction, workspace_id: UUID, kind: str, subject_id: UUID) -> UUID | None:
    """The queued or running job of the subject, or None. A running one will run again."""
    found: UUID | None = await tx.scalar(JOIN, {"workspace_id": workspace_id, "kind": kind, "subject_id": subject_id})
    return found


async def insert(tx: Transaction, workspace_id: UUID, job_id: UUID, job: NewJob[Any]) -> QueuedJob | None:
    """Insert a job, `queued`; None if another one is queued or runs for the subject."""
    values: Mapping[str, Any] = {
        "workspace_id": workspace_id,
        "id": job_id,
        "kind": job.kind.name,
        "subject_id": job.subject_id,
        "payload": job.payload.model_dump_json(),
        "trace": to_json(dict(job.trace)).decode(),
        "max_attempts": job.kind.max_attempts,
        "priority": job.urgency,
    }
    row = await tx.first(INSERT, values)
    return queued_job(row) if row else None


async def rerun(tx: Transaction, keys: Sequence[Key], max_attempts: Sequence[int]) -> list[QueuedJob]:
    """Queue those of the ended jobs again for which another run was requested."""
    values = {"workspace_id": keys[0][0], "ids": [key[1] for key in keys], "max_attempts": list(max_attempts)}
    return [queued_job(row) for row in await tx.all(RERUN, values)]
