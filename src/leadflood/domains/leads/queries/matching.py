"""SQL that finds the leads that a filter means: the page of a list, how many there are, and what can be chosen from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.tables import leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Position
from leadflood.kernel.text import search_key

MAX_COUNT: Final = 10_000
MAX_COUNT_OF_SEARCH: Final = 1_000
MAX_SOURCES: Final = 200

_BEGINNING: Final = re.compile("[a-z0-9]{1,2}")
_CLOCK_STEP: Final = timedelta(hours=1)
"""No lead is changed before it is created, but for a clock that was set back."""

# The search runs as a role of its own, because LIKE is not leakproof: see the migration.
_TYPES: Final[Mapping[str, TypeEngine[Any]]] = {
    "needle": Text(),
    "beginnings": Boolean(),
    "statuses": ARRAY(Text),
    "sources": ARRAY(Text),
    "countries": ARRAY(Text),
    "owner_id": Uuid(),
    "unowned": Boolean(),
    "has_phone": Boolean(),
    "created_from": DateTime(timezone=True),
    "created_until": DateTime(timezone=True),
    "updated_from": DateTime(timezone=True),
    "updated_until": DateTime(timezone=True),
    "sort_column": Text(),
    "descending": Boolean(),
    "after_time": DateTime(timezone=True),
    "after_text": Text(),
    "after_id": Uuid(),
    "page_size": Integer(),
}
_SEARCH: Final = text("""
SELECT * FROM search_leads(:needle, :beginnings, :statuses, :sources, :countries, :owner_id, :unowned, :has_phone,
                           :created_from, :created_until, :updated_from, :updated_until, :sort_column, :descending,
                           :after_time, :after_text, :after_id, :page_size)
""").bindparams(*(bindparam(name, type_=kind) for name, kind in _TYPES.items()))
_SEARCH_COUNT: Final = text("""
SELECT count(*)
FROM search_leads(:needle, :beginnings, :statuses, :sources, :countries, :owner_id, :unowned, :has_phone,
                  :created_from, :created_until, :updated_from, :updated_until, :sort_column, :descending,
                  :after_time, :after_text, :after_id, :page_size)
""").bindparams(*(bindparam(name, type_=kind) for name, kind in _TYPES.items()))

_SURVEY_OF_SEARCH: Final = text("""
WITH page AS MATERIALIZED (
    SELECT id, created_at, custom_fields
    FROM search_leads(:needle, :beginnings, :statuses, :sources, :countries, :owner_id, :unowned, :has_phone,
                      :created_from, :created_until, :updated_from, :updated_until, :sort_column, :descending,
                      :after_time, :after_text, :after_id, :page_size)
)
SELECT (SELECT count(*) FROM page) AS leads,
       ARRAY(SELECT DISTINCT jsonb_object_keys(custom_fields) FROM page) AS custom_keys,
       last.created_at, last.id
FROM (SELECT created_at, id FROM page ORDER BY created_at, id LIMIT 1) last
""").bindparams(*(bindparam(name, type_=kind) for name, kind in _TYPES.items()))

# One look into the index for each source that there is, however many leads have it.
_SOURCES: Final = text("""
WITH RECURSIVE found (source, number) AS (
    (SELECT source, 1 FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT l.source FROM leads l
            WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NULL AND l.source > found.source
            ORDER BY l.source LIMIT 1), number + 1
    FROM found WHERE source IS NOT NULL AND number < :most
)
SELECT source FROM found WHERE source IS NOT NULL
""").bindparams(bindparam("workspace_id", type_=Uuid), bindparam("most", type_=Integer))


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; or, where it is not exact, that there are more than `value`."""

    value: int
    exact: bool


@dataclass(frozen=True, slots=True)
class SurveyPage:
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
    return await tx.all(_listing(actor, only, sort, after).limit(limit))


