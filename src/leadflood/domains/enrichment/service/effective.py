"""Keeps the found values of leads (`leadflood.domains.leads.service.found_values`) as the choices say.

A transaction that changes choices about leads, their links, or choices about a company with up to 500 leads brings
them up to date itself; a job does it for more leads, and for those that other transactions have locked. The order of
locks is leads, company. A transaction that has locked a company therefore waits for no lead.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from leadflood.domains.companies import service as companies
from leadflood.domains.companies.queries.links import members
from leadflood.domains.enrichment.events import REFRESH_COMPANY_LEADS, RefreshCompanyLeads
from leadflood.domains.enrichment.queries.effective import found_values
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.service import found_values as leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import NO_TRACE

CHUNK: Final = 500
"""Leads that are brought up to date in one transaction."""


async def refresh_leads(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> None:
    """Bring the found values of up to 500 leads up to date, deleted ones included. Locks them."""
    locked = await leads.lock_any(tx, actor, lead_ids=lead_ids)
    await _refresh(tx, actor, locked)


async def refresh_companies(
    tx: Transaction, actor: Actor, *, company_ids: Collection[UUID], trace: Mapping[str, str] = NO_TRACE
) -> None:
    """The same for the leads of companies whose facts, names or state this transaction changed: it has locked them."""
    if not company_ids:
        return
    sole = await companies.stop_links(tx, actor, company_ids=company_ids)
    wanted = await members(tx, actor, company_ids=company_ids, limit=CHUNK + 1)
    locked = await leads.lock_any(tx, actor, lead_ids=wanted, wait=False) if len(wanted) <= CHUNK else []
    await _refresh(tx, actor, locked)
    if not sole or len(locked) < len(wanted):
        later = [
            NewJob(REFRESH_COMPANY_LEADS, RefreshCompanyLeads(company_id=company_id), company_id, trace)
            for company_id in company_ids
        ]
        await jobs.enqueue(tx, actor, jobs=later)


async def refresh_members(tx: Transaction, actor: Actor, *, company_id: UUID, after_id: UUID | None) -> UUID | None:
    """The same for the next leads of a company by ID. Returns the last one; None at the end."""
    lead_ids = await members(tx, actor, company_ids=[company_id], after_id=after_id, limit=CHUNK)
    await refresh_leads(tx, actor, lead_ids=lead_ids)
    return lead_ids[-1] if len(lead_ids) == CHUNK else None


async def refresh_more(tx: Transaction, actor: Actor, *, after_id: UUID | None) -> UUID | None:
    """The same for the next leads of the workspace by ID."""
    lead_ids = await leads.next_any(tx, actor, after_id=after_id, limit=CHUNK)
    await refresh_leads(tx, actor, lead_ids=lead_ids)
    return lead_ids[-1] if len(lead_ids) == CHUNK else None


async def _refresh(tx: Transaction, actor: Actor, locked: Sequence[UUID]) -> None:
    if locked:
        await leads.set_found_values(tx, actor, found=await found_values(tx, actor, lead_ids=locked))
