"""Extension of leads by companies: a related field, a panel and filters."""

from typing import Any, Final
from uuid import UUID

from leadflood.domains.companies import queries
from leadflood.domains.companies.contracts import CompanyRef
from leadflood.domains.companies.extensions import COMPANY_EXTENSIONS, FOUND_NAME
from leadflood.domains.companies.permissions import COMPANIES_READ
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import Extension, Panel, RelatedField
from leadflood.kernel.filters import Column, FilterField, Kind, Relation

_LINKED: Final = Relation(
    "active_company_leads",
    sql("""
EXISTS (SELECT FROM active_company_leads related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
)
FILTERS: Final = (
    FilterField("linkedCompany", "Linked company", Kind.TEXT, Column("domain", sql("related.domain")), _LINKED),
    # For links from the page of a company: its main domain may change.
    FilterField(
        "linkedCompanyId",
        "Linked company (ID)",
        Kind.REFERENCE,
        Column("company_id", sql("related.company_id")),
        _LINKED,
        listed=False,
    ),
)


def _title(company: CompanyRef | None) -> list[str]:
    return [company.title] if company is not None else []


async def _load_panel(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any]:
    found = await queries.company_of_lead(tx, actor, lead_id=lead_id)
    title = ""
    if found.company is not None:
        company_id = found.company.id
        names = await COMPANY_EXTENSIONS.load(tx, actor, [FOUND_NAME], [company_id])
        title = found.company.name or names.get(FOUND_NAME, {}).get(company_id) or found.company.title
    return {"company": found.company, "title": title, "pinned": found.pinned}


EXTENSION: Final = Extension(
    fields=(
        RelatedField(
            name="linkedCompany",
            label="Linked company",
            load=queries.companies_of_leads,
            schema=CompanyRef | None,
            permission=COMPANIES_READ,
            cell="companies/_cell.html",
            names=_title,
        ),
    ),
    panels=(
        Panel(
            name="company",
            title="Linked company",
            template="companies/_panel.html",
            load=_load_panel,
            permission=COMPANIES_READ,
            order=5,
        ),
    ),
)
