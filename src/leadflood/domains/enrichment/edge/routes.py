"""Enrichment of companies over HTTP."""

from fastapi import APIRouter, Response

from leadflood.api.deps import ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.companies.permissions import COMPANIES_READ, COMPANIES_WRITE
from leadflood.domains.enrichment.contracts import CompanyEnrichmentRequested, CompanyEnrichmentView
from leadflood.domains.enrichment.queries.companies import get_company_enrichment as read
from leadflood.domains.enrichment.service import company_runs

router = APIRouter(tags=["companies"], route_class=EdgeRoute)


@router.get("/v1/companies/{id}/enrichment", summary="Retrieve facts about a company")
@requires(COMPANIES_READ)
async def get_company_enrichment(company_id: ResourceId, unit: UnitOfWorkDep) -> CompanyEnrichmentView:
    """Returns facts with their sources, and the latest runs with what each source answered."""
    return await read(unit.tx, unit.actor, company_id=company_id)


@router.post("/v1/companies/{id}/enrichments", status_code=202, summary="Enrich a company again")
@requires(COMPANIES_WRITE)
async def request_company_enrichment(
    company_id: ResourceId, response: Response, unit: UnitOfWorkDep
) -> CompanyEnrichmentRequested:
    """Ask the sources again, fresh facts included. Poll the job in `Location`: that of the live run if there is one."""
    job_id = await company_runs.enrich_company(unit.tx, unit.actor, company_id=company_id, trace=unit.trace)
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return CompanyEnrichmentRequested(company_id=company_id, job_id=job_id)
