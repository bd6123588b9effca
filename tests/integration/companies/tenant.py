"""Companies for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.companies import service, store
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database

SEARCHED = ("companies", "company_leads")
APPEND_ONLY = ("company_events",)
WITHOUT_PERSONAL_DATA = {
    "company_domains": "domains of organizations; deleted with a company that only one person's leads had",
    "company_events": "IDs and domains of organizations, deleted with them",
    "company_link_progress": "the position of a job",
}


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Link a lead of its own."""
    command = CreateLead.model_validate({"email": "linked@initech.com"})
    async with database.transaction(actor.workspace_id) as tx:
        lead_id = (await leads.create_lead(tx, actor, command=command, trace={})).lead_id
        linked = await service.relink(tx, actor, lead_ids=[lead_id])
        await store.set_progress(tx, actor.workspace_id, lead_id)
    return {"companies": linked[lead_id].company_id}
