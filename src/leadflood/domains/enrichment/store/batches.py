"""SQL that writes batches. Every change of a state names the expected state."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.models.batches import BatchStatus, BatchSubject, Outcome, Settled, counted_reasons
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction

# Insert a batch.
INSERT = sql("""
INSERT INTO enrichment_batches (workspace_id, id, subject, name, scope, include_fresh, job_id, actor_kind, actor_id,
                                total)
VALUES (:workspace_id, :id, :subject, :name, :scope::jsonb, :include_fresh, :job_id, :actor_kind, :actor_id, :total)
""")

# Lock a batch in any state.
LOCK = sql("""
SELECT id, status, subject, name, scope, include_fresh, job_id, actor_kind, actor_id, total, running, position, walked,
       created_at, waiting
FROM enrichment_batches WHERE workspace_id = :workspace_id AND id = :id FOR NO KEY UPDATE
""")

# Change the state of a batch.
CHANGE = sql("""
UPDATE enrichment_batches
SET status = :status, error = :error, job_id = coalesce(:job_id, job_id),
    ended_at = CASE WHEN :ended THEN now() END,
    total = CASE WHEN :status = 'completed' THEN completed + partial + failed + skipped ELSE total END
WHERE workspace_id = :workspace_id AND id = :id AND status = :expected
""")

# Continue a batch from a position.
MOVE = sql("""
UPDATE enrichment_batches SET position = :position::jsonb, walked = :walked
WHERE workspace_id = :workspace_id AND id = :id
""")

# Count what has ended, and what is under way now.
COUNT = sql("""
UPDATE enrichment_batches
SET completed = completed + :completed, partial = partial + :partial, failed = failed + :failed,
    skipped = skipped + :skipped,
    (running, waiting) = (
        SELECT count(*) FILTER (WHERE job_id IS NOT NULL AND waiting_until IS NULL),
               count(*) FILTER (WHERE waiting_until IS NOT NULL)
        FROM enrichment_batch_items WHERE workspace_id = :workspace_id AND batch_id = :id)
WHERE workspace_id = :workspace_id AND id = :id
""")

# Count reasons.
ADD_REASONS = sql("""
INSERT INTO enrichment_batch_reasons AS r (workspace_id, batch_id, outcome, reason, count)
SELECT :workspace_id, :id, n.* FROM unnest(:outcomes::text[], :reasons::text[], :counts::integer[]) AS n
ON CONFLICT (workspace_id, batch_id, outcome, reason) DO UPDATE SET count = r.count + excluded.count
""")

# Leads and companies under way.
PUT_ITEMS = sql("""
INSERT INTO enrichment_batch_items (workspace_id, batch_id, subject_id, job_id)
SELECT :workspace_id, :id, n.* FROM unnest(:subject_ids::uuid[], :job_ids::uuid[]) AS n
ON CONFLICT (workspace_id, batch_id, subject_id) DO UPDATE SET job_id = excluded.job_id
""")

# Those whose sources limit requests wait for the next run of their company.
FOLLOW = sql("""
UPDATE enrichment_batch_items i SET job_id = n.job_id, waiting_until = coalesce(n.until, now())
FROM unnest(:subject_ids::uuid[], :job_ids::uuid[], :untils::timestamptz[]) AS n (subject_id, job_id, until)
WHERE i.workspace_id = :workspace_id AND i.batch_id = :id AND i.subject_id = n.subject_id
""")

# The time at which the first of those has its turn.
WAITING = sql("""
SELECT min(waiting_until) FROM enrichment_batch_items
WHERE workspace_id = :workspace_id AND batch_id = :id AND waiting_until IS NOT NULL
""")

# Stop waiting for them.
TAKE_WAITING = sql("""
DELETE FROM enrichment_batch_items
WHERE workspace_id = :workspace_id AND batch_id = :id AND waiting_until IS NOT NULL RETURNING subject_id
""")

# Those that wait for the batch to be resumed.
WITHDRAWN = sql("""
SELECT subject_id FROM enrichment_batch_items
WHERE workspace_id = :workspace_id AND batch_id = :id AND job_id IS NULL ORDER BY subject_id LIMIT :limit
""")

# The jobs of a batch, but for those of runs that follow later.
JOBS = sql("""
SELECT subject_id, job_id FROM enrichment_batch_items
WHERE workspace_id = :workspace_id AND batch_id = :id AND job_id IS NOT NULL AND waiting_until IS NULL
""")

# Those whose job was removed wait for the batch to be resumed.
WAIT = sql("""
UPDATE enrichment_batch_items SET job_id = NULL
WHERE workspace_id = :workspace_id AND batch_id = :id AND job_id = ANY (:job_ids::uuid[])
""")

# Remove those that have ended.
REMOVE = sql("""
DELETE FROM enrichment_batch_items
WHERE workspace_id = :workspace_id AND batch_id = :id AND subject_id = ANY (:subject_ids::uuid[])
""")

# The run of a company that has not ended: the next one, after an ended run `r`.
_NEXT = sql("""
LEFT JOIN LATERAL (
    SELECT n.job_id, n.not_before FROM company_runs n
    WHERE n.workspace_id = r.workspace_id AND n.company_id = r.company_id AND n.ended_at IS NULL
) n ON true
""")

# Leads whose job has ended, with the last run of their company, and the next.
ENDED_LEADS = assemble(
    sql("""
