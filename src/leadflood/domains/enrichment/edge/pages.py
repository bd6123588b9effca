"""The form with which a company is enriched again."""

from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.enrichment.service import company_runs
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResult, Redirect

pages = Pages()


@pages.post("/companies/{id}/enrichments", COMPANIES_WRITE)
async def enrich_company(ctx: PageContext) -> PageResult:
    """Ask the sources about a company again; its page shows the answers as they come."""
    async with ctx.writing() as tx:
        await company_runs.enrich_company(tx, ctx.actor, company_id=ctx.id(), trace=ctx.trace)
    return Redirect(f"/companies/{ctx.id()}#panel-run")
