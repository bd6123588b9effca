"""Sources of enrichment: their state, and what they answered."""

from typing import Annotated

from fastapi import APIRouter, Path

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.enrichment.contracts.sources import SourcesView, SourceView
from leadflood.domains.enrichment.queries import sources as queries
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.domains.leads.permissions import LEADS_READ

router = APIRouter(prefix="/v1/sources", tags=["sources"], route_class=EdgeRoute)

_Name = Annotated[str, Path(max_length=64, pattern="^[a-z0-9_]+$", examples=["website"])]


@router.get("", summary="List the sources")
@requires(LEADS_READ, transaction=False)
async def list_sources(unit: UnitOfWorkDep) -> SourcesView:
    """The sources that workers ask, in their order of precedence, with their health."""
    sources = worker_sources(unit.parts.settings)
    return SourcesView(items=await queries.list_sources(unit.parts.database, unit.actor, sources=sources))


@router.get("/{name}", summary="Retrieve a source")
@requires(LEADS_READ, transaction=False)
async def get_source(name: _Name, unit: UnitOfWorkDep) -> SourceView:
    """Its state, its answers of the last 24 hours by outcome and hour, and how often it had a value of each field."""
    sources = worker_sources(unit.parts.settings)
    return await queries.get_source(unit.parts.database, unit.actor, name=name, sources=sources)
