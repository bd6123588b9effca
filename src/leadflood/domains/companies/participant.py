"""Data of companies about a lead."""

from typing import Final
from uuid import UUID

from leadflood.domains.companies import service, store
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging

_PIN: Final = "company"

# A company that is there only because of the person's leads, and of which only the domain is known. The domain finds
# one to which no job has linked the leads yet.
_OF_PERSON = sql("""
t.source = 'lead' AND t.name IS NULL AND (EXISTS (
    SELECT FROM company_leads own
    WHERE own.workspace_id = t.workspace_id AND own.company_id = t.id AND own.lead_id = ANY (:ids::uuid[]))
OR EXISTS (
    SELECT FROM leads l
    CROSS JOIN LATERAL (VALUES (split_part(l.email_norm, '@', 2)), (substring(l.website from '://([^/:?#]+)'))) h (host)
    WHERE l.workspace_id = t.workspace_id AND l.id = ANY (:ids::uuid[])
      AND right('.' || h.host, length(t.domain) + 1) = '.' || t.domain))
AND NOT EXISTS (
    SELECT FROM company_leads other
    WHERE other.workspace_id = t.workspace_id AND other.company_id = t.id AND other.lead_id <> ALL (:ids::uuid[]))
""")
_PLACES: Final = (
    Place(name="companies", table=sql("companies"), found=_OF_PERSON, record=None),
    Place(
        name="companyLeads",
        table=sql("company_leads"),
        found=sql("t.lead_id = ANY (:ids::uuid[])"),
        record=sql("""
jsonb_build_object('companyId', t.company_id, 'domain', t.domain, 'how', t.how, 'linkedAt', t.linked_at, 'name',
                   (SELECT name FROM companies WHERE workspace_id = t.workspace_id AND id = t.company_id))
"""),
    ),
)


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    """The survivor is linked by its own values afterwards; only what a person chose moves."""
    pinned = await store.copy_pin(tx, actor.workspace_id, from_lead=from_id, to_lead=to_id)
    await service.publish_linked(tx, actor, [to_id] if pinned else [])
    return [Reference(_PIN, new_id(), {"companyId": company_id and str(company_id)}) for company_id in pinned]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    for reference in unmerging.references:
        given = reference.before["companyId"]
        company_id = UUID(str(given)) if given else None
        unpinned = await store.unpin(tx, actor.workspace_id, unmerging.holders, company_id=company_id)
        await service.publish_linked(tx, actor, unpinned)
        await service.relink(tx, actor, lead_ids=unpinned)


PARTICIPANT = Participant(
    name="companies", subject=LEAD, places=_PLACES, kinds={_PIN: "companies"}, merge=_merge, unmerge=_unmerge
)
