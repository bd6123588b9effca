"""SQL that finds leads by filter: pages of a list, counts, and choices."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from leadflood.domains.leads.columns import LEAD
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.filters import LEAD_FILTERS
from leadflood.domains.leads.queries.orders import (
    FOLDED,
    ORDERS,
    RELATED,
    SEARCHED_SORTS,
    arguments_after,
    keys_after,
)
from leadflood.domains.leads.queries.ranked import FEW, RankedPage, few_by_rank, walk_ranks
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import AND, COMMA, Sql, assemble, joined, numbered, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.filter_sql import Conditions, is_leakproof, json_of, rarest, searched
from leadflood.kernel.filters import Compare, Comparison, Every, FilterReader, Node
from leadflood.kernel.pagination import Position
from leadflood.kernel.schema import Count

MAX_COUNT: Final = 10_000
MAX_COUNT_OF_SEARCH: Final = 1_000
MAX_SOURCES: Final = 200

_CLOCK_STEP: Final = timedelta(hours=1)
"""No lead is changed before it is created, unless a clock was set back."""

# Results of `search_leads`. It runs as its own role, because LIKE is not leakproof: see the migration.
_FOUND: Final = sql("search_leads(:required, :matching, :patterns, :sort, :descending, :after, :page_size)")
# The next leads that a search finds.
_SEARCH: Final = assemble(sql("SELECT {columns} FROM {found}"), columns=LEAD, found=_FOUND)
# The same in the order of sort keys, with each sort key.
_SEARCH_BY: Final = sql("SELECT {columns}, {key} AS sort_key FROM {found}")
# Number of leads that a search finds on its page.
_SEARCH_COUNT: Final = assemble(sql("SELECT count(*) FROM {found}"), found=_FOUND)

# The next leads that match, in order.
_LISTING: Final = sql("SELECT {columns} FROM leads WHERE {conditions} ORDER BY {order} LIMIT :page_size")
# All leads that match, of which there are few.
_MATCHING: Final = sql("(SELECT {columns} FROM leads WHERE {conditions})")
# Number of leads that match, up to a limit.
_COUNT: Final = sql("SELECT count(*) FROM (SELECT FROM leads WHERE {conditions} LIMIT :page_size) AS counted")

# The first leads of several lists in one statement, each list in its order. `place`: number of the list.
_LISTS: Final = sql("SELECT place, {columns} FROM ({lists}) AS listed ORDER BY place, rank")
_LIST: Final = sql("(SELECT {place}, row_number() OVER () AS rank, {columns} FROM {page} AS leads)")
_PLACE: Final = sql(":value::integer AS place")
_LISTED: Final = sql("(SELECT {columns} FROM leads WHERE {conditions} ORDER BY {order} LIMIT {limit})")
_FOLDED_UP: Final = sql("{key} NULLS LAST, id")
_FOLDED_DOWN: Final = sql("{key} DESC NULLS LAST, id DESC")
_LIMIT: Final = sql(":value::integer")
_SEARCHED_LIST: Final = sql("""
search_leads(
    :value::jsonb -> 'required', :value -> 'matching', ARRAY(SELECT jsonb_array_elements_text(:value -> 'patterns')),
    :sort, :descending, NULL, (:value ->> 'limit')::integer)
""")
_UNION: Final = sql(" UNION ALL ")

# Several counts as columns of one row.
_COUNTS: Final = sql("SELECT {counts}")
_LISTED_COUNT: Final = sql("(SELECT count(*) FROM (SELECT FROM leads WHERE {conditions} LIMIT :listed) AS counted)")
_SEARCHED_COUNT: Final = sql("""
(SELECT count(*) FROM search_leads(
    :value::jsonb -> 'required', :value -> 'matching', ARRAY(SELECT jsonb_array_elements_text(:value -> 'patterns')),
    NULL, NULL, NULL, :searched))
""")

# Summary of the leads of a page, and the last one.
_SURVEY: Final = sql("""
WITH page AS MATERIALIZED ({page})
SELECT (SELECT count(*) FROM page) AS leads,
       ARRAY(SELECT DISTINCT jsonb_object_keys(custom_fields) FROM page) AS custom_keys,
       last.created_at, last.id