SELECT i.subject_id, j.status, j.last_error AS error, r.state, r.sentence, n.job_id AS next_job_id, n.not_before
FROM enrichment_batch_items i
LEFT JOIN job_executions j ON j.workspace_id = i.workspace_id AND j.id = i.job_id
LEFT JOIN company_leads k ON k.workspace_id = i.workspace_id AND k.lead_id = i.subject_id
LEFT JOIN LATERAL (
    SELECT workspace_id, company_id, state, sentence FROM company_runs r
    WHERE r.workspace_id = i.workspace_id AND r.company_id = k.company_id AND r.ended_at IS NOT NULL
    ORDER BY id DESC LIMIT 1
) r ON true
{next}
WHERE i.workspace_id = :workspace_id AND i.batch_id = :id AND i.job_id IS NOT NULL AND i.waiting_until IS NULL
  AND (j.id IS NULL OR j.status IN ('completed', 'failed'))
"""),
    next=_NEXT,
)

# Companies whose run has ended, and leads that waited for it.
ENDED_RUNS = assemble(
    sql("""
SELECT i.subject_id, 'completed' AS status, '' AS error, r.state, r.sentence, n.job_id AS next_job_id, n.not_before
FROM enrichment_batch_items i
LEFT JOIN company_runs r ON r.workspace_id = i.workspace_id AND r.job_id = i.job_id
{next}
WHERE i.workspace_id = :workspace_id AND i.batch_id = :id AND i.job_id IS NOT NULL
  AND (i.waiting_until IS NOT NULL OR NOT :waiting_only) AND (r.id IS NULL OR r.ended_at IS NOT NULL)
"""),
    next=_NEXT,
)

# Those of the leads that a job enriches already.
ENRICHING = sql("""
SELECT DISTINCT subject_id FROM job_executions
WHERE workspace_id = :workspace_id AND kind = :kind AND subject_id = ANY (:lead_ids::uuid[])
  AND status IN ('queued', 'running')
""")

# Those of the leads that are enriched.
ENRICHED = sql("""
SELECT id FROM leads
WHERE workspace_id = :workspace_id AND id = ANY (:lead_ids::uuid[]) AND status = 'enriched'
""")

# Delete old batches.
PURGE = sql("""
DELETE FROM enrichment_batches WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM enrichment_batches
    WHERE ended_at < now() - make_interval(days => :days) LIMIT :batch)
""")


@dataclass(frozen=True, slots=True)
class EnrichmentBatch:
    """A batch, locked for this transaction. `running`: those under way. `waiting`: those read again later."""

    workspace_id: UUID
    id: UUID
    status: BatchStatus
    subject: BatchSubject
    name: str
    scope: Mapping[str, Any]
    include_fresh: bool
    job_id: UUID
    actor_kind: ActorKind
    actor_id: UUID | None
    total: int
    running: int
    position: Mapping[str, Any] | None
    walked: bool
    created_at: datetime
    waiting: int

    @property
    def key(self) -> dict[str, Any]:
        """Parameters that name it."""
        return {"workspace_id": self.workspace_id, "id": self.id}


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch to insert. `scope`: which leads or companies, as JSON."""

    id: UUID
    job_id: UUID
    subject: BatchSubject
    name: str
    scope: Mapping[str, Any]
    total: int


@dataclass(frozen=True, slots=True)
class EndedItem:
    """A lead or company of a batch whose job has ended, or is gone.

    Attributes:
        state, sentence: of the company's run.
        next_job_id: of the run of the company that follows, if there is one.
        not_before: the time of that.
    """

    subject_id: UUID
    job_status: str | None
    error: str
    state: str | None
    sentence: str
    next_job_id: UUID | None
    not_before: datetime | None


async def insert(tx: Transaction, actor: Actor, new: NewBatch, *, include_fresh: bool) -> None:
    """Insert a running batch."""
    values = {"id": new.id, "job_id": new.job_id, "subject": new.subject, "name": new.name, "total": new.total}
    by = {"actor_kind": actor.kind, "actor_id": actor.id, "scope": json.dumps(new.scope)}
    await tx.execute(INSERT, {"workspace_id": actor.workspace_id, **values, **by, "include_fresh": include_fresh})


async def lock(tx: Transaction, workspace_id: UUID, batch_id: UUID) -> EnrichmentBatch | None:
    """The batch in any state, locked for this transaction."""
    row = await tx.first(LOCK, {"workspace_id": workspace_id, "id": batch_id})
    if row is None:
        return None
    kinds = {"status": BatchStatus(row.status), "subject": BatchSubject(row.subject)}
    return EnrichmentBatch(
        **{**dict(row), **kinds, "workspace_id": workspace_id, "actor_kind": ActorKind(row.actor_kind)}
    )


