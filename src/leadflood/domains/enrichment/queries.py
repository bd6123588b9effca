"""SQL that reads enrichment data."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.enrichment.contracts import EnrichmentRunView, EnrichmentValueView, LeadEnrichmentView
from leadflood.domains.leads import queries as leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

_MAX_RUNS = 200

# The latest runs of a lead.
_RUNS = sql("""
SELECT id, job_id, adapter, adapter_version, status, error, cost_micros, started_at, finished_at
FROM enrichment_runs WHERE workspace_id = :workspace_id AND lead_id = :lead_id
ORDER BY id DESC LIMIT :most
""")

# Values of runs, best first for each field.
_VALUES = sql("""
SELECT run_id, field, value, confidence, chosen, method, evidence, source_url, cost_micros, observed_at
FROM enrichment_values WHERE workspace_id = :workspace_id AND run_id = ANY(:run_ids)
ORDER BY field, chosen DESC, confidence DESC, id DESC
""")

# The chosen values of leads.
_CHOSEN = sql("""
SELECT lead_id, field, value FROM enrichment_values
WHERE workspace_id = :workspace_id AND lead_id = ANY(:lead_ids) AND chosen
""")


async def get_lead_enrichment(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadEnrichmentView:
    """The latest 200 runs of a lead and their values. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    runs = await tx.all(_RUNS, {"workspace_id": actor.workspace_id, "lead_id": lead_id, "most": _MAX_RUNS})
    run_ids = [run.id for run in runs]
    values = await tx.all(_VALUES, {"workspace_id": actor.workspace_id, "run_ids": run_ids})
    by_id = {run.id: run for run in runs}
    return LeadEnrichmentView(
        values=[_value_view(value, by_id[value.run_id]) for value in values], runs=[_run_view(run) for run in runs]
    )


async def chosen_values(
    tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]
) -> dict[UUID, dict[str, str | bool | int | float]]:
    """Chosen values of the leads, by field; leads without any are left out."""
    rows = await tx.all(_CHOSEN, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)})
    found: dict[UUID, dict[str, str | bool | int | float]] = {}
    for row in rows:
        found.setdefault(row.lead_id, {})[row.field] = row.value
    return found


def _value_view(value: Row, run: Row) -> EnrichmentValueView:
    return EnrichmentValueView(
        field=value.field,
        value=value.value,
        confidence=value.confidence,
        chosen=value.chosen,
        adapter=run.adapter,
        adapter_version=run.adapter_version,
        method=value.method,
        evidence=value.evidence,
        source_url=value.source_url,
        cost_micros=value.cost_micros,
        observed_at=value.observed_at,
    )


def _run_view(run: Row) -> EnrichmentRunView:
    return EnrichmentRunView(
        id=run.id,
        job_id=run.job_id,
        adapter=run.adapter,
        adapter_version=run.adapter_version,
        status=run.status,
        error=run.error,
        cost_micros=run.cost_micros,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )
