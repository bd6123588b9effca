"""SQL that lists leads by a number that another domain has of them, such as a score. Leads without it come last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadflood.domains.leads.columns import LEAD
from leadflood.domains.leads.contracts.filters import LeadSort
from leadflood.domains.leads.queries.orders import is_fractional, key_of, ranks_of
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import Sql, assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Position

FEW: Final = 1_000
"""Up to so many leads that match are sorted. For more, the order is walked: a page of them is met soon."""

# Few leads, sorted.
_SORTED = sql("""
SELECT {columns}, sort_key FROM (SELECT {columns}, {key} AS sort_key FROM {found} AS leads) leads
WHERE {beyond} ORDER BY {order} LIMIT :few_limit
""")

# The next leads in order. Each is looked up by its key, then tested, alone (OFFSET 0), whatever PostgreSQL knows of the
# tables: without statistics, an index of active leads seemed better, and 50 leads of 100,000 took half a second; with
# them, all leads of a tier were joined and sorted for each page.
_WALK = sql("""
SELECT {columns}, sort_key FROM (SELECT lead_id, sort_key FROM ({ranked}) all_ranked WHERE {beyond}) ranked
CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT * FROM leads WHERE workspace_id = :workspace_id AND id = ranked.lead_id OFFSET 0
    ) leads
    WHERE {conditions} OFFSET 0
) leads
ORDER BY {order} LIMIT :page_size
""")

# The next leads without a number.
_REST = sql("""
SELECT {columns}, NULL AS sort_key FROM leads
WHERE {conditions} AND {key} IS NULL AND {beyond} ORDER BY {order} LIMIT :page_size
""")

_ALL = sql("true")
_UP, _DOWN = sql("sort_key NULLS LAST, id"), sql("sort_key DESC NULLS LAST, id DESC")
_RANKS_UP, _RANKS_DOWN = sql("sort_key, lead_id"), sql("sort_key DESC, lead_id DESC")
_BY_ID, _BY_ID_DOWN = sql("id"), sql("id DESC")
_AFTER: Final[Mapping[bool, Sql]] = {
    False: sql("((sort_key, id) > ({key}, :after_id::uuid) OR sort_key IS NULL)"),
    True: sql("((sort_key, id) < ({key}, :after_id::uuid) OR sort_key IS NULL)"),
}
_RANKS_AFTER: Final[Mapping[bool, Sql]] = {
    False: sql("(sort_key, lead_id) > ({key}, :after_id::uuid)"),
    True: sql("(sort_key, lead_id) < ({key}, :after_id::uuid)"),
}
_REST_AFTER: Final[Mapping[bool, Sql]] = {
    False: sql("id > :after_id::uuid"),
    True: sql("id < :after_id::uuid"),
}
# The sort key of a position, by whether it can have a fraction.
_KEYS: Final[Mapping[bool, Sql]] = {False: sql(":after_key::integer"), True: sql(":after_key::float8")}
_WITHOUT = sql("sort_key IS NULL AND {beyond}")


@dataclass(frozen=True, slots=True)
class RankedPage:
    """A page of a list in a related order. `after`: position of the last lead before it."""

    sort: LeadSort
    after: Position | None
    limit: int

    @property
    def is_in_rest(self) -> bool:
        """Whether only leads without a number follow. Raises: InvalidCursor: the position is of another order."""
        return self.after is not None and self._key is None

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the position. Raises: InvalidCursor: it is of another order."""
        if self.after is None:
            return {}
        return {"after_key": self._key, "after_id": self.after.id}

    @property
    def _key(self) -> float | None:
        if self.after is None:
            return None
        return self.after.optional_fraction if is_fractional(self.sort) else self.after.optional_number

    def beyond(self, after: Mapping[bool, Sql]) -> Sql:
        """The condition for leads after the position. `after`: by direction."""
        if self.after is None:
            return _ALL
        return assemble(after[self.sort.descending], key=_KEYS[is_fractional(self.sort)])


async def few_by_rank(tx: Transaction, page: RankedPage, found: Sql, values: Mapping[str, Any]) -> Sequence[Row]:
    """The next of few leads. `found`: what stands in FROM for them, with the parameters `values`."""
    down = page.sort.descending
    beyond = page.beyond(_AFTER)
    if page.is_in_rest:
        beyond = assemble(_WITHOUT, beyond=_REST_AFTER[down])
    order = _DOWN if down else _UP
    statement = assemble(_SORTED, columns=LEAD, key=key_of(page.sort), found=found, beyond=beyond, order=order)
    return await tx.all(statement, {**values, **page.values, "few_limit": page.limit})


async def walk_ranks(tx: Transaction, page: RankedPage, conditions: Sql, values: Mapping[str, Any]) -> Sequence[Row]:
    """The next leads of many: those with a number, then those without."""
    down, given = page.sort.descending, {**values, **page.values}
    rows: list[Row] = []
    if not page.is_in_rest:
        walking = assemble(
            _WALK,
            columns=LEAD,
            ranked=ranks_of(page.sort),
            beyond=page.beyond(_RANKS_AFTER),
            conditions=conditions,
            order=_RANKS_DOWN if down else _RANKS_UP,
        )
        rows += await tx.all(walking, {**given, "page_size": page.limit})
    if len(rows) < page.limit:
        resting = assemble(
            _REST,
            columns=LEAD,
            conditions=conditions,
            key=key_of(page.sort),
            beyond=_REST_AFTER[down] if page.is_in_rest else _ALL,
            order=_BY_ID_DOWN if down else _BY_ID,
        )
        rows += await tx.all(resting, {**given, "page_size": page.limit - len(rows)})
    return rows
