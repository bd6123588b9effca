"""SQL that removes jobs which have not begun."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Remove those of the jobs that no attempt has begun. Their messages are refused, as they have no job any longer.
WITHDRAW = sql("""
WITH unstarted AS (
    SELECT workspace_id, id FROM job_executions
    WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[]) AND status = 'queued' AND attempts = 0
    ORDER BY id
    FOR UPDATE
)
DELETE FROM job_executions j USING unstarted
WHERE j.workspace_id = unstarted.workspace_id AND j.id = unstarted.id
RETURNING j.id
""")


async def withdraw(tx: Transaction, workspace_id: UUID, job_ids: Sequence[UUID]) -> set[UUID]:
    """Remove those of the jobs that no attempt has begun. Returns them."""
    return {row.id for row in await tx.all(WITHDRAW, {"workspace_id": workspace_id, "ids": list(job_ids)})}
