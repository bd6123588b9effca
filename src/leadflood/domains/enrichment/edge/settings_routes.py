"""Settings of enrichment over HTTP."""

from fastapi import APIRouter

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.enrichment.contracts.settings import ChangeEnrichmentSettings, EnrichmentSettingsView
from leadflood.domains.enrichment.permissions import ENRICHMENT_WRITE
from leadflood.domains.enrichment.queries.settings import enrichment_settings
from leadflood.domains.enrichment.service import settings
from leadflood.domains.leads.permissions import LEADS_READ

router = APIRouter(prefix="/v1/enrichment-settings", tags=["sources"], route_class=EdgeRoute)


@router.get("", summary="Show settings of enrichment")
@requires(LEADS_READ)
async def show_enrichment_settings(unit: UnitOfWorkDep) -> EnrichmentSettingsView:
    """Whether sources that charge are asked only for a tier."""
    return await enrichment_settings(unit.tx, unit.actor)


@router.patch("", summary="Update settings of enrichment")
@requires(ENRICHMENT_WRITE)
async def change_enrichment_settings(command: ChangeEnrichmentSettings, unit: UnitOfWorkDep) -> EnrichmentSettingsView:
    """Change when sources that charge are asked. Runs that begin afterwards follow it."""
    return await settings.change_settings(unit.tx, unit.actor, command=command)