async def count_leads(tx: Transaction, actor: Actor, *, only: LeadFilter, at_most: int | None = None) -> Count:
    """How many living leads a filter means, as far as `at_most` (10,000, or 1,000 for a search, which reads them)."""
    needle = search_key(only.q) if only.q else ""
    if needle:
        most = at_most if at_most is not None else MAX_COUNT_OF_SEARCH
        found = await tx.scalar(_SEARCH_COUNT, _search_arguments(only, needle, None, None, most + 1))
    else:
        most = at_most if at_most is not None else MAX_COUNT
        one: Select[Any] = select(literal_column("1")).select_from(leads).where(*_conditions(actor, only))
        found = await tx.scalar(select(func.count()).select_from(one.limit(most + 1).subquery()))
    return Count(min(found, most), exact=found <= most)


async def survey_leads(
    tx: Transaction, actor: Actor, *, only: LeadFilter, after: Position | None, limit: int
) -> SurveyPage:
    """What the next leads that the filter means have in common, newest first."""
    needle = search_key(only.q) if only.q else ""
    if needle:
        row = await tx.first(_SURVEY_OF_SEARCH, _search_arguments(only, needle, LeadSort.NEWEST, after, limit))
    else:
        row = await tx.first(_survey(_listing(actor, only, LeadSort.NEWEST, after).limit(limit)))
    if row is None:
        return SurveyPage(0, frozenset(), None)
    return SurveyPage(row.leads, frozenset(row.custom_keys), Position.at(row.created_at, row.id))


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


def _listing(actor: Actor, only: LeadFilter, sort: LeadSort, after: Position | None) -> Select[Any]:
    conditions = _conditions(actor, only)
    if sort.column == "created_at" and only.updated_until is not None:
        conditions.append(leads.c.created_at < _beyond(only.updated_until, _CLOCK_STEP))
    if sort.column == "updated_at" and only.created_from is not None:
        conditions.append(leads.c.updated_at >= _beyond(only.created_from, -_CLOCK_STEP))
    column = leads.c[sort.column]
    if after is not None:
        value = after.value if sort.column == "email_norm" else after.time
        row, position = tuple_(column, leads.c.id), tuple_(value, after.id)
        conditions.append(row < position if sort.descending else row > position)
    order = (column.desc(), leads.c.id.desc()) if sort.descending else (column, leads.c.id)
    return select(leads).where(and_(*conditions)).order_by(*order)


def _survey(listing: Select[Any]) -> Select[Any]:
    page = listing.with_only_columns(leads.c.id, leads.c.created_at, leads.c.custom_fields).cte("page")
    last = select(page.c.created_at, page.c.id).order_by(page.c.created_at, page.c.id).limit(1).subquery("last")
    keys = select(func.jsonb_object_keys(page.c.custom_fields)).distinct().scalar_subquery()
    return select(
        select(func.count()).select_from(page).scalar_subquery().label("leads"),
        func.array(keys, type_=ARRAY(Text)).label("custom_keys"),
        last.c.created_at,
        last.c.id,
    )


def _conditions(actor: Actor, only: LeadFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [leads.c.workspace_id == actor.workspace_id, leads.c.deleted_at.is_(None)]
    conditions += _chosen(leads.c.status, only.statuses)
    conditions += _chosen(leads.c.source, only.sources)
    conditions += _chosen(leads.c.country, only.countries)
    if only.owner_id is not None:
        conditions.append(leads.c.owner_id == only.owner_id)
    if only.unowned:
        conditions.append(leads.c.owner_id.is_(None))
    if only.has_phone is not None:
        conditions.append(leads.c.phone.is_not(None) if only.has_phone else leads.c.phone.is_(None))
    if only.created_from is not None:
        conditions.append(leads.c.created_at >= only.created_from)
    if only.created_until is not None:
        conditions.append(leads.c.created_at < only.created_until)
    if only.updated_from is not None:
        conditions.append(leads.c.updated_at >= only.updated_from)
    if only.updated_until is not None:
        conditions.append(leads.c.updated_at < only.updated_until)
    return conditions


def _chosen(column: Column[Any], values: Sequence[str]) -> list[ColumnElement[bool]]:
    """Any of the values. One alone is compared by `=`: an index on it is then also one on the order after it."""
    if not values:
        return []
    return [column == values[0] if len(values) == 1 else column.in_(values)]


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
