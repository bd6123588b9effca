"""SQL that writes companies and the links of leads."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.companies.contracts import CompanyLink, LinkedLeads
from leadflood.domains.companies.models import CompanyKey, CompanySource, CompanyStatus
from leadflood.kernel.db.sql import sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

CREATE = sql_file("leadflood.domains.companies.sql", "create")
LINK = sql_file("leadflood.domains.companies.sql", "link")

# Change the status of companies from one of the expected ones.
_TRANSITION = sql("""
UPDATE companies SET status = :status, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = ANY (:company_ids::uuid[]) AND status = ANY (:expected::text[])
RETURNING id
""")

# Position of the job that links the leads of a workspace.
_PROGRESS = sql("SELECT after_id FROM company_link_progress WHERE workspace_id = :workspace_id")

# Store its position.
_SET_PROGRESS = sql("""
INSERT INTO company_link_progress (workspace_id, after_id) VALUES (:workspace_id, :after_id)
ON CONFLICT (workspace_id) DO UPDATE SET after_id = excluded.after_id, updated_at = now()
""")

# It has come to the end.
_CLEAR_PROGRESS = sql("DELETE FROM company_link_progress WHERE workspace_id = :workspace_id")

# The pin of one lead, for another lead that has none.
_COPY_PIN = sql("""
INSERT INTO company_leads AS l (workspace_id, lead_id, company_id, domain, how, pinned)
SELECT workspace_id, :to_lead::uuid, company_id, domain, how, true FROM company_leads
WHERE workspace_id = :workspace_id AND lead_id = :from_lead AND pinned
ON CONFLICT (workspace_id, lead_id) DO UPDATE
SET company_id = excluded.company_id, domain = excluded.domain, how = excluded.how, pinned = true, linked_at = now()
WHERE NOT l.pinned
RETURNING company_id
""")

# Unpin leads that still have the company.
_UNPIN = sql("""
DELETE FROM company_leads
WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[]) AND pinned
  AND company_id IS NOT DISTINCT FROM :company_id
RETURNING lead_id
""")


async def create_missing(
    tx: Transaction, workspace_id: UUID, domains: Collection[str], source: CompanySource
) -> list[UUID]:
    """Create a company for each of the domains that none has. Returns the new ones."""
    ordered = sorted(domains)
    values = {"domains": ordered, "ids": [new_id() for _ in ordered], "source": source}
    return [row.id for row in await tx.all(CREATE, {"workspace_id": workspace_id, **values})]


async def link(tx: Transaction, workspace_id: UUID, keys: Mapping[UUID, CompanyKey | None]) -> LinkedLeads:
    """Link locked leads by domain, unless they are pinned. Returns their active companies."""
    values: dict[str, Any] = {
        "lead_ids": list(keys),
        "domains": [key and key.domain for key in keys.values()],
        "hows": [key and key.source for key in keys.values()],
        "wanted": sorted({key.domain for key in keys.values() if key}),
    }
    rows = await tx.all(LINK, {"workspace_id": workspace_id, **values})
    links = {
        row.lead_id: CompanyLink(row.company_id, row.domain, row.pinned, row.named)
        for row in rows
        if row.company_id is not None
    }
    changed = [row.lead_id for row in rows if row.changed]
    return LinkedLeads(links, changed, [row.lead_id for row in rows if row.changed and row.linked_before])


async def transition(
    tx: Transaction,
    workspace_id: UUID,
    company_ids: Collection[UUID],
    *,
    expected: Collection[CompanyStatus],
    status: CompanyStatus,
) -> list[UUID]:
    """Change the status of companies that have one of the expected ones. Returns those that changed."""
    values = {"company_ids": sorted(company_ids), "expected": sorted(expected), "status": status}
    return [row.id for row in await tx.all(_TRANSITION, {"workspace_id": workspace_id, **values})]


async def progress(tx: Transaction, workspace_id: UUID) -> UUID | None:
    """The last lead that the job which links all of them has seen; None before the first."""
    found: UUID | None = await tx.scalar(_PROGRESS, {"workspace_id": workspace_id})
    return found


async def set_progress(tx: Transaction, workspace_id: UUID, after_id: UUID | None) -> None:
    """Store the last lead seen; None at the end."""
    values = {"workspace_id": workspace_id, "after_id": after_id}
    await tx.execute(_CLEAR_PROGRESS if after_id is None else _SET_PROGRESS, values)


async def copy_pin(tx: Transaction, workspace_id: UUID, *, from_lead: UUID, to_lead: UUID) -> list[UUID | None]:
    """Pin one lead to the company that another is pinned to. Returns the company, if the lead had no pin of its own."""
    values = {"workspace_id": workspace_id, "from_lead": from_lead, "to_lead": to_lead}
    return [row.company_id for row in await tx.all(_COPY_PIN, values)]


async def unpin(
    tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID], *, company_id: UUID | None
) -> list[UUID]:
    """Remove the pins of leads to this company. Returns those that had it."""
    values = {"workspace_id": workspace_id, "lead_ids": list(lead_ids), "company_id": company_id}
    return [row.lead_id for row in await tx.all(_UNPIN, values)]