FROM (SELECT created_at, id FROM page ORDER BY created_at, id LIMIT 1) last
""")
_SURVEY_OF_SEARCH: Final = assemble(
    _SURVEY, page=assemble(sql("SELECT id, created_at, custom_fields FROM {found}"), found=_FOUND)
)

_OWN: Final = sql("workspace_id = :workspace_id AND deleted_at IS NULL")
_CREATED_BEFORE: Final = sql("created_at < :created_before")
_UPDATED_SINCE: Final = sql("updated_at >= :updated_since")

# One index probe per source, however many leads have it.
_SOURCES: Final = sql("""
WITH RECURSIVE found (source, number) AS (
    (SELECT source, 1 FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT l.source FROM leads l
            WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NULL AND l.source > found.source
            ORDER BY l.source LIMIT 1), number + 1
    FROM found WHERE source IS NOT NULL AND number < :most
)
SELECT source FROM found WHERE source IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class ScanPage:
    """Summary of some leads: their number, the keys of their custom fields, and the next position; None without any."""

    count: int
    custom_keys: frozenset[str]
    last: Position | None


async def matching_rows(
    tx: Transaction, actor: Actor, *, filters: LeadFilter, sort: LeadSort, after: Position | None, limit: int
) -> Sequence[Row]:
    """The next matching rows of `leads`, in order."""
    meant = _Meant.by(filters, actor)
    if sort.column in RELATED:
        return await _ranked(tx, actor, meant, RankedPage(sort, after, limit))
    if sort.column in FOLDED:
        statement = assemble(_SEARCH_BY, columns=LEAD, key=FOLDED[sort.column], found=_FOUND)
        return await tx.all(statement, _search_arguments(meant, sort, after, limit))
    if meant.matching:
        return await tx.all(_SEARCH, _search_arguments(meant, sort, after, limit))
    statement, arguments = _listing(actor, meant, sort, after, limit)
    return await tx.all(statement, arguments)


async def first_rows_of_each(
    tx: Transaction, actor: Actor, *, filters: Sequence[LeadFilter], sort: LeadSort, limits: Sequence[int]
) -> list[list[Row]]:
    """The first matching rows of `leads` for each of several filters, in order, in one statement.

    One or two for each filter where another domain has what leads are sorted by. Args: limits: number of rows for each.
    """
    if sort.column in RELATED:
        return [
            list(await matching_rows(tx, actor, filters=each, sort=sort, after=None, limit=limit))
            for each, limit in zip(filters, limits, strict=True)
        ]
    values: dict[str, Any] = {"workspace_id": actor.workspace_id}
    lists = []
    for place, (each, limit) in enumerate(zip(filters, limits, strict=True)):
        meant = _Meant.by(each, actor)
        one = _searched_list if meant.matching else _first_listed
        page = one(meant, values, sort, limit)
        lists.append(assemble(_LIST, place=_value(_PLACE, values, place), columns=LEAD, page=page))
    found: list[list[Row]] = [[] for _ in lists]
    if lists:
        for row in await tx.all(assemble(_LISTS, columns=LEAD, lists=joined(_UNION, lists)), values):
            found[row.place].append(row)
    return found


async def count_leads(tx: Transaction, actor: Actor, *, filters: LeadFilter, max_count: int | None = None) -> Count:
    """Number of matching active leads, counted up to `max_count` (10,000, or 1,000 for a search, which reads them)."""
    meant = _Meant.by(filters, actor)
    if meant.matching:
        limit_ = max_count if max_count is not None else MAX_COUNT_OF_SEARCH
        found = await tx.scalar(_SEARCH_COUNT, _search_arguments(meant, None, None, limit_ + 1))
    else:
        limit_ = max_count if max_count is not None else MAX_COUNT
        conditions = _conditions(actor, meant)
        counting = assemble(_COUNT, conditions=joined(AND, conditions.parts))
        found = await tx.scalar(counting, {**conditions.values, "page_size": limit_ + 1})
    return Count.up_to(limit_, found)