async def change(
    tx: Transaction,
    batch: EnrichmentBatch,
    status: BatchStatus,
    *,
    error: str | None = None,
    job_id: UUID | None = None,
) -> int:
    """Change the state of a locked batch. Returns the number of changed rows. Args: job_id: that continues it."""
    ended = status not in (BatchStatus.RUNNING, BatchStatus.PAUSED)
    values = {"status": status, "expected": batch.status, "error": error, "job_id": job_id, "ended": ended}
    return await tx.changed(CHANGE, {**batch.key, **values})


async def move(tx: Transaction, batch: EnrichmentBatch, position: Mapping[str, Any] | None, *, walked: bool) -> None:
    """Continue a batch from a position. Args: walked: whether all that it has was started or skipped."""
    await tx.execute(MOVE, {**batch.key, "position": json.dumps(position), "walked": walked})


async def count(tx: Transaction, batch: EnrichmentBatch, settled: Collection[Settled]) -> None:
    """Count leads or companies that have ended, with their reasons, and those that are under way."""
    numbers = {outcome.value: sum(item.outcome is outcome for item in settled) for outcome in Outcome}
    await tx.execute(COUNT, {**batch.key, **numbers})
    reasons = counted_reasons(settled)
    if reasons:
        columns = {
            "outcomes": [outcome for outcome, _ in reasons],
            "reasons": [reason for _, reason in reasons],
            "counts": list(reasons.values()),
        }
        await tx.execute(ADD_REASONS, {**batch.key, **columns})


async def put_items(tx: Transaction, batch: EnrichmentBatch, jobs: Mapping[UUID, UUID | None]) -> None:
    """Add leads or companies with their jobs, by ID."""
    await tx.execute(PUT_ITEMS, {**batch.key, "subject_ids": list(jobs), "job_ids": list(jobs.values())})


async def remove_items(tx: Transaction, batch: EnrichmentBatch, subject_ids: Collection[UUID]) -> None:
    """Remove leads or companies that have ended."""
    await tx.execute(REMOVE, {**batch.key, "subject_ids": list(subject_ids)})


async def withdrawn(tx: Transaction, batch: EnrichmentBatch, *, limit: int) -> list[UUID]:
    """Leads or companies that wait for the batch to be resumed."""
    return [row.subject_id for row in await tx.all(WITHDRAWN, {**batch.key, "limit": limit})]


async def jobs_of(tx: Transaction, batch: EnrichmentBatch) -> dict[UUID, UUID]:
    """The leads or companies that are under way, by job. Those that wait for a later run are left out."""
    return {row.job_id: row.subject_id for row in await tx.all(JOBS, batch.key)}


async def wait(tx: Transaction, batch: EnrichmentBatch, job_ids: Collection[UUID]) -> None:
    """Make those whose job was removed wait for the batch to be resumed."""
    await tx.execute(WAIT, {**batch.key, "job_ids": list(job_ids)})


async def ended(tx: Transaction, batch: EnrichmentBatch) -> list[EndedItem]:
    """The leads or companies whose job, or whose later run, has ended."""
    of_leads = batch.subject is BatchSubject.LEADS
    rows = list(await tx.all(ENDED_RUNS, {**batch.key, "waiting_only": of_leads}))
    if of_leads:
        rows += await tx.all(ENDED_LEADS, batch.key)
    return [
        EndedItem(
            row.subject_id,
            row.status,
            row.error or "",
            row.state,
            row.sentence or "",
            next_job_id=row.next_job_id,
            not_before=row.not_before,
        )
        for row in rows
    ]


async def follow(tx: Transaction, batch: EnrichmentBatch, items: Sequence[EndedItem]) -> None:
    """Make leads or companies wait for the next run of their company."""
    columns = {
        "subject_ids": [item.subject_id for item in items],
        "job_ids": [item.next_job_id for item in items],
        "untils": [item.not_before for item in items],
    }
    if items:
        await tx.execute(FOLLOW, {**batch.key, **columns})


async def waiting_until(tx: Transaction, batch: EnrichmentBatch) -> datetime | None:
    """The time at which the first of those that wait for a later run has its turn; None if none waits."""
    found: datetime | None = await tx.scalar(WAITING, batch.key)
    return found


async def take_waiting(tx: Transaction, batch: EnrichmentBatch) -> list[UUID]:
    """Stop waiting for later runs. Returns the leads or companies."""
    return [row.subject_id for row in await tx.all(TAKE_WAITING, batch.key)]


async def being_enriched(tx: Transaction, workspace_id: UUID, kind: str, lead_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the leads that a job of this kind enriches already."""
    values = {"workspace_id": workspace_id, "kind": kind, "lead_ids": list(lead_ids)}
    return {row.subject_id for row in await tx.all(ENRICHING, values)}


async def enriched_among(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the leads that are enriched."""
    rows = await tx.all(ENRICHED, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return {row.id for row in rows}


async def purge(tx: Transaction, batch: int, *, days: int) -> int:
    """Delete up to `batch` batches that ended more than `days` ago."""
    return await tx.changed(PURGE, {"days": days, "batch": batch})
