"""SQL that keeps those in order who write the chunks of one changeset at the same time."""

from typing import Any

from sqlalchemy import Integer, Text, Uuid, bindparam, text

from leadflood.domains.jobs.models import RunningJob
from leadflood.kernel.db.database import Transaction

# Waiting for each other inside PostgreSQL, and not in this process, lets it find deadlocks with others.
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))").bindparams(bindparam("place", type_=Text))

_HOLD_ATTEMPT = text("""
SELECT id FROM job_executions
WHERE workspace_id = :workspace_id AND id = :job_id AND attempts = :attempt AND status = 'running'
FOR SHARE
""").bindparams(
    bindparam("workspace_id", type_=Uuid), bindparam("job_id", type_=Uuid), bindparam("attempt", type_=Integer)
)


async def take_place(tx: Transaction, job: RunningJob, place: Any) -> None:  # noqa: ANN401  a position of any kind
    """Hold a place in the line until this transaction ends; wait for whoever holds it now."""
    await tx.execute(_TURN, {"place": f"{job.id} {place}"})


async def hold_attempt(tx: Transaction, job: RunningJob) -> bool:
    """Whether this attempt of the job still runs; if so, it does until the transaction ends."""
    values = {"workspace_id": job.workspace_id, "job_id": job.id, "attempt": job.attempt}
    return await tx.first(_HOLD_ATTEMPT, values) is not None
