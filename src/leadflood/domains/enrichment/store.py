"""SQL that writes runs and values."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from leadflood.domains.enrichment.models import Candidate, Field, FoundValue
from leadflood.domains.enrichment.tables import enrichment_runs, enrichment_values
from leadflood.kernel.db.database import Transaction
from leadflood.kernel.ids import new_id

_INSERT_RUN = insert(enrichment_runs).values(finished_at=func.now())
_INSERT_VALUES = insert(enrichment_values).values(observed_at=func.now())


@dataclass(frozen=True, slots=True)
class Run:
    """What one call of an adapter gave: values, or an error that asking again would not mend."""

    adapter: str
    adapter_version: str
    started_at: datetime
    values: Sequence[FoundValue] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A value of an earlier run that still competes."""

    id: UUID
    chosen: bool
    candidate: Candidate


async def answered(tx: Transaction, workspace_id: UUID, job_id: UUID) -> dict[str, str | None]:
    """The adapters that have answered for this job already, with the error of those that refused: not asked twice."""
    query = (
        select(enrichment_runs.c.adapter, enrichment_runs.c.error)
        .where(enrichment_runs.c.workspace_id == workspace_id, enrichment_runs.c.job_id == job_id)
        .where(~enrichment_runs.c.void)
    )
    return {row.adapter: row.error for row in await tx.all(query)}


async def void_refusals(tx: Transaction, workspace_id: UUID, job_id: UUID) -> None:
    """Let a retry of a failed job ask those again that refused."""
    await tx.execute(
        update(enrichment_runs)
        .where(enrichment_runs.c.workspace_id == workspace_id, enrichment_runs.c.job_id == job_id)
        .where(enrichment_runs.c.status == "failed", ~enrichment_runs.c.void)
        .values(void=True)
    )


async def insert_run(
    tx: Transaction, workspace_id: UUID, lead_id: UUID, job_id: UUID, run: Run, winners: Collection[FoundValue] = ()
) -> None:
    """Keep a run and its values; those among `winners` are the chosen ones."""
    run_id = new_id()
    row = {
        "workspace_id": workspace_id,
        "id": run_id,
        "lead_id": lead_id,
        "job_id": job_id,
        "adapter": run.adapter,
        "adapter_version": run.adapter_version,
        "status": "failed" if run.error else "completed",
        "error": run.error,
        "cost_micros": sum(value.cost_micros for value in run.values),
        "started_at": run.started_at,
    }
    await tx.execute(_INSERT_RUN, row)
    if run.values:
        chosen = {id(value) for value in winners}
        key = {"workspace_id": workspace_id, "run_id": run_id, "lead_id": lead_id}
        rows = [{**key, **_value_row(value), "chosen": id(value) in chosen} for value in run.values]
        await tx.execute(_INSERT_VALUES, rows)


async def competing_values(tx: Transaction, workspace_id: UUID, lead_id: UUID) -> list[StoredValue]:
    """The values of the latest completed run of each adapter for a lead."""
    latest = (
        select(enrichment_runs.c.id, enrichment_runs.c.adapter, enrichment_runs.c.adapter_version)
        .where(
            enrichment_runs.c.workspace_id == workspace_id,
            enrichment_runs.c.lead_id == lead_id,
            enrichment_runs.c.status == "completed",
        )
        .ext(distinct_on(enrichment_runs.c.adapter))
        .order_by(enrichment_runs.c.adapter, enrichment_runs.c.id.desc())
        .subquery()
    )
    query = (
        select(enrichment_values, latest.c.adapter, latest.c.adapter_version)
        .join(latest, latest.c.id == enrichment_values.c.run_id)
        .where(enrichment_values.c.workspace_id == workspace_id, enrichment_values.c.lead_id == lead_id)
        .order_by(enrichment_values.c.id)
    )
    known = set(Field)  # a newer release may have stored others; they wait for it
    return [_stored(row) for row in await tx.all(query) if row.field in known]


async def choose(tx: Transaction, workspace_id: UUID, lead_id: UUID, winners: Collection[UUID]) -> None:
    """Mark stored values as the chosen ones, and all others of the lead as not."""
    own = (enrichment_values.c.workspace_id == workspace_id, enrichment_values.c.lead_id == lead_id)
    await tx.execute(
        update(enrichment_values)
        .where(*own, enrichment_values.c.chosen, enrichment_values.c.id.not_in(winners))
        .values(chosen=False)
    )
    await tx.execute(
        update(enrichment_values)
        .where(*own, ~enrichment_values.c.chosen, enrichment_values.c.id.in_(winners))
        .values(chosen=True)
    )


def _value_row(value: FoundValue) -> dict[str, Any]:
    return {
        "id": new_id(),
        "field": value.field,
        "value": value.value,
        "confidence": value.confidence,
        "method": value.method,
        "evidence": value.evidence,
        "source_url": value.source_url,
        "cost_micros": value.cost_micros,
    }


def _stored(row: Any) -> StoredValue:  # noqa: ANN401  a row of the join above
    found = FoundValue(
        Field(row.field), row.value, row.confidence, row.method, row.evidence, row.source_url, row.cost_micros
    )
    return StoredValue(row.id, row.chosen, Candidate(row.adapter, row.adapter_version, found))
