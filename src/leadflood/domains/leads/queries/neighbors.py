"""The leads before and after a lead in a list."""

from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.leads.columns import LEAD
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.queries.orders import is_partial, key_of, position_of
from leadflood.domains.leads.queries.search import matching_rows
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Position

# A lead, and what it is sorted by.
_PLACED = sql("""
SELECT {columns}, {key} AS sort_key FROM leads
WHERE workspace_id = :workspace_id AND id = :lead_id AND deleted_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The leads before and after a lead; None at an end of the list."""

    previous: UUID | None = None
    next: UUID | None = None


async def neighbors(
    tx: Transaction, actor: Actor, *, lead_id: UUID, filters: LeadFilter, sort: LeadSort = LeadSort.NEWEST
) -> Neighbors:
    """The leads next to this one's place in a list, whether the list has it or not. None for a deleted lead."""
    statement = assemble(_PLACED, columns=LEAD, key=key_of(sort))
    lead = await tx.first(statement, {"workspace_id": actor.workspace_id, "lead_id": lead_id})
    if lead is None:
        return Neighbors()
    place = position_of(lead, sort)

    async def first(order: LeadSort, after: Position | None) -> Row | None:
        rows = await matching_rows(tx, actor, filters=filters, sort=order, after=after, limit=1)
        return rows[0] if rows else None

    following, preceding = await first(sort, place), await first(sort.reverse, place)
    if is_partial(sort):
        # Leads without the value come last in both directions.
        if preceding is None and lead.sort_key is None:
            preceding = await first(sort.reverse, None)
            preceding = preceding if preceding is not None and preceding.sort_key is not None else None
        elif preceding is not None and preceding.sort_key is None and lead.sort_key is not None:
            preceding = None
    return Neighbors(preceding.id if preceding else None, following.id if following else None)
