"""SQL that writes the runs of leads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.enrichment.models.follow_ups import stored_step
from leadflood.domains.enrichment.models.lead_runs import LeadRun, ScheduledRun
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Store runs of leads, which are locked, each instead of the one before. A run that follows another one has its batch.
WRITE = sql("""
INSERT INTO lead_runs AS r (workspace_id, lead_id, job_id, batch_id, newer_than, state, sentence, steps, follow_ups,
                            next_job_id, not_before)
SELECT :workspace_id, n.lead_id, n.job_id,
       (SELECT i.batch_id FROM enrichment_batch_items i
        WHERE i.workspace_id = :workspace_id AND i.subject_id = n.lead_id AND i.job_id = n.job_id LIMIT 1),
       n.newer_than, n.state, n.sentence, n.steps::jsonb, n.follow_ups, n.next_job_id, n.not_before
FROM unnest(:lead_ids::uuid[], :job_ids::uuid[], :newer_than::timestamptz[], :states::text[], :sentences::text[],
            :steps::text[], :follow_ups::smallint[], :next_job_ids::uuid[], :not_before::timestamptz[])
     AS n (lead_id, job_id, newer_than, state, sentence, steps, follow_ups, next_job_id, not_before)
ON CONFLICT (workspace_id, lead_id) DO UPDATE
SET job_id = excluded.job_id, newer_than = excluded.newer_than, state = excluded.state, sentence = excluded.sentence,
    batch_id = CASE WHEN excluded.follow_ups > 0 THEN r.batch_id ELSE excluded.batch_id END, steps = excluded.steps,
    follow_ups = excluded.follow_ups, next_job_id = excluded.next_job_id, not_before = excluded.not_before,
    ended_at = now()
""")

# The run of a lead that a job is for. Another job took its place if the lead was enriched again.
SCHEDULED = sql("""
SELECT newer_than, follow_ups + 1 AS follow_ups, not_before, steps FROM lead_runs
WHERE workspace_id = :workspace_id AND lead_id = :lead_id AND next_job_id = :job_id
""")


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run with its job, and the job that follows it, if some of its sources asked for patience."""

    run: LeadRun
    job_id: UUID
    next_job_id: UUID | None = None
    not_before: datetime | None = None


async def write(tx: Transaction, workspace_id: UUID, ended: Sequence[EndedRun]) -> None:
    """Store runs, one of each lead."""
    runs = [item.run for item in ended]
    values = {
        "lead_ids": [run.lead_id for run in runs],
        "job_ids": [item.job_id for item in ended],
        "newer_than": [run.newer_than for run in runs],
        "states": [run.result.state for run in runs],
        "sentences": [run.result.sentence for run in runs],
        "steps": [json.dumps([*run.earlier, *map(stored_step, run.result.steps)]) for run in runs],
        "follow_ups": [run.follow_ups for run in runs],
        "next_job_ids": [item.next_job_id for item in ended],
        "not_before": [item.not_before for item in ended],
    }
    await tx.execute(WRITE, {"workspace_id": workspace_id, **values})


async def scheduled(tx: Transaction, workspace_id: UUID, *, lead_id: UUID, job_id: UUID) -> ScheduledRun | None:
    """The run that a job is for; None if it is not wanted any more."""
    row = await tx.first(SCHEDULED, {"workspace_id": workspace_id, "lead_id": lead_id, "job_id": job_id})
    return None if row is None else ScheduledRun(**dict(row))
