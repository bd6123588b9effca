"""The job that makes two companies one after their sources saw two signs of it."""

from leadflood.domains.companies import queries as companies
from leadflood.domains.companies.errors import CompanyNotFound
from leadflood.domains.companies.service.aliases import FoundAlias, join_found
from leadflood.domains.enrichment.events import JOIN_COMPANIES, JoinCompanies
from leadflood.domains.enrichment.queries.aliases import seen_redirect
from leadflood.domains.jobs.registry import JobContext, JobDefinition


def joining() -> list[JobDefinition[JoinCompanies]]:
    """The job."""
    return [JobDefinition(JOIN_COMPANIES, _join)]


async def _join(context: JobContext[JoinCompanies]) -> None:
    """Merge, unless the facts or the companies have changed since. Doing it twice changes nothing."""
    company_id, actor = context.payload.company_id, context.actor
    async with context.transaction() as tx:
        try:
            company = await companies.get_company(tx, actor, company_id=company_id)
        except CompanyNotFound:
            return
        seen = await seen_redirect(tx, actor.workspace_id, company_id)
        if seen is not None and seen.joins:
            alias = FoundAlias(company.domain, seen.target, seen.evidence)
            await join_found(tx, actor, company_id=company_id, alias=alias)
