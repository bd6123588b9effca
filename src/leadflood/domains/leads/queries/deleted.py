"""SQL that reads deleted leads."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.deleted import DeletedFilter, DeletedLeadView, MergedIntoView
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.queries.matching import MAX_COUNT, Count
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.text import search_key

# A deletion that was undone and repeated keeps its first `deleted_at`; the time to restore counts from the last one.
# The last entry about a deletion says who deleted a lead and why. A lead is part of another for as long as that exists.
DELETED = sql("""
SELECT l.id, l.email, l.first_name, l.last_name, l.company, l.deleted_at,
       greatest(l.deleted_at, l.updated_at) + make_interval(days => :days) AS restorable_until,
       d.actor_kind, d.actor_id, (d.data ->> 'changesetId')::uuid AS changeset_id, d.data ? 'undo' AS by_undo,
       (d.data ->> 'mergeId')::uuid AS merge_id, s.id AS survivor_id, s.email AS survivor_email
FROM leads l
LEFT JOIN LATERAL (
    SELECT e.kind, e.actor_kind, e.actor_id, e.data FROM lead_events e
    WHERE e.workspace_id = :workspace_id AND e.lead_id = l.id AND e.kind IN ('lead.deleted', 'lead.merged_into')
    ORDER BY e.id DESC LIMIT 1
) d ON true
LEFT JOIN leads s ON s.workspace_id = :workspace_id AND d.kind = 'lead.merged_into'
                 AND s.id = (d.data ->> 'survivorId')::uuid
WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NOT NULL
  AND (:lead_id::uuid IS NULL OR l.id = :lead_id)
  AND (:needle = '' OR strpos(l.search_text, :needle) > 0)
  AND (:changeset_id::uuid IS NULL OR d.data ->> 'changesetId' = :changeset_id::uuid::text)
  AND (:until::timestamptz IS NULL OR l.deleted_at <= :until)
  AND (NOT :restorable OR s.id IS NULL)
  AND (:after_id::uuid IS NULL OR (l.deleted_at, l.id) < (:after_time, :after_id))
ORDER BY l.deleted_at DESC, l.id DESC
LIMIT :page_size
""")
_EVERYTHING = DeletedFilter()


async def get_deleted_lead(tx: Transaction, actor: Actor, *, lead_id: UUID, retention_days: int) -> DeletedLeadView:
    """Raises: LeadNotFound: there is none, it is not deleted, or it was removed for good."""
    rows = await _rows(tx, actor, _EVERYTHING, lead_id=lead_id, days=retention_days, limit=1)
    if not rows:
        raise LeadNotFound
    return _view(rows[0])


async def list_deleted_leads(
    tx: Transaction,
    actor: Actor,
    *,
    only: DeletedFilter,
    retention_days: int,
    after: Position | None = None,
    limit: int,
) -> Page[DeletedLeadView]:
    """Deleted leads that can still be restored, and those that were merged; the last deleted first."""
    rows = await _rows(tx, actor, only, after=after, days=retention_days, limit=limit + 1)
    return cut(rows, limit, lambda row: Position.at(row.deleted_at, row.id)).map(_view)


async def count_restorable(tx: Transaction, actor: Actor, *, only: DeletedFilter, at_most: int = MAX_COUNT) -> Count:
    """How many deleted leads, without those that were merged, as far as `at_most`."""
    found = len(await _rows(tx, actor, only, restorable=True, limit=at_most + 1))
    return Count(min(found, at_most), exact=found <= at_most)


async def restorable_rows(
    tx: Transaction, actor: Actor, *, only: DeletedFilter, until: datetime, after: Position | None, limit: int
) -> Sequence[Row]:
    """The next deleted leads, without those that were merged, of what was deleted up to `until`."""
    return await _rows(tx, actor, only, until=until, after=after, restorable=True, limit=limit)


async def _rows(  # noqa: PLR0913  each narrows the list
    tx: Transaction,
    actor: Actor,
    only: DeletedFilter,
    *,
    limit: int,
    lead_id: UUID | None = None,
    until: datetime | None = None,
    after: Position | None = None,
    restorable: bool = False,
    days: int = 0,
) -> Sequence[Row]:
    values = {
        "workspace_id": actor.workspace_id,
        "lead_id": lead_id,
        "needle": search_key(only.q) if only.q else "",
        "changeset_id": only.changeset_id,
        "until": until,
        "restorable": restorable,
        "after_time": after.time if after else None,
        "after_id": after.id if after else None,
        "days": days,
        "page_size": limit,
    }
    return await tx.all(DELETED, values)


def _view(row: Row) -> DeletedLeadView:
    merged = row.survivor_id is not None
    into = {"merge_id": row.merge_id, "survivor_id": row.survivor_id, "survivor_email": row.survivor_email}
    return DeletedLeadView(
        id=row.id,
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        company=row.company,
        deleted_at=row.deleted_at,
        deleted_by=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id) if row.actor_kind else None,
        restorable_until=row.restorable_until,
        changeset_id=row.changeset_id,
        by_undo=bool(row.by_undo),
        merged_into=MergedIntoView(**into) if merged else None,
    )
