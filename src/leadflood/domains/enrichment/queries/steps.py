"""SQL that reads the steps of runs, and what they cost."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.contracts import LeadRunView, SourceStepView
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.spending.queries import get_settings
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Costs of the answers of sources that jobs asked.
_COSTS = sql("""
SELECT job_id, source, sum(cost_micros)::bigint AS cost FROM lookups
WHERE workspace_id = :workspace_id AND (lead_id = :subject_id OR company_id = :subject_id)
  AND job_id = ANY (:job_ids::uuid[]) AND answered_at IS NOT NULL
GROUP BY job_id, source
""")

# The latest run of a lead. It is not continued if its job was canceled.
_RUN = sql("""
SELECT r.job_id, r.state, r.sentence, r.steps, r.ended_at, CASE WHEN j.status = 'queued' THEN r.not_before END AS again
FROM lead_runs r
LEFT JOIN job_executions j ON j.workspace_id = r.workspace_id AND j.id = r.next_job_id
WHERE r.workspace_id = :workspace_id AND r.lead_id = :lead_id
""")


async def currency_of(tx: Transaction, actor: Actor, costs: Sequence[int]) -> str | None:
    """The currency of costs; None if there are none."""
    return (await get_settings(tx, actor)).currency if any(costs) else None


async def latest_lead_run(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadRunView | None:
    """The latest run of a lead."""
    run = await tx.first(_RUN, {"workspace_id": actor.workspace_id, "lead_id": lead_id})
    if run is None:
        return None
    (steps,) = await step_views(tx, actor, lead_id, [run])
    return LeadRunView(
        job_id=run.job_id,
        state=run.state,
        message=run.sentence,
        steps=steps,
        ended_at=run.ended_at,
        not_before=run.again,
    )


async def step_views(
    tx: Transaction, actor: Actor, subject_id: UUID, runs: Sequence[Row]
) -> list[list[SourceStepView]]:
    """The steps of runs of a subject, with what they cost. An answer to an earlier attempt of the job is not stored."""
    named = {"workspace_id": actor.workspace_id, "subject_id": subject_id}
    rows = await tx.all(_COSTS, {**named, "job_ids": [run.job_id for run in runs]}) if runs else []
    costs = {(row.job_id, row.source): row.cost for row in rows}
    currency = await currency_of(tx, actor, list(costs.values()))
    return [[_step_view(step, costs.get((run.job_id, step["source"])), currency) for step in run.steps] for run in runs]


def _step_view(step: Mapping[str, Any], cost: int | None, currency: str | None) -> SourceStepView:
    """Args: cost: None where the job did not ask."""
    return SourceStepView(
        source=step["source"],
        state=StepState(step["state"]),
        message=step["sentence"],
        facts=step["facts"],
        seconds=step["seconds"],
        stored=step["stored"] and cost is None,
        until=None if step["until"] is None else datetime.fromisoformat(step["until"]),
        cost_micros=cost or 0,
        currency=currency if cost else None,
    )
