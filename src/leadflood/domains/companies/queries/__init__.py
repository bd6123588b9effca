"""SQL that reads companies."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from leadflood.domains.companies.contracts import (
    CompanyDomains,
    CompanyDomainView,
    CompanyEventView,
    CompanyMergeView,
    CompanyRef,
    CompanyView,
    LeadCompany,
)
from leadflood.domains.companies.errors import CompanyMergeNotFound, CompanyNotFound
from leadflood.domains.companies.models import CompanySort, CompanyStatus
from leadflood.domains.companies.timeline import TIMELINE
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts import ActorView
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import Sql, assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut, page_by_id
from leadflood.kernel.schema import Count
from leadflood.kernel.text import search_key
from leadflood.kernel.timeline import TimelineRecord

MAX_COUNT: Final = 1000
"""As far as the leads of a company are counted."""
_MAX_PARTS: Final = 200

_COLUMNS: Final = sql("c.id, c.name, c.domain, c.status, c.source, c.version, c.created_at, c.updated_at, c.sort_key")

# A company in any state.
_COMPANY = assemble(
    sql("""
SELECT {columns}, c.deleted_at, c.merged_into FROM companies c WHERE workspace_id = :workspace_id AND id = :company_id
"""),
    columns=_COLUMNS,
)

# The active companies `c` of a search. It reads names and domains that contain it; other domains of a company must
# begin with it.
MATCHES = sql("""
c.workspace_id = :workspace_id AND c.deleted_at IS NULL AND c.merged_into IS NULL
      AND (:sought::text IS NULL OR position(:sought IN c.sort_key) > 0 OR position(:sought IN c.domain) > 0
           OR c.id IN (SELECT d.company_id FROM company_domains d
                       WHERE d.workspace_id = :workspace_id AND d.domain >= :sought AND d.domain < :sought || '~'))
""")

# The next companies in order, each with its leads as far as they are counted.
_LIST = sql("""
SELECT {columns}, counted.leads
FROM (
    SELECT c.* FROM companies c
    WHERE {matches} AND (:status::text IS NULL OR c.status = :status)
      AND (:after_id::uuid IS NULL OR {after})
    ORDER BY {order} LIMIT :limit
) c CROSS JOIN LATERAL (
    SELECT count(*) AS leads FROM (
        SELECT FROM company_leads k JOIN leads l ON l.workspace_id = k.workspace_id AND l.id = k.lead_id
        WHERE k.workspace_id = c.workspace_id AND k.company_id = c.id AND l.deleted_at IS NULL LIMIT :counted
    ) found
) counted
ORDER BY {order}
""")

# For each order: the companies after a position, and the columns.
_ORDERS: Final[dict[CompanySort, tuple[Sql, Sql]]] = {
    CompanySort.NAME: (sql("(c.sort_key, c.id) > (:after_key, :after_id)"), sql("c.sort_key, c.id")),
    CompanySort.NAME_DESCENDING: (
        sql("(c.sort_key, c.id) < (:after_key, :after_id)"),
        sql("c.sort_key DESC, c.id DESC"),
    ),
    CompanySort.OLDEST: (sql("c.id > :after_id"), sql("c.id")),
    CompanySort.NEWEST: (sql("c.id < :after_id"), sql("c.id DESC")),
}
_LISTS: Final = {
    sort: assemble(_LIST, columns=_COLUMNS, matches=MATCHES, after=after, order=order)
    for sort, (after, order) in _ORDERS.items()
}
_BY_NAME: Final = frozenset({CompanySort.NAME, CompanySort.NAME_DESCENDING})

# The domains of a company, the main one first.
_DOMAINS = sql("""
SELECT d.domain, d.domain = c.domain AS main, d.source, d.evidence, d.added_at
FROM company_domains d JOIN companies c ON c.workspace_id = d.workspace_id AND c.id = d.company_id
WHERE d.workspace_id = :workspace_id AND d.company_id = :company_id ORDER BY main DESC, d.added_at, d.domain
""")

# All domains of companies, by company.
_DOMAINS_OF = sql("""
SELECT company_id, array_agg(domain ORDER BY domain) AS domains FROM company_domains
WHERE workspace_id = :workspace_id AND company_id = ANY (:company_ids::uuid[]) GROUP BY company_id
""")

# The companies that have these domains, in any state.
_OWNERS = sql("""
SELECT d.domain, c.id, c.deleted_at FROM company_domains d
JOIN companies c ON c.workspace_id = d.workspace_id AND c.id = d.company_id
WHERE d.workspace_id = :workspace_id AND d.domain = ANY (:domains::text[])
""")

# The main domains of active companies.
_MAIN_DOMAINS = sql("""
SELECT id, domain FROM companies
WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[]) AND deleted_at IS NULL AND merged_into IS NULL
""")

# Whether a person separated two companies: by the undo of a merge, or by a split.
_SEPARATED = sql("""
SELECT EXISTS (SELECT FROM company_merges
               WHERE workspace_id = :workspace_id AND company_id = ANY (:company_ids::uuid[])
                 AND other_id = ANY (:company_ids::uuid[]) AND (kind = 'split') = (undone_at IS NULL))
