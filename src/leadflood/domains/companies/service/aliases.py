"""Domains that sources found to belong to one company."""

from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.companies import queries
from leadflood.domains.companies.contracts import MergeCompany
from leadflood.domains.companies.errors import CompanyNotFound, TooManyDomains, UnknownCompany
from leadflood.domains.companies.events import CompanyAuditAction, CompanyEventKind
from leadflood.domains.companies.models import MAX_DOMAINS, CompanySource
from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.companies.service import lock_active, record_change
from leadflood.domains.companies.service.merges import merge_companies
from leadflood.domains.companies.store import merging, records
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed


@dataclass(frozen=True, slots=True)
class FoundAlias:
    """Two domains that belong to one company.

    Attributes:
        domain: the main one of the company about which it was found.
        target: the other one, at which the company is.
        evidence: why, as a sentence.
    """

    domain: str
    target: str
    evidence: str


async def join_found(tx: Transaction, actor: Actor, *, company_id: UUID, alias: FoundAlias) -> bool:
    """Make the company and that of the other domain one, which can be undone like any merge.

    If no company has the other domain, this company gets it. Returns whether anything changed: not if either is deleted
    or has too many domains, the company now has another main domain, or a person separated the two.
    """
    actor.require(COMPANIES_WRITE)
    owner = (await queries.owners_of(tx, actor.workspace_id, [alias.target])).get(alias.target)
    try:
        if owner is None:
            return await _add(tx, actor, company_id, alias)
        company = await queries.get_company(tx, actor, company_id=company_id)
        pair = [company_id, owner.company_id]
        if owner.company_id == company_id or owner.deleted or company.domain != alias.domain:
            return False
        if await queries.were_separated(tx, actor.workspace_id, pair):
            return False
        merge = MergeCompany.model_validate({"otherId": str(company_id)})
        await merge_companies(tx, actor, company_id=owner.company_id, command=merge)
    except (CompanyNotFound, UnknownCompany, TooManyDomains):
        return False
    expect_changed(await records.set_evidence(tx, actor.workspace_id, owner.company_id, alias.domain, alias.evidence))
    return True


async def _add(tx: Transaction, actor: Actor, company_id: UUID, alias: FoundAlias) -> bool:
    """Add the domain. Raises: CompanyNotFound."""
    company = await lock_active(tx, actor, company_id)
    has = await merging.lock_domains(tx, actor.workspace_id, company_id)
    if company.domain != alias.domain or len(has) >= MAX_DOMAINS:
        return False
    if not await records.add_domain(
        tx, actor.workspace_id, company_id, alias.target, CompanySource.EVIDENCE, alias.evidence
    ):
        return False
    await records.touch(tx, actor.workspace_id, company_id)
    added = {"domain": alias.target, "evidence": alias.evidence}
    await record_change(tx, actor, company_id, CompanyEventKind.DOMAIN_ADDED, CompanyAuditAction.DOMAIN_ADDED, added)
    return True
