"""SQL that reads the links of leads, for the job that corrects them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.companies.models import CompanyKey, LinkSource, company_key
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The next leads by ID, each with the domain that links it.
_LINKS = sql("""
SELECT l.id, l.email_norm, l.website, k.domain, k.how, coalesce(k.pinned, false) AS pinned
FROM leads l LEFT JOIN company_leads k ON k.workspace_id = l.workspace_id AND k.lead_id = l.id
WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NULL AND (:after_id::uuid IS NULL OR l.id > :after_id)
ORDER BY l.id LIMIT :limit
""")

# The active companies to which leads will be linked: those that a person chose, otherwise those of their domains.
# `known` is false for a domain that no company has yet.
_FUTURE = sql("""
SELECT g.lead_id, c.id, c.domain, pin.lead_id IS NOT NULL OR d.domain IS NOT NULL AS known
FROM unnest(:lead_ids::uuid[], :domains::text[]) AS g (lead_id, domain)
LEFT JOIN company_domains d ON d.workspace_id = :workspace_id AND d.domain = g.domain
LEFT JOIN company_leads pin ON pin.workspace_id = :workspace_id AND pin.lead_id = g.lead_id AND pin.pinned
LEFT JOIN companies c ON c.workspace_id = :workspace_id AND c.deleted_at IS NULL AND c.merged_into IS NULL
    AND c.id = CASE WHEN pin.lead_id IS NULL THEN d.company_id ELSE pin.company_id END
WHERE pin.lead_id IS NOT NULL OR g.domain IS NOT NULL
""")

# The next leads of companies by ID, deleted ones included.
_MEMBERS = sql("""
SELECT lead_id FROM company_leads
WHERE workspace_id = :workspace_id AND company_id = ANY (:company_ids::uuid[])
  AND (:after_id::uuid IS NULL OR lead_id > :after_id)
ORDER BY lead_id LIMIT :limit
""")

# Workspaces with leads.
_WORKSPACES = sql("""
SELECT id FROM workspaces w WHERE EXISTS (SELECT FROM leads l WHERE l.workspace_id = w.id) ORDER BY id
""")


@dataclass(frozen=True, slots=True)
class LinkedLead:
    """A lead with what links it to a company. `key`: of its present link."""

    id: UUID
    email_norm: str
    website: str | None
    key: CompanyKey | None
    pinned: bool


@dataclass(frozen=True, slots=True)
class FutureCompany:
    """The company to which a lead will be linked. `id`, `domain`: None for one that does not exist yet."""

    id: UUID | None
    domain: str | None


async def future_companies(
    tx: Transaction, actor: Actor, *, leads: Collection[LeadDetails]
) -> dict[UUID, FutureCompany]:
    """The companies to which leads will be linked, without linking them. Leads of none are left out."""
    keys = {lead.id: company_key(website=lead.website, email_norm=lead.email_norm) for lead in leads}
    values = {"lead_ids": list(keys), "domains": [key and key.domain for key in keys.values()]}
    rows = await tx.all(_FUTURE, {"workspace_id": actor.workspace_id, **values})
    return {row.lead_id: FutureCompany(row.id, row.domain) for row in rows if row.id is not None or not row.known}


async def linked_leads(
    tx: Transaction, workspace_id: UUID, *, after_id: UUID | None, limit: int
) -> Sequence[LinkedLead]:
    """The next active leads of a workspace by ID, with their links."""
    rows = await tx.all(_LINKS, {"workspace_id": workspace_id, "after_id": after_id, "limit": limit})
    return [
        LinkedLead(
            row.id,
            row.email_norm,
            row.website,
            CompanyKey(row.domain, LinkSource(row.how)) if row.domain else None,
            row.pinned,
        )
        for row in rows
    ]


async def members(
    tx: Transaction, actor: Actor, *, company_ids: Collection[UUID], after_id: UUID | None = None, limit: int
) -> list[UUID]:
    """The next leads of companies, in any state, by ID."""
    values = {"company_ids": list(company_ids), "after_id": after_id, "limit": limit}
    return [row.lead_id for row in await tx.all(_MEMBERS, {"workspace_id": actor.workspace_id, **values})]


async def workspaces_with_leads(tx: Transaction) -> list[UUID]:
    """All workspaces that have leads. Needs a transaction across workspaces."""
    return [row.id for row in await tx.all(_WORKSPACES)]
