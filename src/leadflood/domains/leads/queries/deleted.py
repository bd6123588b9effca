"""SQL that reads deleted leads."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.deleted import DeletedFilter, DeletedLeadView, MergedIntoView
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.queries.search import MAX_COUNT
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.schema import Count
from leadflood.kernel.text import search_key

DELETED = sql_file("leadflood.domains.leads.sql", "deleted")
_EVERYTHING = DeletedFilter()


async def get_deleted_lead(tx: Transaction, actor: Actor, *, lead_id: UUID, retention_days: int) -> DeletedLeadView:
    """Raises: LeadNotFound: it does not exist, is not deleted, or was purged."""
    rows = await _rows(tx, actor, _EVERYTHING, lead_id=lead_id, days=retention_days, limit=1)
    if not rows:
        raise LeadNotFound
    return _view(rows[0])


async def list_deleted_leads(
    tx: Transaction,
    actor: Actor,
    *,
    filters: DeletedFilter,
    retention_days: int,
    after: Position | None = None,
    limit: int,
) -> Page[DeletedLeadView]:
    """Deleted leads that can still be restored, and merged ones; last deleted first."""
    rows = await _rows(tx, actor, filters, after=after, days=retention_days, limit=limit + 1)
    return cut(rows, limit, lambda row: Position.at(row.deleted_at, row.id)).map(_view)


async def count_restorable(
    tx: Transaction, actor: Actor, *, filters: DeletedFilter, max_count: int = MAX_COUNT
) -> Count:
    """Number of deleted leads, excluding merged ones, counted up to `max_count`."""
    found = len(await _rows(tx, actor, filters, restorable=True, limit=max_count + 1))
    return Count.up_to(max_count, found)


async def restorable_rows(
    tx: Transaction, actor: Actor, *, filters: DeletedFilter, until: datetime, after: Position | None, limit: int
) -> Sequence[Row]:
    """The next deleted leads, excluding merged ones, of those deleted up to `until`."""
    return await _rows(tx, actor, filters, until=until, after=after, restorable=True, limit=limit)


async def _rows(  # noqa: PLR0913  each narrows the list
    tx: Transaction,
    actor: Actor,
    filters: DeletedFilter,
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
        "needle": search_key(filters.q) if filters.q else "",
        "changeset_id": filters.changeset_id,
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