async def count_each(tx: Transaction, actor: Actor, *, filters: Sequence[LeadFilter]) -> list[Count]:
    """As `count_leads` for several filters, in one statement."""
    values = {
        "workspace_id": actor.workspace_id,
        "listed": MAX_COUNT + 1,
        "searched": MAX_COUNT_OF_SEARCH + 1,
    }
    counts, limits = [], []
    for meant in (_Meant.by(each, actor) for each in filters):
        limits.append(MAX_COUNT_OF_SEARCH if meant.matching else MAX_COUNT)
        counts.append(_counted_search(meant, values) if meant.matching else _counted_list(meant, values))
    if not counts:
        return []
    (row,) = await tx.all(assemble(_COUNTS, counts=joined(COMMA, counts)), values)
    return [Count.up_to(limit, found) for limit, found in zip(limits, row, strict=True)]


async def scan_leads(
    tx: Transaction, actor: Actor, *, filters: LeadFilter, after: Position | None, limit: int
) -> ScanPage:
    """Summary of the next leads that match, newest first."""
    meant = _Meant.by(filters, actor)
    if meant.matching:
        row = await tx.first(_SURVEY_OF_SEARCH, _search_arguments(meant, LeadSort.NEWEST, after, limit))
    else:
        page, arguments = _listing(actor, meant, LeadSort.NEWEST, after, limit)
        row = await tx.first(assemble(_SURVEY, page=page), arguments)
    if row is None:
        return ScanPage(0, frozenset(), None)
    return ScanPage(row.leads, frozenset(row.custom_keys), Position.at(row.created_at, row.id))


async def list_sources(tx: Transaction, actor: Actor) -> list[str]:
    """The sources of active leads, in order; at most 200."""
    rows = await tx.all(_SOURCES, {"workspace_id": actor.workspace_id, "most": MAX_SOURCES})
    return [row.source for row in rows]


@dataclass(frozen=True, slots=True)
class _Meant:
    """A filter in two parts: conditions that indexes serve under row-level security, and `search_leads` conditions."""

    required: Sequence[Node]
    matching: Sequence[Node]

    @classmethod
    def by(cls, filters: LeadFilter, actor: Actor) -> Self:
        """For this actor, now."""
        node = LEAD_FILTERS.compiled(filters.whole, FilterReader(utc_now(), actor))
        parts = node.parts if isinstance(node, Every) else (node,)
        return cls([part for part in parts if is_leakproof(part)], [part for part in parts if not is_leakproof(part)])

    def bound(self, column: str, comparison: Comparison) -> datetime | None:
        """A time that the column of every lead is compared with, if any."""
        return next(
            (
                part.value
                for part in self.required
                if isinstance(part, Compare) and part.column.name == column and part.comparison is comparison
            ),
            None,
        )


async def _ranked(tx: Transaction, actor: Actor, meant: _Meant, page: RankedPage) -> Sequence[Row]:
    """The next leads in a related order: few are all sorted, many are met by walking the order."""
    own = _conditions(actor, meant)
    if meant.matching:
        given = _search_arguments(meant, None, None, FEW + 1)
        if await tx.scalar(_SEARCH_COUNT, given) <= FEW:
            return await few_by_rank(tx, page, _FOUND, {**given, "workspace_id": actor.workspace_id})
    elif meant.required:
        counting = assemble(_COUNT, conditions=joined(AND, own.parts))
        if await tx.scalar(counting, {**own.values, "page_size": FEW + 1}) <= FEW:
            listed = assemble(_MATCHING, columns=LEAD, conditions=joined(AND, own.parts))
            return await few_by_rank(tx, page, listed, own.values)
    for node in meant.matching:
        own.add(node)
    return await walk_ranks(tx, page, joined(AND, own.parts), own.values)


def _beyond(moment: datetime, step: timedelta) -> datetime:
    """A time moved by a step, within the limits of the calendar."""
    try:
        return moment + step
    except OverflowError:
        return moment