""")

# The companies of leads.
_OF_LEADS = sql("""
SELECT k.lead_id, k.how AS source, k.pinned, c.id, c.name, c.domain
FROM company_leads k
LEFT JOIN companies c ON c.workspace_id = k.workspace_id AND c.id = k.company_id AND c.deleted_at IS NULL
WHERE k.workspace_id = :workspace_id AND k.lead_id = ANY (:lead_ids::uuid[])
""")

# A company with those that were merged into it, the nearest first.
_PARTS = sql("""
WITH RECURSIVE parts (id, depth) AS (
    SELECT :company_id::uuid, 0
    UNION
    SELECT c.id, parts.depth + 1 FROM parts
    JOIN companies c ON c.workspace_id = :workspace_id AND c.merged_into = parts.id
)
SELECT id FROM parts ORDER BY depth, id LIMIT :limit
""")

# The latest merges and splits of a company.
_MERGES = sql("""
SELECT m.id, m.kind, m.company_id, m.other_id, coalesce(o.name, o.domain) AS other_title, m.domains, m.created_at,
       m.undone_at
FROM company_merges m JOIN companies o ON o.workspace_id = m.workspace_id AND o.id = m.other_id
WHERE m.workspace_id = :workspace_id AND m.company_id = :company_id AND (:after::uuid IS NULL OR m.id < :after)
ORDER BY m.id DESC LIMIT :limit
""")

# One merge or split.
_MERGE = sql("""
SELECT m.id, m.kind, m.company_id, m.other_id, coalesce(o.name, o.domain) AS other_title, m.domains, m.created_at,
       m.undone_at
