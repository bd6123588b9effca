"""SQL that reads batches."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.enrichment.contracts.batches import BatchReason, EnrichmentBatchView
from leadflood.domains.enrichment.errors import BatchNotFound
from leadflood.domains.enrichment.models.batches import BatchStatus, BatchSubject, Outcome
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.spending.contracts import BudgetView
from leadflood.domains.spending.queries import budgets_of_batches
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, page_by_id

# Batches with their counts.
_BATCHES = sql("""
SELECT id, status, subject, name, include_fresh, job_id, actor_kind, actor_id, total, running, waiting, completed,
       partial, failed, skipped, error, created_at, ended_at
FROM enrichment_batches WHERE workspace_id = :workspace_id AND {condition}
""")

# A batch by ID.
BATCH = assemble(_BATCHES, condition=sql("id = :id"))

# A page of the batches, newest first.
BATCHES = assemble(_BATCHES, condition=sql("(:after::uuid IS NULL OR id < :after) ORDER BY id DESC LIMIT :limit"))

# Reasons of some batches, the most frequent first.
_REASONS = sql("""
SELECT batch_id, outcome, reason, count FROM (
    SELECT batch_id, outcome, reason, count,
           row_number() OVER (PARTITION BY batch_id ORDER BY count DESC, reason) AS place
    FROM enrichment_batch_reasons WHERE workspace_id = :workspace_id AND batch_id = ANY (:ids::uuid[])
) AS ranked
WHERE place <= 20
ORDER BY batch_id, place
""")


async def get_batch(tx: Transaction, actor: Actor, *, batch_id: UUID) -> EnrichmentBatchView:
    """Raises: BatchNotFound."""
    row = await tx.first(BATCH, {"workspace_id": actor.workspace_id, "id": batch_id})
    if row is None:
        raise BatchNotFound
    return (await _views(tx, actor, [row]))[0]


async def list_batches(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[EnrichmentBatchView]:
    """The batches of the workspace, newest first."""
    page = await page_by_id(tx, BATCHES, {"workspace_id": actor.workspace_id}, after=after, limit=limit)
    return Page(await _views(tx, actor, page.items), page.after)


async def _views(tx: Transaction, actor: Actor, rows: Sequence[Row]) -> list[EnrichmentBatchView]:
    reasons: dict[UUID, list[BatchReason]] = {row.id: [] for row in rows}
    for found in await tx.all(_REASONS, {"workspace_id": actor.workspace_id, "ids": list(reasons)}):
        reason = BatchReason(outcome=Outcome(found.outcome), reason=found.reason, count=found.count)
        reasons[found.batch_id].append(reason)
    budgets = await budgets_of_batches(tx, actor, batch_ids=list(reasons))
    return [_view(row, reasons[row.id], budgets.get(row.id)) for row in rows]


def _view(row: Row, reasons: list[BatchReason], budget: BudgetView | None) -> EnrichmentBatchView:
    begun = row.running + row.waiting + row.completed + row.partial + row.failed + row.skipped
    return EnrichmentBatchView(
        id=row.id,
        status=BatchStatus(row.status),
        subject=BatchSubject(row.subject),
        name=row.name,
        include_fresh=row.include_fresh,
        total=row.total,
        planned=max(0, row.total - begun),
        running=row.running,
        waiting=row.waiting,
        completed=row.completed,
        partial=row.partial,
        failed=row.failed,
        skipped=row.skipped,
        reasons=reasons,
        budget_micros=None if budget is None else budget.limit_micros,
        spent_micros=budget.window.spent_micros if budget and budget.window else 0,
        held_micros=budget.window.reserved_micros + budget.window.in_doubt_micros if budget and budget.window else 0,
        job_id=row.job_id,
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        error=row.error,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )
