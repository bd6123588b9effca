"""Companies over HTTP."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.companies import queries, service
from leadflood.domains.companies.contracts import (
    ChooseCompany,
    CompanyDomain,
    CompanyDomains,
    CompanyEntries,
    CompanyEventView,
    CompanyMergeView,
    CompanyView,
    CreateCompanies,
    CreateCompany,
    LeadCompany,
    MergeCompany,
    SplitCompany,
    UpdateCompany,
)
from leadflood.domains.companies.models import CompanySort, CompanyStatus
from leadflood.domains.companies.permissions import COMPANIES_READ, COMPANIES_WRITE
from leadflood.domains.companies.service import domains, files, lead_links, merges
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.filters import MAX_SEARCH, LeadFilter, LeadSort
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.downloads import attachment
from leadflood.kernel.filters import Condition, Group, Operator

router = APIRouter(tags=["companies"], route_class=EdgeRoute)

_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.post("/v1/companies", status_code=201, summary="Create a company")
@requires(COMPANIES_WRITE)
async def create_company(command: CreateCompany, response: Response, unit: UnitOfWorkDep) -> CompanyView:
    """Create a company by its domain. If a company has the domain, returns 409 with `existingId` and `deleted`."""
    company = await service.create_company(unit.tx, unit.actor, command=command)
    response.headers["Location"] = f"/v1/companies/{company.id}"
    response.headers["ETag"] = etag(company.version)
    return company


@router.post("/v1/companies/batch", summary="Create up to 1,000 companies")
@requires(COMPANIES_WRITE, large=True)
async def create_companies(command: CreateCompanies, unit: UnitOfWorkDep) -> CompanyEntries:
    """Create companies by domain in one transaction.

    Always returns 200 with one entry per company in `results`, in request order. Invalid entries don't affect others.
    """
    return await files.create_companies(unit.tx, unit.actor, entries=command.companies)


@router.get("/v1/companies", summary="List companies")
@requires(COMPANIES_READ)
async def list_companies(
    pages: InPages,
    unit: UnitOfWorkDep,
    q: Annotated[
        str | None,
        Query(max_length=MAX_SEARCH, description="Part of the name or main domain, or the start of another domain."),
    ] = None,
    status: Annotated[CompanyStatus | None, Query(description="Only companies with this status.")] = None,
    sort: Annotated[CompanySort, Query(description="Sort field; prefix `-` for descending.")] = CompanySort.NAME,
) -> Listing[CompanyView]:
    """The companies of the workspace, each with the number of its leads. Searches ignore case and accents."""
    return pages.answer(
        await queries.list_companies(
            unit.tx, unit.actor, q=q, status=status, sort=sort, after=pages.after, limit=pages.limit
        )
    )


@router.get("/v1/companies/export", summary="Download companies", response_class=StreamingResponse, responses=_CSV)
@requires(COMPANIES_READ, transaction=False)
async def export_companies(
    unit: UnitOfWorkDep,
    q: Annotated[str | None, Query(max_length=MAX_SEARCH, description="As in the list of companies.")] = None,
) -> Response:
    """Streams companies as CSV, oldest first. Recorded in the audit log.

    Text that a spreadsheet would run as a formula gets an apostrophe; imports remove it. Not a snapshot.
    """
    pieces = await files.open_export(unit.parts.database, unit.actor, q=q)
    return StreamingResponse(
        pieces, media_type="text/csv", headers={"Content-Disposition": attachment("companies.csv")}
    )


@router.get("/v1/companies/{id}", summary="Retrieve a company")
@requires(COMPANIES_READ)
async def get_company(company_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> CompanyView:
    """Returns the company. Its `ETag` is the value for `If-Match`. A merged one returns 404 with `mergedInto`."""
    company = await queries.get_company(unit.tx, unit.actor, company_id=company_id)
    response.headers["ETag"] = etag(company.version)
    return company


@router.patch("/v1/companies/{id}", summary="Update a company")
@requires(COMPANIES_WRITE)
async def update_company(
    company_id: ResourceId, command: UpdateCompany, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> CompanyView:
    """Change the name (null clears it), or choose another of its domains as the main one. Requires `If-Match`."""
    company = await service.update_company(
        unit.tx, unit.actor, company_id=company_id, command=command, expected_version=version
    )
    response.headers["ETag"] = etag(company.version)
    return company


@router.delete("/v1/companies/{id}", status_code=204, summary="Delete a company")
@requires(COMPANIES_WRITE)
async def delete_company(company_id: ResourceId, version: ExpectedVersion, unit: UnitOfWorkDep) -> None:
    """Delete a company. Its leads belong to none then. Requires `If-Match`.

    It can be restored for 30 days (`LEADFLOOD_LEAD_RETENTION_DAYS`); until then, its domains create no new company.
    """
    await service.delete_company(unit.tx, unit.actor, company_id=company_id, expected_version=version)


@router.post("/v1/companies/{id}/restorations", status_code=200, summary="Restore a deleted company")
@requires(COMPANIES_WRITE)
async def restore_company(company_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> CompanyView:
    """Restore a company with its domains and leads."""
    company = await service.restore_company(unit.tx, unit.actor, company_id=company_id)
    response.headers["ETag"] = etag(company.version)
    return company


@router.get("/v1/companies/{id}/leads", summary="List the leads of a company")
@requires(LEADS_READ)
async def list_company_leads(
    company_id: ResourceId,
    pages: InPages,
    unit: UnitOfWorkDep,
    sort: Annotated[LeadSort, Query(description="Sort field; prefix `-` for descending.")] = LeadSort.NEWEST,
) -> Listing[LeadView]:
    """The leads that belong to the company by their website or email, or because a user chose it."""
    await queries.get_company(unit.tx, unit.actor, company_id=company_id)
    tree = Group("all", (Condition("linkedCompanyId", Operator.IS, str(company_id)),))
    page = await leads.list_leads(
        unit.tx, unit.actor, filters=LeadFilter(tree=tree), sort=sort, after=pages.after, limit=pages.limit
    )
    return pages.answer(page)


@router.get("/v1/companies/{id}/events", summary="List a company's events")
@requires(COMPANIES_READ)
async def list_company_events(company_id: ResourceId, pages: InPages, unit: UnitOfWorkDep) -> Listing[CompanyEventView]:
    """The company's timeline, newest first."""
    page = await queries.list_events(unit.tx, unit.actor, company_id=company_id, after=pages.after, limit=pages.limit)
    return pages.answer(page)


