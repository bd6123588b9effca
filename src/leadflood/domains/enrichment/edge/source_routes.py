"""Sources of enrichment: their state, and what they answered."""

from fastapi import APIRouter

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.enrichment.contracts.sources import SourcesView
from leadflood.domains.enrichment.queries import sources as queries
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.domains.leads.permissions import LEADS_READ

router = APIRouter(prefix="/v1/sources", tags=["sources"], route_class=EdgeRoute)


@router.get("", summary="List the sources")
@requires(LEADS_READ, transaction=False)
async def list_sources(unit: UnitOfWorkDep) -> SourcesView:
    """The sources that workers ask, in their order of precedence.

    Each with its state, its answers of the last 24 hours by outcome and hour, and the share with a value of each field.
    """
    sources = worker_sources(unit.parts.settings)
    return SourcesView(items=await queries.list_sources(unit.parts.database, unit.actor, sources=sources))
