"""SQL that finds the leads that a filter means: the page of a list, how many there are, and what can be chosen from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from leadflood.domains.leads.columns import LEAD
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import AND, Sql, assemble, joined, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Position
from leadflood.kernel.schema import Count
from leadflood.kernel.text import search_key

MAX_COUNT: Final = 10_000
MAX_COUNT_OF_SEARCH: Final = 1_000
MAX_SOURCES: Final = 200

_BEGINNING: Final = re.compile("[a-z0-9]{1,2}")
_CLOCK_STEP: Final = timedelta(hours=1)
"""No lead is changed before it is created, but for a clock that was set back."""

# What `search_leads` finds. It runs as a role of its own, because LIKE is not leakproof: see the migration.
_FOUND: Final = sql("""
search_leads(:needle, :beginnings, :statuses, :sources, :countries, :owner_id, :unowned, :has_phone,
             :created_from, :created_until, :updated_from, :updated_until, :sort_column, :descending,
             :after_time, :after_text, :after_id, :page_size)
""")
# The next leads that a search finds.
_SEARCH: Final = assemble(sql("SELECT {columns} FROM {found}"), columns=LEAD, found=_FOUND)
# How many leads a search finds, as far as its page goes.
_SEARCH_COUNT: Final = assemble(sql("SELECT count(*) FROM {found}"), found=_FOUND)

# The next leads that a filter means, in order.
_LISTING: Final = sql("SELECT {columns} FROM leads WHERE {conditions} ORDER BY {order} LIMIT :page_size")
# How many leads a filter means, as far as a limit.
_COUNT: Final = sql("SELECT count(*) FROM (SELECT FROM leads WHERE {conditions} LIMIT :page_size) AS counted")

# What the leads of a page have in common, and which comes last.
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
# One value alone is compared by `=`: an index on the column is then also one on the order after it.
_ONE_OF: Final[Mapping[str, tuple[Sql, Sql]]] = {
    "statuses": (sql("status = :statuses"), sql("status = ANY(:statuses)")),
    "sources": (sql("source = :sources"), sql("source = ANY(:sources)")),
    "countries": (sql("country = :countries"), sql("country = ANY(:countries)")),
}
_COMPARED: Final[Mapping[str, Sql]] = {
    "owner_id": sql("owner_id = :owner_id"),
    "created_from": sql("created_at >= :created_from"),
    "created_until": sql("created_at < :created_until"),
    "updated_from": sql("updated_at >= :updated_from"),
    "updated_until": sql("updated_at < :updated_until"),
}
_UNOWNED: Final = sql("owner_id IS NULL")
_WITH_PHONE, _WITHOUT_PHONE = sql("phone IS NOT NULL"), sql("phone IS NULL")
_CREATED_BEFORE: Final = sql("created_at < :created_before")
_UPDATED_SINCE: Final = sql("updated_at >= :updated_since")

_ORDERS: Final[Mapping[tuple[str, bool], tuple[Sql, Sql]]] = {
    ("created_at", True): (sql("created_at DESC, id DESC"), sql("(created_at, id) < (:after, :after_id)")),
    ("created_at", False): (sql("created_at, id"), sql("(created_at, id) > (:after, :after_id)")),
    ("updated_at", True): (sql("updated_at DESC, id DESC"), sql("(updated_at, id) < (:after, :after_id)")),
    ("updated_at", False): (sql("updated_at, id"), sql("(updated_at, id) > (:after, :after_id)")),
    ("email_norm", True): (sql("email_norm DESC, id DESC"), sql("(email_norm, id) < (:after, :after_id)")),
    ("email_norm", False): (sql("email_norm, id"), sql("(email_norm, id) > (:after, :after_id)")),
}
"""Column and direction: the order, and what comes after a position in it."""

# One look into the index for each source that there is, however many leads have it.
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
    """Some leads at a glance: how many, the keys of their custom fields, and where to go on; None without any."""

    count: int
    custom_keys: frozenset[str]
    last: Position | None


async def matching_rows(
    tx: Transaction, actor: Actor, *, only: LeadFilter, sort: LeadSort, after: Position | None, limit: int
) -> Sequence[Row]:
    """The next rows of `leads` that the filter means, in order."""
    needle = search_key(only.q) if only.q else ""
    if needle:
        return await tx.all(_SEARCH, _search_arguments(only, needle, sort, after, limit))
    statement, arguments = _listing(actor, only, sort, after, limit)
    return await tx.all(statement, arguments)


async def count_leads(tx: Transaction, actor: Actor, *, only: LeadFilter, at_most: int | None = None) -> Count:
    """How many living leads a filter means, as far as `at_most` (10,000, or 1,000 for a search, which reads them)."""
    needle = search_key(only.q) if only.q else ""
    if needle:
        most = at_most if at_most is not None else MAX_COUNT_OF_SEARCH
        found = await tx.scalar(_SEARCH_COUNT, _search_arguments(only, needle, None, None, most + 1))
    else:
        most = at_most if at_most is not None else MAX_COUNT
        conditions, arguments = _conditions(actor, only)
        counting = assemble(_COUNT, conditions=joined(AND, conditions))
        found = await tx.scalar(counting, {**arguments, "page_size": most + 1})
    return Count.up_to(most, found)


async def scan_leads(
    tx: Transaction, actor: Actor, *, only: LeadFilter, after: Position | None, limit: int
) -> ScanPage:
    """What the next leads that the filter means have in common, newest first."""
    needle = search_key(only.q) if only.q else ""
    if needle:
        row = await tx.first(_SURVEY_OF_SEARCH, _search_arguments(only, needle, LeadSort.NEWEST, after, limit))
    else:
        page, arguments = _listing(actor, only, LeadSort.NEWEST, after, limit)
        row = await tx.first(assemble(_SURVEY, page=page), arguments)
    if row is None:
        return ScanPage(0, frozenset(), None)
    return ScanPage(row.leads, frozenset(row.custom_keys), Position.at(row.created_at, row.id))


async def list_sources(tx: Transaction, actor: Actor) -> list[str]:
    """The sources that living leads came by, in order; at most 200."""
    rows = await tx.all(_SOURCES, {"workspace_id": actor.workspace_id, "most": MAX_SOURCES})
    return [row.source for row in rows]


def _beyond(moment: datetime, step: timedelta) -> datetime:
    """A moment moved by a step, as far as the calendar goes."""
    try:
        return moment + step
    except OverflowError:
        return moment


def _listing(
    actor: Actor, only: LeadFilter, sort: LeadSort, after: Position | None, limit: int
) -> tuple[Sql, dict[str, Any]]:
    """The statement for the next leads, and its arguments."""
    conditions, arguments = _conditions(actor, only)
    if sort.column == "created_at" and only.updated_until is not None:
        conditions.append(_CREATED_BEFORE)
        arguments["created_before"] = _beyond(only.updated_until, _CLOCK_STEP)
    if sort.column == "updated_at" and only.created_from is not None:
        conditions.append(_UPDATED_SINCE)
        arguments["updated_since"] = _beyond(only.created_from, -_CLOCK_STEP)
    order, beyond = _ORDERS[sort.column, sort.descending]
    if after is not None:
        conditions.append(beyond)
        arguments |= {"after": after.value if sort.column == "email_norm" else after.time, "after_id": after.id}
    statement = assemble(_LISTING, columns=LEAD, conditions=joined(AND, conditions), order=order)
    return statement, {**arguments, "page_size": limit}


def _conditions(actor: Actor, only: LeadFilter) -> tuple[list[Sql], dict[str, Any]]:
    """What a filter without a search means, and its arguments."""
    conditions: list[Sql] = [_OWN]
    arguments: dict[str, Any] = {"workspace_id": actor.workspace_id}
    for name, (one, several) in _ONE_OF.items():
        values = getattr(only, name)
        if values:
            conditions.append(one if len(values) == 1 else several)
            arguments[name] = values[0] if len(values) == 1 else list(values)
    for name, compared in _COMPARED.items():
        value = getattr(only, name)
        if value is not None:
            conditions.append(compared)
            arguments[name] = value
    if only.unowned:
        conditions.append(_UNOWNED)
    if only.has_phone is not None:
        conditions.append(_WITH_PHONE if only.has_phone else _WITHOUT_PHONE)
    return conditions, arguments


def _search_arguments(
    only: LeadFilter, needle: str, sort: LeadSort | None, after: Position | None, limit: int
) -> dict[str, Any]:
    by_email = sort is not None and sort.column == "email_norm"
    return {
        "needle": needle,
        "beginnings": _BEGINNING.fullmatch(needle) is not None,
        "statuses": list(only.statuses),
        "sources": list(only.sources),
        "countries": list(only.countries),
        "owner_id": only.owner_id,
        "unowned": only.unowned,
        "has_phone": only.has_phone,
        "created_from": only.created_from,
        "created_until": only.created_until,
        "updated_from": only.updated_from,
        "updated_until": only.updated_until,
        "sort_column": sort.column if sort is not None else None,
        "descending": sort.descending if sort is not None else None,
        "after_time": after.time if after and not by_email else None,
        "after_text": after.value if after and by_email else None,
        "after_id": after.id if after else None,
        "page_size": limit,
    }
