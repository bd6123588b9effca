"""Sort orders of lists of leads: SQL, and positions of pages."""

from collections.abc import Mapping
from typing import Any, Final

from leadflood.domains.leads.contracts.filters import LeadSort
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import Sql, assemble, sql
from leadflood.kernel.pagination import Position

FOLDED: Final[Mapping[str, Sql]] = {
    "name": sql("""
search_key(coalesce(coalesce(first_name, found_first_name) || ' ' || coalesce(last_name, found_last_name),
                    first_name, found_first_name, last_name, found_last_name)) COLLATE "C"
"""),
    "company": sql('search_key(coalesce(company, found_company)) COLLATE "C"'),
    "job_title": sql('search_key(coalesce(job_title, found_job_title)) COLLATE "C"'),
    "stage": sql("stage"),
}
"""Sort keys that `search_leads` computes: text as people read it, and the keys of stages, which have the team's order.
Found values count where a lead has none. Leads without either come last."""
SEARCHED_SORTS: Final[Mapping[str, str]] = {
    "name": "effective_name",
    "company": "effective_company",
    "job_title": "effective_job_title",
}
"""Their names in `search_leads`, where these differ. The previous release sorts by what leads have themselves."""
RELATED: Final = frozenset({"score", "engagement"})
"""Orders by a number that another domain has of leads: see `leadflood.domains.leads.queries.ranked`."""
_THEN_CREATED: Final = ("status", "source")
# The number of a lead, by which a related order sorts.
_RANKED_KEY: Final = sql("(SELECT ranked.sort_key FROM ({ranked}) ranked WHERE ranked.lead_id = leads.id)")
# No leads, where no domain declares the order.
_NO_RANKS: Final = sql("SELECT id AS lead_id, 0 AS sort_key FROM leads WHERE workspace_id = :workspace_id AND false")
_NO_KEY: Final = sql("NULL")

ORDERS: Final[Mapping[tuple[str, bool], tuple[Sql, Sql]]] = {
    ("created_at", True): (sql("created_at DESC, id DESC"), sql("(created_at, id) < (:after, :after_id)")),
    ("created_at", False): (sql("created_at, id"), sql("(created_at, id) > (:after, :after_id)")),
    ("updated_at", True): (sql("updated_at DESC, id DESC"), sql("(updated_at, id) < (:after, :after_id)")),
    ("updated_at", False): (sql("updated_at, id"), sql("(updated_at, id) > (:after, :after_id)")),
    ("email_norm", True): (sql("email_norm DESC, id DESC"), sql("(email_norm, id) < (:after, :after_id)")),
    ("email_norm", False): (sql("email_norm, id"), sql("(email_norm, id) > (:after, :after_id)")),
    ("status", True): (
        sql("status DESC, created_at DESC, id DESC"),
        sql("(status, created_at, id) < (:after, :after_time, :after_id)"),
    ),
    ("status", False): (
        sql("status, created_at, id"),
        sql("(status, created_at, id) > (:after, :after_time, :after_id)"),
    ),
    ("source", True): (
        sql("source DESC, created_at DESC, id DESC"),
        sql("(source, created_at, id) < (:after, :after_time, :after_id)"),
    ),
    ("source", False): (
        sql("source, created_at, id"),
        sql("(source, created_at, id) > (:after, :after_time, :after_id)"),
    ),
}
"""Column and direction: the order, and the condition for rows after a position."""


def is_partial(sort: LeadSort) -> bool:
    """Whether leads may lack what they are sorted by. They come last in both directions."""
    return sort.column in FOLDED or sort.column in RELATED


def ranks_of(sort: LeadSort) -> Sql:
    """The statement for the leads that have the number of a related order; none where no domain declares it."""
    order = LEAD_EXTENSIONS.orders.get(sort.column)
    return order.ranked if order is not None else _NO_RANKS


def is_fractional(sort: LeadSort) -> bool:
    """Whether the number of a related order can have a fraction."""
    order = LEAD_EXTENSIONS.orders.get(sort.column)
    return order is not None and order.fractional


def key_of(sort: LeadSort) -> Sql:
    """Sort key of a lead, where that may be missing."""
    if sort.column in RELATED:
        return assemble(_RANKED_KEY, ranked=ranks_of(sort))
    return FOLDED.get(sort.column, _NO_KEY)


def position_of(row: Row, sort: LeadSort) -> Position:
    """Position after a page whose last row this is."""
    if is_partial(sort):
        return Position("" if row.sort_key is None else f"={row.sort_key}", row.id)
    value = getattr(row, sort.column)
    return Position.at(f"{value} {row.created_at.isoformat()}" if sort.column in _THEN_CREATED else value, row.id)


def arguments_after(position: Position, sort: LeadSort) -> dict[str, Any]:
    """The parameters of the rows after a position. Raises: InvalidInput: it is of another order."""
    if sort.column in _THEN_CREATED:
        text, time = position.text_and_time
        return {"after": text, "after_time": time, "after_id": position.id}
    return {"after": position.value if sort.column == "email_norm" else position.time, "after_id": position.id}


def keys_after(position: Position, sort: LeadSort) -> list[str]:
    """The same for `search_leads`: sort value and ID of the last lead. Raises: InvalidInput."""
    if sort.column in FOLDED:
        key = position.optional
        return [str(position.id)] if key is None else [key, str(position.id)]
    given = arguments_after(position, sort).values()
    return [str(value) for value in given]