@router.get("/v1/companies/{id}/domains", summary="Retrieve the domains of a company")
@requires(COMPANIES_READ)
async def get_company_domains(company_id: ResourceId, unit: UnitOfWorkDep) -> CompanyDomains:
    """The domains of the company, the main one first."""
    return await queries.domains_of(unit.tx, unit.actor, company_id=company_id)


@router.post("/v1/companies/{id}/domains", status_code=201, summary="Add a domain to a company")
@requires(COMPANIES_WRITE)
async def add_domain(company_id: ResourceId, command: CompanyDomain, unit: UnitOfWorkDep) -> CompanyDomains:
    """Add a domain. If another company has it, returns 409 with `existingId`: merge the two instead."""
    return await domains.add_domain(unit.tx, unit.actor, company_id=company_id, command=command)


@router.post("/v1/companies/{id}/domain-removals", status_code=200, summary="Remove a domain from a company")
@requires(COMPANIES_WRITE)
async def remove_domain(company_id: ResourceId, command: CompanyDomain, unit: UnitOfWorkDep) -> CompanyDomains:
    """Remove a domain. Returns 409 for the main one, and if leads belong to the company by it: split it off instead."""
    return await domains.remove_domain(unit.tx, unit.actor, company_id=company_id, command=command)


@router.get("/v1/companies/{id}/merges", summary="List the merges and splits of a company")
@requires(COMPANIES_READ)
async def list_company_merges(company_id: ResourceId, pages: InPages, unit: UnitOfWorkDep) -> Listing[CompanyMergeView]:
    """Newest first. They can be undone for 30 days."""
    page = await queries.list_merges(unit.tx, unit.actor, company_id=company_id, after=pages.after, limit=pages.limit)
    return pages.answer(page)


@router.post("/v1/companies/{id}/merges", status_code=201, summary="Merge a company into this one")
@requires(COMPANIES_WRITE)
async def merge_company(
    company_id: ResourceId, command: MergeCompany, response: Response, unit: UnitOfWorkDep
) -> CompanyMergeView:
    """Make another company part of this one, with its domains and leads."""
    merge = await merges.merge_companies(unit.tx, unit.actor, company_id=company_id, command=command)
    response.headers["Location"] = f"/v1/company-merges/{merge.id}"
    return merge


@router.post("/v1/companies/{id}/splits", status_code=201, summary="Split a company")
@requires(COMPANIES_WRITE)
async def split_company(
    company_id: ResourceId, command: SplitCompany, response: Response, unit: UnitOfWorkDep
) -> CompanyMergeView:
    """Make domains a company of their own. The leads that belong to the company by them follow."""
    split = await merges.split_company(unit.tx, unit.actor, company_id=company_id, command=command)
    response.headers["Location"] = f"/v1/company-merges/{split.id}"
    return split


@router.get("/v1/company-merges/{id}", summary="Retrieve a merge or split of companies")
@requires(COMPANIES_READ)
async def get_company_merge(merge_id: ResourceId, unit: UnitOfWorkDep) -> CompanyMergeView:
    """The merge or split, with the domains that it moved."""
    return await queries.get_merge(unit.tx, unit.actor, merge_id=merge_id)


@router.post("/v1/company-merges/{id}/undos", status_code=200, summary="Undo a merge or split of companies")
@requires(COMPANIES_WRITE)
async def undo_company_merge(merge_id: ResourceId, unit: UnitOfWorkDep) -> CompanyMergeView:
    """Undo it, except for later changes. Undoing again changes nothing."""
    return await merges.undo_merge(unit.tx, unit.actor, merge_id=merge_id)


@router.get("/v1/leads/{id}/company", summary="Retrieve the company of a lead")
@requires(COMPANIES_READ)
async def get_lead_company(lead_id: ResourceId, unit: UnitOfWorkDep) -> LeadCompany:
    """The company that the lead belongs to, and by what. Leads of mailbox providers belong to none."""
    return await queries.company_of_lead(unit.tx, unit.actor, lead_id=lead_id)


@router.put("/v1/leads/{id}/company", status_code=200, summary="Choose the company of a lead")
@requires(COMPANIES_WRITE)
async def choose_company(lead_id: ResourceId, command: ChooseCompany, unit: UnitOfWorkDep) -> LeadCompany:
    """Let the lead belong to a company, or to none, whatever its website and email are."""
    return await lead_links.choose_company(unit.tx, unit.actor, lead_id=lead_id, command=command)


@router.delete("/v1/leads/{id}/company", status_code=200, summary="Reset the company of a lead")
@requires(COMPANIES_WRITE)
async def reset_company(lead_id: ResourceId, unit: UnitOfWorkDep) -> LeadCompany:
    """Let the website and email of the lead decide again. Returns the company found by them."""
    return await lead_links.reset_company(unit.tx, unit.actor, lead_id=lead_id)
