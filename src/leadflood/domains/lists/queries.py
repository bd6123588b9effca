"""SQL that reads lists."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from leadflood.domains.leads import queries as leads
from leadflood.domains.lists.contracts import LeadLists, ListRef, ListView
from leadflood.domains.lists.errors import ListNotFound
from leadflood.domains.lists.models import MAX_LISTS, name_key
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.schema import Count

MAX_COUNT: Final = 10_000
"""As far as the leads of one list are counted."""
MAX_COUNT_OF_MANY: Final = 1_000
"""As far as the leads of each of several lists are counted."""

# Lists with their leads as far as they are counted.
_COUNTED = sql("""
SELECT l.id, l.name, l.name_key, l.description, l.version, l.created_at, l.updated_at, counted.leads
FROM ({lists}) l CROSS JOIN LATERAL (
    SELECT count(*) AS leads FROM (
        SELECT FROM list_leads m JOIN leads d ON d.workspace_id = m.workspace_id AND d.id = m.lead_id
        WHERE m.workspace_id = l.workspace_id AND m.list_id = l.id AND d.deleted_at IS NULL LIMIT :counted
    ) found
) counted
ORDER BY l.name_key, l.id
""")

# A list that is not deleted.
_LIST = assemble(
    _COUNTED,
    lists=sql("SELECT * FROM lists WHERE workspace_id = :workspace_id AND id = :list_id AND deleted_at IS NULL"),
)

# The next lists by name.
_LISTS = assemble(
    _COUNTED,
    lists=sql("""
SELECT * FROM lists
WHERE workspace_id = :workspace_id AND deleted_at IS NULL
  AND (:after_id::uuid IS NULL OR (name_key, id) > (:after_key, :after_id))
ORDER BY name_key, id LIMIT :limit
"""),
)

# All lists by name.
_NAMES = sql("""
SELECT id, name FROM lists WHERE workspace_id = :workspace_id AND deleted_at IS NULL
ORDER BY name_key, id LIMIT :limit
""")

# The list of this name.
_NAMED = sql("""
SELECT id, name FROM lists WHERE workspace_id = :workspace_id AND name_key = :name_key AND deleted_at IS NULL
""")

# The lists that leads are on, by name.
_OF_LEADS = sql("""
SELECT m.lead_id, l.id, l.name
FROM list_leads m JOIN lists l ON l.workspace_id = m.workspace_id AND l.id = m.list_id AND l.deleted_at IS NULL
WHERE m.workspace_id = :workspace_id AND m.lead_id = ANY (:lead_ids::uuid[])
ORDER BY l.name_key, l.id
""")


async def get_list(tx: Transaction, actor: Actor, *, list_id: UUID) -> ListView:
    """Raises: ListNotFound: also for a deleted list."""
    values = {"workspace_id": actor.workspace_id, "list_id": list_id, "counted": MAX_COUNT + 1}
    row = await tx.first(_LIST, values)
    if row is None:
        raise ListNotFound
    return _view(row, MAX_COUNT)


async def list_lists(tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int) -> Page[ListView]:
    """The lists of the workspace by name."""
    values = {
        "workspace_id": actor.workspace_id,
        "after_key": after.value if after else None,
        "after_id": after.id if after else None,
        "limit": limit + 1,
        "counted": MAX_COUNT_OF_MANY + 1,
    }
    page = cut(await tx.all(_LISTS, values), limit, lambda row: Position(row.name_key, row.id))
    return page.map(lambda row: _view(row, MAX_COUNT_OF_MANY))


async def all_lists(tx: Transaction, actor: Actor) -> list[ListRef]:
    """All lists of the workspace by name, to choose from."""
    rows = await tx.all(_NAMES, {"workspace_id": actor.workspace_id, "limit": MAX_LISTS})
    return [ListRef(id=row.id, name=row.name) for row in rows]


async def list_names(tx: Transaction, actor: Actor) -> dict[str, str]:
    """The names of all lists by id, for filters."""
    return {str(each.id): each.name for each in await all_lists(tx, actor)}


async def named(tx: Transaction, actor: Actor, name: str) -> ListRef | None:
    """The list of this name."""
    row = await tx.first(_NAMED, {"workspace_id": actor.workspace_id, "name_key": name_key(name)})
    return ListRef(id=row.id, name=row.name) if row is not None else None


async def lists_of_lead(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadLists:
    """The lists that a lead is on, by name. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    return LeadLists(items=(await lists_of_leads(tx, actor, [lead_id])).get(lead_id, []))


async def lists_of_leads(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> dict[UUID, list[ListRef]]:
    """The lists that many leads are on, by lead and name; leads on none are left out."""
    found: dict[UUID, list[ListRef]] = {}
    for row in await tx.all(_OF_LEADS, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)}):
        found.setdefault(row.lead_id, []).append(ListRef(id=row.id, name=row.name))
    return found


def _view(row: Row, limit: int) -> ListView:
    return ListView(
        id=row.id,
        name=row.name,
        description=row.description,
        leads=Count.up_to(limit, row.leads),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
