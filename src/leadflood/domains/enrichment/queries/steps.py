"""SQL that reads the steps of runs, and what they cost."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from leadflood.domains.enrichment.contracts import LeadRunView, SourceStepView
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.spending.queries import get_settings
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The latest run of a lead. It is not continued if its job was canceled.
_RUN = sql("""
SELECT r.job_id, r.state, r.sentence, r.steps, r.ended_at, CASE WHEN j.status = 'queued' THEN r.not_before END AS again
FROM lead_runs r
LEFT JOIN job_executions j ON j.workspace_id = r.workspace_id AND j.id = r.next_job_id
WHERE r.workspace_id = :workspace_id AND r.lead_id = :lead_id
""")


Costs: TypeAlias = Mapping[tuple[UUID, str], int]
"""Costs in micros of the answers that jobs got from sources. Sources that a job did not ask are left out."""


async def currency_of(tx: Transaction, actor: Actor, costs: Iterable[int]) -> str | None:
    """The currency of costs; None if there are none."""
    return (await get_settings(tx, actor)).currency if any(costs) else None


def costs_of(lookups: Iterable[Row]) -> Costs:
    """The costs of answers."""
    costs: Counter[tuple[UUID, str]] = Counter()
    for lookup in lookups:
        costs[lookup.job_id, lookup.source] += lookup.cost_micros
    return costs


async def latest_lead_run(
    tx: Transaction, actor: Actor, *, lead_id: UUID, costs: Costs, currency: str | None
) -> LeadRunView | None:
    """The latest run of a lead. Args: see `step_views`."""
    run = await tx.first(_RUN, {"workspace_id": actor.workspace_id, "lead_id": lead_id})
    if run is None:
        return None
    return LeadRunView(
        job_id=run.job_id,
        state=run.state,
        message=run.sentence,
        steps=step_views(run, costs, currency),
        ended_at=run.ended_at,
        not_before=run.again,
    )


def step_views(run: Row, costs: Costs, currency: str | None) -> list[SourceStepView]:
    """The steps of a run, with their costs. An answer to an earlier attempt of its job is not a stored one."""
    return [step_view(step, costs.get((run.job_id, step["source"])), currency) for step in run.steps]


def step_view(step: Mapping[str, Any], cost: int | None, currency: str | None) -> SourceStepView:
    """A stored step. Args: cost: None where the job did not ask."""
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
        avoided_micros=step.get("avoidedMicros", 0),
        avoided_currency=step.get("avoidedCurrency"),
    )
