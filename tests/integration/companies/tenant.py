"""Companies for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.companies import service, store
from leadflood.domains.companies.contracts import ChooseCompany, CompanyDomain, CreateCompany, SplitCompany
from leadflood.domains.companies.service import domains, lead_links, merges
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id

SEARCHED = ("companies", "company_leads")
APPEND_ONLY = ("company_events",)
WITHOUT_PERSONAL_DATA = {
    "company_domains": "domains of organizations; deleted with a company that only one person's leads had",
    "company_events": "IDs and domains of organizations, deleted with them",
    "company_link_progress": "the position of a job",
    "company_merges": "IDs and domains of organizations, and IDs of leads, removed after the retention period",
}
BODY_REFUSALS = {
    ("mergeCompany", "otherId"): (400, "unknown_company"),
    ("chooseCompany", "companyId"): (400, "unknown_company"),
}


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """A company with a lead, another company that was split off it, and a job that was interrupted."""
    first, second = (f"{new_id().hex}.com" for _ in range(2))
    async with database.transaction(actor.workspace_id) as tx:
        command = CreateCompany.model_validate({"domain": first})
        company_id = (await service.create_company(tx, actor, command=command)).id
        chosen = ChooseCompany.model_validate({"companyId": str(company_id)})
        await lead_links.choose_company(tx, actor, lead_id=ids["leads"], command=chosen)
        other = CompanyDomain.model_validate({"domain": second})
        await domains.add_domain(tx, actor, company_id=company_id, command=other)
        split = SplitCompany.model_validate({"domains": [second]})
        made = await merges.split_company(tx, actor, company_id=company_id, command=split)
        await store.set_progress(tx, actor.workspace_id, ids["leads"])
    return {"companies": company_id, "company-merges": made.id}
