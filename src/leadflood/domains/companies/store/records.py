"""SQL that writes single companies, their domains, and the links that a person chose."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from leadflood.domains.companies.models import CompanySource, company_sort_key
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Give names to companies that have none.
_NAME = sql("""
UPDATE companies c SET name = n.name, sort_key = n.sort_key, version = version + 1, updated_at = now()
FROM unnest(:company_ids::uuid[], :names::text[], :sort_keys::text[]) AS n (id, name, sort_key)
WHERE c.workspace_id = :workspace_id AND c.id = n.id AND c.name IS NULL
RETURNING c.id
""")

# Change name and main domain of a company.
_UPDATE = sql("""
UPDATE companies SET name = :name, domain = :domain, sort_key = :sort_key, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :company_id AND version = :expected_version
  AND deleted_at IS NULL AND merged_into IS NULL
""")

# Count a change of its domains as a change of the company.
_TOUCH = sql("""
UPDATE companies SET version = version + 1, updated_at = now() WHERE workspace_id = :workspace_id AND id = :company_id
""")

# Delete or restore a company.
_SET_DELETED = sql("""
UPDATE companies SET deleted_at = CASE WHEN :deleted THEN now() END, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :company_id AND (deleted_at IS NOT NULL) <> :deleted
""")

# Add a domain that no company has.
_ADD_DOMAIN = sql("""
INSERT INTO company_domains (workspace_id, domain, company_id, source, evidence)
VALUES (:workspace_id, :domain, :company_id, :source, :evidence) ON CONFLICT DO NOTHING
""")

# Say why a company has a domain.
_SET_EVIDENCE = sql("""
UPDATE company_domains SET evidence = :evidence
WHERE workspace_id = :workspace_id AND company_id = :company_id AND domain = :domain
""")

# Remove a domain by which no lead belongs to the company.
_REMOVE_DOMAIN = sql("""
DELETE FROM company_domains d
WHERE workspace_id = :workspace_id AND company_id = :company_id AND domain = :domain
  AND NOT EXISTS (SELECT FROM company_leads l WHERE l.workspace_id = d.workspace_id AND l.company_id = d.company_id
                  AND l.domain = d.domain AND NOT l.pinned)
""")

# Link leads to a company, or to none, as a person says.
_PIN = sql("""
INSERT INTO company_leads AS l (workspace_id, lead_id, company_id, domain, how, pinned)
SELECT :workspace_id, lead_id, :company_id, NULL, 'manual', true FROM unnest(:lead_ids::uuid[]) AS g (lead_id)
ORDER BY lead_id
ON CONFLICT (workspace_id, lead_id) DO UPDATE
SET company_id = excluded.company_id, domain = NULL, how = 'manual', pinned = true, linked_at = now()
WHERE NOT l.pinned OR l.company_id IS DISTINCT FROM excluded.company_id
RETURNING lead_id
""")

# Remove the links that a person chose.
_CLEAR = sql("""
DELETE FROM company_leads
WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[]) AND pinned RETURNING lead_id
""")


async def name_unnamed(tx: Transaction, workspace_id: UUID, named: Mapping[UUID, tuple[str, str]]) -> list[UUID]:
    """Give companies without a name theirs. `named`: name and main domain by ID. Returns those that had none."""
    keys = [company_sort_key(name, domain) for name, domain in named.values()]
    values = {"company_ids": list(named), "names": [name for name, _ in named.values()], "sort_keys": keys}
    return [row.id for row in await tx.all(_NAME, {"workspace_id": workspace_id, **values})]


async def update(
    tx: Transaction, workspace_id: UUID, company_id: UUID, *, expected_version: int, name: str | None, domain: str
) -> bool:
    """Change a company at the expected version."""
    values = {"name": name, "domain": domain, "sort_key": company_sort_key(name, domain)}
    keys = {"workspace_id": workspace_id, "company_id": company_id, "expected_version": expected_version}
    return await tx.changed(_UPDATE, {**keys, **values}) == 1


async def touch(tx: Transaction, workspace_id: UUID, company_id: UUID) -> None:
    """Count a change of the domains of a locked company."""
    await tx.execute(_TOUCH, {"workspace_id": workspace_id, "company_id": company_id})


async def set_deleted(tx: Transaction, workspace_id: UUID, company_id: UUID, *, deleted: bool) -> bool:
    """Delete or restore a company."""
    values = {"workspace_id": workspace_id, "company_id": company_id, "deleted": deleted}
    return await tx.changed(_SET_DELETED, values) == 1


async def add_domain(
    tx: Transaction,
    workspace_id: UUID,
    company_id: UUID,
    domain: str,
    source: CompanySource,
    evidence: str | None = None,
) -> bool:
    """Add a domain to a company; False if a company has it. Waits for others that add it."""
    named = {"workspace_id": workspace_id, "company_id": company_id}
    values = {"domain": domain, "source": source, "evidence": evidence}
    return await tx.changed(_ADD_DOMAIN, {**named, **values}) == 1


async def set_evidence(tx: Transaction, workspace_id: UUID, company_id: UUID, domain: str, evidence: str) -> bool:
    """Say why a company has a domain; False if it does not have it."""
    named = {"workspace_id": workspace_id, "company_id": company_id}
    return await tx.changed(_SET_EVIDENCE, {**named, "domain": domain, "evidence": evidence}) == 1


async def remove_domain(tx: Transaction, workspace_id: UUID, company_id: UUID, domain: str) -> bool:
    """Remove a domain from a company; False if it does not have it, or leads belong to it by this domain."""
    values = {"workspace_id": workspace_id, "company_id": company_id, "domain": domain}
    return await tx.changed(_REMOVE_DOMAIN, values) == 1


async def pin(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID], company_id: UUID | None) -> list[UUID]:
    """Link locked leads to a company; None: to no company. Returns those that changed."""
    values = {"workspace_id": workspace_id, "lead_ids": list(lead_ids), "company_id": company_id}
    return [row.lead_id for row in await tx.all(_PIN, values)]


async def clear_pins(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> list[UUID]:
    """Remove the links of locked leads that a person chose. Returns those that had one."""
    rows = await tx.all(_CLEAR, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return [row.lead_id for row in rows]
