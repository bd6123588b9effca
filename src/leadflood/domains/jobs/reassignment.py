"""Reassignment of jobs whose subject was merged into another."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Remove the finished jobs of these subjects.
_DELETE = sql("""
DELETE FROM job_executions j
USING unnest(:workspace_ids::uuid[], :subject_ids::uuid[]) AS gone (workspace_id, subject_id)
WHERE j.workspace_id = gone.workspace_id AND j.subject_id = gone.subject_id AND j.status IN ('completed', 'failed')
""")

# Lock the jobs of these subjects.
_LOCK = sql("""
SELECT FROM job_executions
WHERE workspace_id = :workspace_id AND subject_id = ANY(:subject_ids)
ORDER BY id
FOR NO KEY UPDATE
""")

# Assign jobs to another subject.
_MOVE = sql("""
UPDATE job_executions SET subject_id = :to_subject, unique_subject = false
WHERE workspace_id = :workspace_id AND subject_id = :from_subject
RETURNING id
""")

# Assign jobs to their earlier subject again.
_RETURN = sql("""
UPDATE job_executions SET subject_id = :to_subject, unique_subject = false
WHERE workspace_id = :workspace_id AND id = ANY(:ids) AND subject_id = ANY(:holders)
""")


async def lock_jobs_of(tx: Transaction, actor: Actor, *, subject_ids: Sequence[UUID]) -> None:
    """Lock the jobs of these subjects. Before all else: a job that ends locks itself before its subject."""
    await tx.execute(_LOCK, {"workspace_id": actor.workspace_id, "subject_ids": list(subject_ids)})


async def delete_jobs_of(tx: Transaction, *, subjects: Sequence[tuple[UUID, UUID]]) -> None:
    """Delete the finished jobs of these deleted subjects, by workspace and ID. Requires a system transaction."""
    columns = {"workspace_ids": [key[0] for key in subjects], "subject_ids": [key[1] for key in subjects]}
    await tx.execute(_DELETE, columns)


async def reassign_jobs(tx: Transaction, actor: Actor, *, from_subject: UUID, to_subject: UUID) -> list[UUID]:
    """Assign the jobs of one subject to another. Returns the jobs; their work stays the same.

    They are no longer unique: the other subject may have one of the same kind.
    """
    values = {"workspace_id": actor.workspace_id, "from_subject": from_subject, "to_subject": to_subject}
    return [row.id for row in await tx.all(_MOVE, values)]


async def restore_jobs(
    tx: Transaction, actor: Actor, *, job_ids: Sequence[UUID], holders: Sequence[UUID], to_subject: UUID
) -> None:
    """Assign those of the jobs to their first subject again that still have one of the holders as subject."""
    values = {"workspace_id": actor.workspace_id, "ids": list(job_ids), "holders": list(holders)}
    await tx.execute(_RETURN, {**values, "to_subject": to_subject})
