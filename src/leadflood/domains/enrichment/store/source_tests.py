"""SQL that writes tests of sources."""

import json
from collections.abc import Collection
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.models import SubjectKind
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Request the test of a source, instead of the one before.
REQUEST = sql("""
INSERT INTO source_tests AS t (workspace_id, source, lead_id, company_id, job_id)
VALUES (:workspace_id, :source, :lead_id::uuid, :company_id::uuid, :job_id)
ON CONFLICT (workspace_id, source) DO UPDATE
SET lead_id = excluded.lead_id, company_id = excluded.company_id, job_id = excluded.job_id,
    requested_at = now(), ended_at = NULL, cost_micros = 0, result = NULL
""")

# Write the result of the test of a job, with what the answers cost that it got itself.
WRITE = sql("""
UPDATE source_tests t
SET ended_at = now(), result = :result::jsonb,
    cost_micros = coalesce((SELECT sum(l.cost_micros) FROM lookups l
                            WHERE l.workspace_id = :workspace_id AND l.id = ANY (:lookup_ids::uuid[])
                                  AND l.job_id = :job_id), 0)
WHERE t.workspace_id = :workspace_id AND t.source = :source AND t.job_id = :job_id AND t.ended_at IS NULL
""")

# Whether a test is still the one of a job.
REQUESTED = sql("""
SELECT EXISTS (SELECT FROM source_tests
               WHERE workspace_id = :workspace_id AND source = :source AND job_id = :job_id AND ended_at IS NULL)
""")

# Delete old tests of all workspaces.
PURGE = sql("""
DELETE FROM source_tests WHERE (workspace_id, source) IN (
    SELECT workspace_id, source FROM source_tests WHERE requested_at < now() - make_interval(days => :days)
    LIMIT :batch)
""")


async def request(
    tx: Transaction, workspace_id: UUID, *, source: str, kind: SubjectKind, subject_id: UUID, job_id: UUID
) -> None:
    """Request a test, instead of the one before."""
    lead_id, company_id = (subject_id, None) if kind is SubjectKind.LEAD else (None, subject_id)
    values = {"source": source, "lead_id": lead_id, "company_id": company_id, "job_id": job_id}
    await tx.execute(REQUEST, {"workspace_id": workspace_id, **values})


async def is_requested(tx: Transaction, workspace_id: UUID, *, source: str, job_id: UUID) -> bool:
    """Whether a test is still the one of a job, and has not ended."""
    return bool(await tx.scalar(REQUESTED, {"workspace_id": workspace_id, "source": source, "job_id": job_id}))


async def write(
    tx: Transaction,
    workspace_id: UUID,
    *,
    source: str,
    job_id: UUID,
    result: dict[str, Any],
    lookup_ids: Collection[UUID] = (),
) -> None:
    """Write the result of the test of a job, unless another one took its place. `lookup_ids`: of its answer."""
    values = {"source": source, "job_id": job_id, "result": json.dumps(result), "lookup_ids": list(lookup_ids)}
    await tx.execute(WRITE, {"workspace_id": workspace_id, **values})


async def purge(tx: Transaction, batch: int, *, days: int) -> int:
    """Delete up to `batch` tests that are more than `days` old."""
    return await tx.changed(PURGE, {"days": days, "batch": batch})
