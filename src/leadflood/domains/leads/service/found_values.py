"""Found values: they count where a lead has no value of its own.

Another domain finds and chooses them (`leadflood.domains.enrichment`); lists, search, order, filters, files and the
comparison of duplicates read them. They are in a second column of each findable field, so a value of the lead hides its
found one, and a cleared field shows it again. They change neither version nor history of the lead.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from leadflood.domains.leads.contracts.found_values import FoundValues
from leadflood.domains.leads.store import found_values as store
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def set_found_values(tx: Transaction, actor: Actor, *, found: Mapping[UUID, FoundValues]) -> int:
    """Set all found values of locked leads, deleted ones included. Returns the number of leads that had others."""
    return await store.set_found_values(tx, actor.workspace_id, found) if found else 0


async def next_any(tx: Transaction, actor: Actor, *, after_id: UUID | None, limit: int) -> list[UUID]:
    """The next leads of the workspace by ID, deleted ones included."""
    return await store.next_any(tx, actor.workspace_id, after_id=after_id, limit=limit)


async def lock_any(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID], wait: bool = True) -> list[UUID]:
    """Lock leads, deleted ones included, in the order of their IDs, which are returned.

    Without `wait`, only those that no other transaction has locked: for callers that have locked what others lock after
    leads.
    """
    return await store.lock_any(tx, actor.workspace_id, lead_ids, wait=wait) if lead_ids else []
