"""SQL that reads what enrichment found."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from leadflood.domains.enrichment.contracts import EnrichmentRunView, EnrichmentValueView, LeadEnrichmentView
from leadflood.domains.enrichment.tables import enrichment_runs, enrichment_values
from leadflood.domains.leads import queries as leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction

_MOST = 200


async def get_lead_enrichment(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadEnrichmentView:
    """The latest 200 runs of a lead and their values. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    runs = await tx.all(
        select(enrichment_runs)
        .where(enrichment_runs.c.workspace_id == actor.workspace_id, enrichment_runs.c.lead_id == lead_id)
        .order_by(enrichment_runs.c.id.desc())
        .limit(_MOST)
    )
    values = await tx.all(
        select(enrichment_values)
        .where(
            enrichment_values.c.workspace_id == actor.workspace_id,
            enrichment_values.c.run_id.in_([run.id for run in runs]),
        )
        .order_by(
            enrichment_values.c.field,
            enrichment_values.c.chosen.desc(),
            enrichment_values.c.confidence.desc(),
            enrichment_values.c.id.desc(),
        )
    )
    by_id = {run.id: run for run in runs}
    return LeadEnrichmentView(
        values=[_value_view(value, by_id[value.run_id]) for value in values], runs=[_run_view(run) for run in runs]
    )


async def chosen_values(
    tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]
) -> dict[UUID, dict[str, str | bool | int | float]]:
    """What enrichment chose for each of the leads, by field; a lead without anything is left out."""
    rows = await tx.all(
        select(enrichment_values.c.lead_id, enrichment_values.c.field, enrichment_values.c.value).where(
            enrichment_values.c.workspace_id == actor.workspace_id,
            enrichment_values.c.lead_id.in_(lead_ids),
            enrichment_values.c.chosen,
        )
    )
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