def _conditions(actor: Actor, meant: _Meant) -> Conditions:
    conditions = Conditions({"workspace_id": actor.workspace_id}, [_OWN])
    for node in meant.required:
        conditions.add(node)
    return conditions


def _value(part: Sql, values: dict[str, Any], value: object) -> Sql:
    """A part with its parameter. Adds that to `values`."""
    number = len(values) + 1
    values[f"value_{number}"] = value
    return numbered(part, number)


def _first_listed(meant: _Meant, values: dict[str, Any], sort: LeadSort, limit: int) -> Sql:
    """One of several lists. Adds its parameters to `values`."""
    conditions = Conditions(values, [_OWN])
    for node in meant.required:
        conditions.add(node)
    if sort.column in FOLDED:
        order = assemble(_FOLDED_DOWN if sort.descending else _FOLDED_UP, key=FOLDED[sort.column])
    else:
        order, _ = ORDERS[sort.column, sort.descending]
    limited = _value(_LIMIT, values, limit)
    return assemble(_LISTED, columns=LEAD, conditions=joined(AND, conditions.parts), order=order, limit=limited)


def _searched_list(meant: _Meant, values: dict[str, Any], sort: LeadSort, limit: int) -> Sql:
    """The same where leads are searched, or sorted by a computed key."""
    given = _search_arguments(meant, sort, None, limit)
    values |= {"sort": given["sort"], "descending": given["descending"]}
    return _value(_SEARCHED_LIST, values, _search_value(given))


def _search_value(given: dict[str, Any]) -> str:
    """A search as the value of one parameter."""
    parts = {name: json.loads(given[name]) for name in ("required", "matching")}
    return json.dumps(parts | {"patterns": given["patterns"], "limit": given["page_size"]})


def _counted_list(meant: _Meant, values: dict[str, Any]) -> Sql:
    """One of several counts. Adds its parameters to `values`."""
    conditions = Conditions(values, [_OWN])
    for node in meant.required:
        conditions.add(node)
    return assemble(_LISTED_COUNT, conditions=joined(AND, conditions.parts))


def _counted_search(meant: _Meant, values: dict[str, Any]) -> Sql:
    """The same where leads are searched."""
    return _value(_SEARCHED_COUNT, values, _search_value(_search_arguments(meant, None, None, 0)))


def _listing(
    actor: Actor, meant: _Meant, sort: LeadSort, after: Position | None, limit: int
) -> tuple[Sql, dict[str, Any]]:
    """The statement for the next leads, and its parameters."""
    conditions = _conditions(actor, meant)
    updated_until, created_from = (
        meant.bound("updated_at", Comparison.LESS),
        meant.bound("created_at", Comparison.AT_LEAST),
    )
    if sort.column == "created_at" and updated_until is not None:
        conditions.parts.append(_CREATED_BEFORE)
        conditions.values["created_before"] = _beyond(updated_until, _CLOCK_STEP)
    if sort.column == "updated_at" and created_from is not None:
        conditions.parts.append(_UPDATED_SINCE)
        conditions.values["updated_since"] = _beyond(created_from, -_CLOCK_STEP)
    order, beyond = ORDERS[sort.column, sort.descending]
    if after is not None:
        conditions.parts.append(beyond)
        conditions.values |= arguments_after(after, sort)
    statement = assemble(_LISTING, columns=LEAD, conditions=joined(AND, conditions.parts), order=order)
    return statement, {**conditions.values, "page_size": limit}


def _search_arguments(meant: _Meant, sort: LeadSort | None, after: Position | None, limit: int) -> dict[str, Any]:
    matching = Every(tuple(meant.matching))
    return {
        "required": json.dumps(json_of(Every(tuple(meant.required)))),
        "matching": json.dumps(json_of(matching)),
        "patterns": list(rarest(searched(matching))),
        "sort": SEARCHED_SORTS.get(sort.column, sort.column) if sort is not None else None,
        "descending": sort.descending if sort is not None else None,
        "after": keys_after(after, sort) if after is not None and sort is not None else None,
        "page_size": limit,
    }
