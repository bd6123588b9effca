"""SQL that reads the links of leads, for the job that corrects them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.companies.models import CompanyKey, LinkSource
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The next leads by ID, each with the domain that links it.
_LINKS = sql("""
SELECT l.id, l.email_norm, l.website, k.domain, k.how, coalesce(k.pinned, false) AS pinned
FROM leads l LEFT JOIN company_leads k ON k.workspace_id = l.workspace_id AND k.lead_id = l.id
WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NULL AND (:after_id::uuid IS NULL OR l.id > :after_id)
ORDER BY l.id LIMIT :limit
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


async def workspaces_with_leads(tx: Transaction) -> list[UUID]:
    """All workspaces that have leads. Needs a transaction across workspaces."""
    return [row.id for row in await tx.all(_WORKSPACES)]