FROM company_merges m JOIN companies o ON o.workspace_id = m.workspace_id AND o.id = m.other_id
WHERE m.workspace_id = :workspace_id AND m.id = :merge_id
""")


@dataclass(frozen=True, slots=True)
class DomainOwner:
    """The company of a domain, and whether it is deleted."""

    company_id: UUID
    deleted: bool


async def get_company(tx: Transaction, actor: Actor, *, company_id: UUID) -> CompanyView:
    """Raises: CompanyNotFound: also for a deleted company, and with `mergedInto` for a merged one."""
    row = await tx.first(_COMPANY, {"workspace_id": actor.workspace_id, "company_id": company_id})
    if row is None or row.deleted_at is not None:
        raise CompanyNotFound
    if row.merged_into is not None:
        raise CompanyNotFound(row.merged_into)
    return _view(row)


async def list_companies(
    tx: Transaction,
    actor: Actor,
    *,
    q: str | None = None,
    status: CompanyStatus | None = None,
    sort: CompanySort = CompanySort.NAME,
    after: Position | None = None,
    limit: int,
) -> Page[CompanyView]:
    """The active companies of the workspace, each with the number of its leads.

    `q`: part of the name or main domain, or the start of another domain, ignoring case and accents.
    """
    values: dict[str, Any] = {
        "workspace_id": actor.workspace_id,
        "status": status,
        "sought": sought(q),
        "after_key": after.value if after else None,
        "after_id": after.id if after else None,
        "limit": limit + 1,
        "counted": MAX_COUNT + 1,
    }
    rows = await tx.all(_LISTS[sort], values)
    by_name = sort in _BY_NAME
    page = cut(rows, limit, lambda row: Position.at(row.sort_key if by_name else row.id, row.id))
    return page.map(lambda row: _view(row, Count.up_to(MAX_COUNT, row.leads)))


def sought(q: str | None) -> str | None:
    """The parameter of `MATCHES` for a search; None: all."""
    return search_key(q) or None if q else None


async def domains_of(tx: Transaction, actor: Actor, *, company_id: UUID) -> CompanyDomains:
    """The domains of a company, the main one first. Raises: CompanyNotFound."""
    await get_company(tx, actor, company_id=company_id)
    rows = await tx.all(_DOMAINS, {"workspace_id": actor.workspace_id, "company_id": company_id})
    return CompanyDomains(items=[CompanyDomainView(**dict(row)) for row in rows])


async def domains_of_companies(tx: Transaction, actor: Actor, company_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """All domains of companies."""
    rows = await tx.all(_DOMAINS_OF, {"workspace_id": actor.workspace_id, "company_ids": list(company_ids)})
    return {row.company_id: list(row.domains) for row in rows}


async def owners_of(tx: Transaction, workspace_id: UUID, domains: Collection[str]) -> dict[str, DomainOwner]:
    """The company of each domain that has one."""
    rows = await tx.all(_OWNERS, {"workspace_id": workspace_id, "domains": sorted(domains)})
    return {row.domain: DomainOwner(row.id, row.deleted_at is not None) for row in rows}


async def were_separated(tx: Transaction, workspace_id: UUID, company_ids: Sequence[UUID]) -> bool:
    """Whether a person separated two companies, which then are none until a person merges them."""
    return bool(await tx.scalar(_SEPARATED, {"workspace_id": workspace_id, "company_ids": list(company_ids)}))


async def main_domains(tx: Transaction, workspace_id: UUID, company_ids: Collection[UUID]) -> dict[UUID, str]:
    """The main domains of those of the companies that are active, by ID."""
    rows = await tx.all(_MAIN_DOMAINS, {"workspace_id": workspace_id, "ids": list(company_ids)})
    return {row.id: row.domain for row in rows}


async def companies_of_leads(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> dict[UUID, CompanyRef]:
    """The companies of many leads; leads without one are left out."""
    rows = await tx.all(_OF_LEADS, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)})
    return {row.lead_id: _ref(row) for row in rows if row.id is not None}


async def company_of_lead(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadCompany:
    """The company of a lead. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    row = await tx.first(_OF_LEADS, {"workspace_id": actor.workspace_id, "lead_ids": [lead_id]})
    if row is None:
        return LeadCompany(company=None, pinned=False)
    return LeadCompany(company=_ref(row) if row.id is not None else None, pinned=row.pinned)


async def list_events(
    tx: Transaction, actor: Actor, *, company_id: UUID, after: Position | None = None, limit: int
) -> Page[CompanyEventView]:
    """The timeline of a company with those of the companies merged into it, newest first. Raises: CompanyNotFound."""
    await get_company(tx, actor, company_id=company_id)
    keys = {"workspace_id": actor.workspace_id, "company_id": company_id, "limit": _MAX_PARTS}
    company_ids = [row.id for row in await tx.all(_PARTS, keys)]
    page = await TIMELINE.entries(tx, actor, subject_ids=company_ids, after=after, limit=limit)
    return page.map(_entry_view)


async def list_merges(
    tx: Transaction, actor: Actor, *, company_id: UUID, after: Position | None = None, limit: int
) -> Page[CompanyMergeView]:
    """The merges and splits of a company, newest first. Raises: CompanyNotFound."""
    await get_company(tx, actor, company_id=company_id)
    keys = {"workspace_id": actor.workspace_id, "company_id": company_id}
    return (await page_by_id(tx, _MERGES, keys, after=after, limit=limit)).map(_merge_view)


async def get_merge(tx: Transaction, actor: Actor, *, merge_id: UUID) -> CompanyMergeView:
    """Raises: CompanyMergeNotFound."""
    row = await tx.first(_MERGE, {"workspace_id": actor.workspace_id, "merge_id": merge_id})
    if row is None:
        raise CompanyMergeNotFound
    return _merge_view(row)


def _view(row: Row, leads: Count | None = None) -> CompanyView:
    names = (name for name in CompanyView.model_fields if name != "leads")
    return CompanyView(**{name: row[name] for name in names}, leads=leads)


def _ref(row: Row) -> CompanyRef:
    return CompanyRef(id=row.id, name=row.name, domain=row.domain, source=row.source, pinned=row.pinned)


def _merge_view(row: Row) -> CompanyMergeView:
    return CompanyMergeView(**dict(row))


def _entry_view(entry: TimelineRecord) -> CompanyEventView:
    return CompanyEventView(
        id=entry.id,
        company_id=entry.subject_id,
        kind=entry.kind,
        at=entry.at,
        actor=ActorView(kind=entry.actor_kind, id=entry.actor_id),
        data=dict(entry.data),
    )
