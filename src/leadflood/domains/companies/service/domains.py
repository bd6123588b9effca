"""Domains of a company."""

from uuid import UUID

from leadflood.domains.companies import queries
from leadflood.domains.companies.contracts import CompanyDomain, CompanyDomains
from leadflood.domains.companies.errors import DomainInUse, DuplicateCompany, TooManyDomains, UnknownDomain
from leadflood.domains.companies.events import CompanyAuditAction, CompanyEventKind
from leadflood.domains.companies.models import MAX_DOMAINS, CompanySource
from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.companies.service import lock_active, record_change
from leadflood.domains.companies.store import merging, records
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def add_domain(tx: Transaction, actor: Actor, *, company_id: UUID, command: CompanyDomain) -> CompanyDomains:
    """Add a domain to a company; one that it has already changes nothing. Returns all of them.

    Raises: CompanyNotFound, TooManyDomains, DuplicateCompany: another company has it; merge the two instead.
    """
    actor.require(COMPANIES_WRITE)
    await lock_active(tx, actor, company_id)
    has = await merging.lock_domains(tx, actor.workspace_id, company_id)
    if command.domain not in has:
        if len(has) >= MAX_DOMAINS:
            raise TooManyDomains(MAX_DOMAINS)
        if not await records.add_domain(tx, actor.workspace_id, company_id, command.domain, CompanySource.PERSON):
            owner = (await queries.owners_of(tx, actor.workspace_id, [command.domain]))[command.domain]
            raise DuplicateCompany(command.domain, owner.company_id, deleted=owner.deleted)
        await _record(tx, actor, company_id, command.domain, added=True)
    return await queries.domains_of(tx, actor, company_id=company_id)


async def remove_domain(tx: Transaction, actor: Actor, *, company_id: UUID, command: CompanyDomain) -> CompanyDomains:
    """Remove a domain by which no lead belongs to the company. Returns the remaining ones.

    Raises: CompanyNotFound, UnknownDomain, DomainInUse: it is the main one, or leads belong to the company by it.
    """
    actor.require(COMPANIES_WRITE)
    stored = await lock_active(tx, actor, company_id)
    if command.domain not in await merging.lock_domains(tx, actor.workspace_id, company_id):
        raise UnknownDomain("/domain")
    if command.domain == stored.domain:
        raise DomainInUse(f"{command.domain} is the main domain of the company.")
    if not await records.remove_domain(tx, actor.workspace_id, company_id, command.domain):
        raise DomainInUse(f"Leads belong to the company by the domain {command.domain}.")
    await _record(tx, actor, company_id, command.domain, added=False)
    return await queries.domains_of(tx, actor, company_id=company_id)


async def _record(tx: Transaction, actor: Actor, company_id: UUID, domain: str, *, added: bool) -> None:
    await records.touch(tx, actor.workspace_id, company_id)
    kind = CompanyEventKind.DOMAIN_ADDED if added else CompanyEventKind.DOMAIN_REMOVED
    action = CompanyAuditAction.DOMAIN_ADDED if added else CompanyAuditAction.DOMAIN_REMOVED
    await record_change(tx, actor, company_id, kind, action, {"domain": domain})
