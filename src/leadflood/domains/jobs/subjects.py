"""Jobs that change what they are about, because it became part of something else."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update

from leadflood.domains.jobs.tables import job_executions
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

_DELETE = sql("""
DELETE FROM job_executions j
USING unnest(:workspace_ids::uuid[], :subject_ids::uuid[]) AS gone (workspace_id, subject_id)
WHERE j.workspace_id = gone.workspace_id AND j.subject_id = gone.subject_id AND j.status IN ('completed', 'failed')
""")


async def hold_jobs_of(tx: Transaction, actor: Actor, *, subject_ids: Sequence[UUID]) -> None:
    """Lock the jobs that are about these. First of all: a job that ends locks itself before what it is about."""
    query = (
        select(job_executions.c.id)
        .where(job_executions.c.workspace_id == actor.workspace_id, job_executions.c.subject_id.in_(subject_ids))
        .order_by(job_executions.c.id)
        .with_for_update(key_share=True)
    )
    await tx.execute(query)


async def delete_jobs_of(tx: Transaction, *, subjects: Sequence[tuple[UUID, UUID]]) -> None:
    """Delete the finished jobs about these, by workspace and id, because they are gone. Needs a system transaction."""
    columns = {"workspace_ids": [key[0] for key in subjects], "subject_ids": [key[1] for key in subjects]}
    await tx.execute(_DELETE, columns)


async def move_jobs(tx: Transaction, actor: Actor, *, from_subject: UUID, to_subject: UUID) -> list[UUID]:
    """Let the jobs about one thing be about another. Returns which they are; what they do stays the same.

    They are no longer unique: the other may have one of the same kind.
    """
    rows = await tx.all(
        update(job_executions)
        .where(job_executions.c.workspace_id == actor.workspace_id, job_executions.c.subject_id == from_subject)
        .values(subject_id=to_subject, unique_subject=False)
        .returning(job_executions.c.id)
    )
    return [row.id for row in rows]


async def return_jobs(
    tx: Transaction, actor: Actor, *, job_ids: Sequence[UUID], holders: Sequence[UUID], to_subject: UUID
) -> None:
    """Let those of the jobs be about the first thing again that are still about one of the holders."""
    await tx.execute(
        update(job_executions)
        .where(
            job_executions.c.workspace_id == actor.workspace_id,
            job_executions.c.id.in_(job_ids),
            job_executions.c.subject_id.in_(holders),
        )
        .values(subject_id=to_subject, unique_subject=False)
    )
