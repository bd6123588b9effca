"""Companies of leads as a person chooses them."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.companies import queries
from leadflood.domains.companies.contracts import ChooseCompany, LeadCompany
from leadflood.domains.companies.errors import CompanyNotFound, UnknownCompany
from leadflood.domains.companies.events import COMPANY_CHOSEN_KIND, CompanyAuditAction
from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.companies.service import ensure, lock_active, publish_linked
from leadflood.domains.companies.store import records
from leadflood.domains.identity.service import audit
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def choose_company(tx: Transaction, actor: Actor, *, lead_id: UUID, command: ChooseCompany) -> LeadCompany:
    """Let a lead belong to a company, or to none, whatever its website and email are.

    Raises: leadflood.domains.leads.errors.LeadNotFound, UnknownCompany.
    """
    actor.require(COMPANIES_WRITE)
    if not await leads.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        raise LeadNotFound
    title = None
    if command.company_id is not None:
        try:
            stored = await lock_active(tx, actor, command.company_id)
        except CompanyNotFound as error:
            raise UnknownCompany("/companyId") from error
        title = stored.name or stored.domain
    if await records.pin(tx, actor.workspace_id, [lead_id], command.company_id):
        await publish_linked(tx, actor, [lead_id])
        await _record(tx, actor, [lead_id], command.company_id, title)
    return await queries.company_of_lead(tx, actor, lead_id=lead_id)


async def reset_company(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadCompany:
    """Let the website and email of a lead decide again. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    actor.require(COMPANIES_WRITE)
    locked = await leads.lock_leads(tx, actor, lead_ids=[lead_id])
    if not locked:
        raise LeadNotFound
    if await records.clear_pins(tx, actor.workspace_id, [lead_id]):
        await ensure(tx, actor, locked=locked.values())
        await publish_linked(tx, actor, [lead_id])
        found = (await queries.company_of_lead(tx, actor, lead_id=lead_id)).company
        await _record(tx, actor, [lead_id], found.id if found else None, found.title if found else None)
    return await queries.company_of_lead(tx, actor, lead_id=lead_id)


async def _record(
    tx: Transaction, actor: Actor, lead_ids: Sequence[UUID], company_id: UUID | None, title: str | None
) -> None:
    entry: dict[str, JsonValue] = {"companyId": None if company_id is None else str(company_id), "company": title}
    await leads.add_to_timelines(tx, actor, lead_ids=lead_ids, kind=COMPANY_CHOSEN_KIND, data=entry)
    data: dict[str, JsonValue] = {"count": len(lead_ids), "companyId": entry["companyId"]}
    await audit.record(
        tx, actor, action=CompanyAuditAction.LEADS_LINKED, subject_type=LEAD, subject_id=lead_ids[0], data=data
    )
