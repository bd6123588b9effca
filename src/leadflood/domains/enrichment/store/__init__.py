"""SQL that writes runs and values."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from leadflood.domains.enrichment.models import Candidate, Field, FoundValue, MovedFindings
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

INSERT_RUNS = sql_file("leadflood.domains.enrichment.sql", "insert_runs")

# The values of each adapter's latest completed run. One lookup per lead, whatever PostgreSQL knows of the tables: a
# single one for all was seen to read every run of the workspace.
COMPETING = sql("""
SELECT v.id, v.lead_id, v.field, v.value, v.confidence, v.method, v.evidence, v.source_url, v.cost_micros, v.chosen,
       latest.adapter, latest.adapter_version
FROM unnest(:lead_ids::uuid[]) AS n (lead_id)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (adapter) id, adapter, adapter_version
    FROM enrichment_runs
    WHERE workspace_id = :workspace_id AND lead_id = n.lead_id AND status = 'completed'
    ORDER BY adapter, id DESC
) AS latest
JOIN enrichment_values v ON v.workspace_id = :workspace_id AND v.run_id = latest.id
ORDER BY v.id
""")

# The adapters that answered for jobs.
_ANSWERED = sql("""
SELECT job_id, adapter, error FROM enrichment_runs
WHERE workspace_id = :workspace_id AND job_id = ANY (:job_ids) AND NOT void
""")

# Let a retry of a job call the adapters again that refused.
_VOID_REFUSALS = sql("""
UPDATE enrichment_runs SET void = true
WHERE workspace_id = :workspace_id AND job_id = :job_id AND status = 'failed' AND NOT void
""")

# Other values first: a lead has one chosen value of each field.
_UNCHOOSE = sql("""
UPDATE enrichment_values SET chosen = false
WHERE workspace_id = :workspace_id AND lead_id = :lead_id AND chosen AND id <> ALL(:winners)
""")

# Mark the chosen values.
_CHOOSE = sql("""
UPDATE enrichment_values SET chosen = true
WHERE workspace_id = :workspace_id AND lead_id = :lead_id AND NOT chosen AND id = ANY(:winners)
""")

# The chosen values of a lead before they move to another.
_VALUES_OF = sql("SELECT id, chosen FROM enrichment_values WHERE workspace_id = :workspace_id AND lead_id = :from_lead")

# Move the runs of one lead to another.
_MOVE_RUNS = sql("""
UPDATE enrichment_runs SET lead_id = :to_lead WHERE workspace_id = :workspace_id AND lead_id = :from_lead RETURNING id
""")

# Move the values of one lead to another, whose choice stays.
_MOVE_VALUES = sql("""
UPDATE enrichment_values v
SET lead_id = :to_lead, chosen = v.chosen AND NOT EXISTS (
    SELECT FROM enrichment_values own
    WHERE own.workspace_id = :workspace_id AND own.lead_id = :to_lead AND own.field = v.field AND own.chosen)
WHERE v.workspace_id = :workspace_id AND v.lead_id = :from_lead
""")

# Return runs that the holders still have.
_RETURN_RUNS = sql("""
UPDATE enrichment_runs SET lead_id = :to_lead
WHERE workspace_id = :workspace_id AND id = ANY(:runs) AND lead_id = ANY(:holders)
""")

# Return values that the holders still have. A value that the lead found meanwhile stays the chosen one.
_RETURN_VALUES = sql("""
UPDATE enrichment_values v
SET lead_id = :to_lead, chosen = n.chosen AND NOT EXISTS (
    SELECT FROM enrichment_values own
    WHERE own.workspace_id = :workspace_id AND own.lead_id = :to_lead AND own.field = v.field AND own.chosen)
FROM unnest(:ids::uuid[], :chosen::boolean[]) AS n (id, chosen)
WHERE v.workspace_id = :workspace_id AND v.id = n.id AND v.lead_id = ANY(:holders)
""")


@dataclass(frozen=True, slots=True)
class AdapterRun:
    """Result of one call of an adapter: values, or an error that a retry would not fix."""

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


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run to store, and which of its values are chosen."""

    lead_id: UUID
    job_id: UUID
    run: AdapterRun
    winners: Collection[FoundValue] = ()
    id: UUID = field(default_factory=new_id)


