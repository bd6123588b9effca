"""Verbs on companies."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from leadflood.domains.companies import queries, store
from leadflood.domains.companies.contracts import CompanyLink
from leadflood.domains.companies.events import COMPANY_CREATED, CompanyCreatedData, CompanyEventKind
from leadflood.domains.companies.models import CompanySource, CompanyStatus, company_key
from leadflood.domains.companies.timeline import TIMELINE
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event

MAX_LINKED: Final = 500
"""Leads that are linked together."""
_WALKED: Final = 2000
"""Leads that are compared together."""
_BEFORE: Final = {
    CompanyStatus.PROVISIONAL: frozenset[CompanyStatus](),
    CompanyStatus.KNOWN: frozenset({CompanyStatus.PROVISIONAL, CompanyStatus.GONE}),
    CompanyStatus.GONE: frozenset({CompanyStatus.PROVISIONAL, CompanyStatus.KNOWN}),
}
"""The states from which each state can be reached."""


async def ensure(tx: Transaction, actor: Actor, *, locked: Collection[LeadDetails]) -> dict[UUID, CompanyLink]:
    """Link leads to their companies, which are created where they are missing. Two statements, whatever the number.

    By the domain of the website, otherwise of the email, unless it is one of the public. Pinned leads keep their
    company. Idempotent. Writers that meet the same new domain create one company: the second waits for the first.

    `locked`: active leads that this transaction has locked, up to 500. Returns the company of each lead that has one
    which is not deleted.
    """
    keys = {lead.id: company_key(website=lead.website, email_norm=lead.email_norm) for lead in locked}
    domains = {key.domain for key in keys.values() if key}
    if domains:
        created = await store.create_missing(tx, actor.workspace_id, domains, CompanySource.LEAD)
        await record_created(tx, actor, created, CompanySource.LEAD)
    return await store.link(tx, actor.workspace_id, keys) if keys else {}


async def relink(tx: Transaction, actor: Actor, *, lead_ids: Collection[UUID]) -> dict[UUID, CompanyLink]:
    """Lock those of the leads that are active, up to 500, and `ensure` their companies."""
    locked = await leads.lock_leads(tx, actor, lead_ids=lead_ids)
    return await ensure(tx, actor, locked=locked.values())


async def relink_more(tx: Transaction, actor: Actor, *, batch: int = _WALKED) -> bool:
    """Link the next leads of the workspace whose link is missing or outdated. Returns whether there may be more.

    Continues where the last call ended, after the end from the start.
    """
    workspace_id = actor.workspace_id
    after_id = await store.progress(tx, workspace_id)
    found = await queries.linked_leads(tx, workspace_id, after_id=after_id, limit=batch)
    outdated = [
        lead.id
        for lead in found
        if not lead.pinned and company_key(website=lead.website, email_norm=lead.email_norm) != lead.key
    ]
    for start in range(0, len(outdated), MAX_LINKED):
        await relink(tx, actor, lead_ids=outdated[start : start + MAX_LINKED])
    more = len(found) == batch
    await store.set_progress(tx, workspace_id, found[-1].id if more else None)
    return more


async def set_status(
    tx: Transaction, actor: Actor, *, company_ids: Collection[UUID], status: CompanyStatus
) -> list[UUID]:
    """Record that companies are `known` or `gone`. Returns those that changed; others are so already."""
    return await store.transition(tx, actor.workspace_id, company_ids, expected=_BEFORE[status], status=status)


async def record_created(tx: Transaction, actor: Actor, company_ids: Sequence[UUID], source: CompanySource) -> None:
    """Record new companies in their timelines and as events."""
    if company_ids:
        entry = {"source": source}
        await TIMELINE.record(tx, actor, kind=CompanyEventKind.CREATED, entries=dict.fromkeys(company_ids, entry))
        data = CompanyCreatedData(source=source)
        await publish(tx, COMPANY_CREATED, [Event(company_id, data, actor) for company_id in company_ids])
