"""Jobs about a subject: they move with it in a merge and back, and are deleted when a person is erased."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.jobs import reassignment
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging

_JOB = "job"

# Replace the person's identifiers in the errors of other jobs, and in jobs that retry all failures with such a cause.
_REDACT_ERRORS = sql("""
UPDATE {table} t
SET last_error = regexp_replace(t.last_error, :pattern, '[erased]', 'gi'),
    failures = redacted(t.failures, :pattern), payload = redacted(t.payload, :pattern),
    cause = regexp_replace(t.cause, :pattern, '[erased]', 'gi')
WHERE t.workspace_id = :workspace_id AND ({found})
""")

# Replace the person's identifiers in the errors of outbox events.
_REDACT_EVENT_ERRORS = sql("""
UPDATE {table} t
SET last_error = regexp_replace(t.last_error, :pattern, '[erased]', 'gi'),
    cause = regexp_replace(t.cause, :pattern, '[erased]', 'gi')
WHERE t.workspace_id = :workspace_id AND ({found})
""")

_PLACES = (
    Place(
        name="outbox",
        table=sql("outbox_events"),
        found=sql("""
t.job_id IN (
    SELECT j.id FROM job_executions j WHERE j.workspace_id = :workspace_id AND j.subject_id = ANY (:ids::uuid[]))
"""),
        record=None,
    ),
    Place(
        name="outboxErrors",
        table=sql("outbox_events"),
        found=sql("t.status <> 'sent' AND lower(t.last_error) LIKE ANY (:fragments::text[])"),
        erase=_REDACT_EVENT_ERRORS,
        record=None,
    ),
    # Running ones, too: their attempts find the subjects gone, and write nothing.
    Place(
        name="jobs",
        table=sql("job_executions"),
        found=sql("t.subject_id = ANY (:ids::uuid[])"),
        record=sql("to_jsonb(t) - '{workspace_id,trace,worker_id,lease_expires_at}'::text[]"),
    ),
    Place(
        name="jobErrors",
        table=sql("job_executions"),
        found=sql("""
(t.subject_id IS NULL OR t.subject_id <> ALL (:ids::uuid[]))
AND (lower(t.last_error) LIKE ANY (:fragments::text[]) OR lower(t.failures::text) LIKE ANY (:fragments::text[])
     OR t.kind IN ('jobs.retry_cause.v1', 'jobs.replay_cause.v1')
        AND lower(t.payload::text) LIKE ANY (:fragments::text[]))
"""),
        erase=_REDACT_ERRORS,
        record=None,
    ),
)


async def _lock(tx: Transaction, actor: Actor, subject_ids: Sequence[UUID]) -> None:
    await reassignment.lock_jobs_of(tx, actor, subject_ids=subject_ids)


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    moved = await reassignment.reassign_jobs(tx, actor, from_subject=from_id, to_subject=to_id)
    return [Reference(_JOB, job_id) for job_id in moved]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    job_ids = [reference.id for reference in unmerging.references]
    await reassignment.restore_jobs(tx, actor, job_ids=job_ids, holders=unmerging.holders, to_subject=unmerging.to_id)


PARTICIPANT = Participant(name="jobs", places=_PLACES, kinds={_JOB: "jobs"}, lock=_lock, merge=_merge, unmerge=_unmerge)