async def answered(tx: Transaction, workspace_id: UUID, job_ids: Sequence[UUID]) -> dict[UUID, dict[str, str | None]]:
    """The adapters that already answered for jobs, with the error of those that refused: not called twice."""
    found: dict[UUID, dict[str, str | None]] = {job_id: {} for job_id in job_ids}
    if job_ids:
        for row in await tx.all(_ANSWERED, {"workspace_id": workspace_id, "job_ids": list(job_ids)}):
            found[row.job_id][row.adapter] = row.error
    return found


async def void_refusals(tx: Transaction, workspace_id: UUID, job_id: UUID) -> None:
    """Let a retry of a failed job call the adapters again that refused."""
    await tx.execute(_VOID_REFUSALS, {"workspace_id": workspace_id, "job_id": job_id})


async def insert_runs(tx: Transaction, workspace_id: UUID, recorded: Sequence[RecordedRun]) -> None:
    """Store runs and their values."""
    values = [(item, value) for item in recorded for value in item.run.values]
    chosen = {id(winner) for item in recorded for winner in item.winners}
    await tx.execute(
        INSERT_RUNS,
        {
            "workspace_id": workspace_id,
            "ids": [item.id for item in recorded],
            "lead_ids": [item.lead_id for item in recorded],
            "job_ids": [item.job_id for item in recorded],
            "adapters": [item.run.adapter for item in recorded],
            "versions": [item.run.adapter_version for item in recorded],
            "statuses": ["failed" if item.run.error else "completed" for item in recorded],
            "errors": [item.run.error for item in recorded],
            "costs": [sum(value.cost_micros for value in item.run.values) for item in recorded],
            "started": [item.run.started_at for item in recorded],
            "value_ids": [new_id() for _ in values],
            "run_ids": [item.id for item, _ in values],
            "value_lead_ids": [item.lead_id for item, _ in values],
            "fields": [value.field for _, value in values],
            "values": [json.dumps(value.value) for _, value in values],
            "confidences": [value.confidence for _, value in values],
            "methods": [value.method for _, value in values],
            "evidences": [value.evidence for _, value in values],
            "urls": [value.source_url for _, value in values],
            "value_costs": [value.cost_micros for _, value in values],
            "chosen": [id(value) in chosen for _, value in values],
        },
    )


async def competing_values(
    tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]
) -> dict[UUID, list[StoredValue]]:
    """The values of the latest completed run of each adapter for leads, by lead."""
    found: dict[UUID, list[StoredValue]] = {lead_id: [] for lead_id in lead_ids}
    known = set(Field)  # a newer release may have stored other fields, which wait for it
    for row in await tx.all(COMPETING, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)}):
        if row.field in known:
            found[row.lead_id].append(_stored(row))
    return found


async def choose(tx: Transaction, workspace_id: UUID, lead_id: UUID, winners: Collection[UUID]) -> None:
    """Mark stored values as chosen, and all others of the lead as not."""
    values = {"workspace_id": workspace_id, "lead_id": lead_id, "winners": list(winners)}
    for statement in (_UNCHOOSE, _CHOOSE):
        await tx.execute(statement, values)


async def reassign_findings(tx: Transaction, workspace_id: UUID, *, from_lead: UUID, to_lead: UUID) -> MovedFindings:
    """Move the runs and values of one lead to another, which keeps its own choice. Both leads are locked."""
    leads = {"workspace_id": workspace_id, "from_lead": from_lead, "to_lead": to_lead}
    values = await tx.all(_VALUES_OF, leads)
    runs = await tx.all(_MOVE_RUNS, leads)
    await tx.execute(_MOVE_VALUES, leads)
    return MovedFindings([row.id for row in runs], {row.id: row.chosen for row in values})


async def restore_findings(
    tx: Transaction, workspace_id: UUID, moved: MovedFindings, *, holders: Sequence[UUID], to_lead: UUID
) -> None:
    """Return those runs and values that the holders still have. All these leads are locked."""
    leads = {"workspace_id": workspace_id, "holders": list(holders), "to_lead": to_lead}
    await tx.execute(_RETURN_RUNS, {**leads, "runs": list(moved.runs)})
    await tx.execute(_RETURN_VALUES, {**leads, "ids": list(moved.values), "chosen": list(moved.values.values())})


def _stored(row: Row) -> StoredValue:
    found = FoundValue(
        Field(row.field), row.value, row.confidence, row.method, row.evidence, row.source_url, row.cost_micros
    )
    return StoredValue(row.id, row.chosen, Candidate(row.adapter, row.adapter_version, found))
