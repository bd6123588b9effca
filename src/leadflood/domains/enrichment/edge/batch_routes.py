"""Batches of enrichments over HTTP."""

from typing import Any

from fastapi import APIRouter, Response

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.enrichment.contracts.batches import EnrichmentBatchView, EnrichmentEstimate, StartEnrichment
from leadflood.domains.enrichment.queries import batches as queries
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.domains.enrichment.service import batches
from leadflood.domains.enrichment.service.workspace_sources import asked_sources
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE

router = APIRouter(prefix="/v1/enrichments", tags=["enrichments"], route_class=EdgeRoute)

_STATES: dict[int | str, dict[str, Any]] = {409: {}}
_ESTIMATE: dict[int | str, dict[str, Any]] = {
    200: {"model": EnrichmentEstimate, "description": "With `dryRun`: the estimate. Nothing was started."},
    409: {},
}


@router.post("", status_code=202, summary="Enrich many leads or companies", responses=_ESTIMATE)
@requires(LEADS_WRITE)
async def start_enrichment(
    command: StartEnrichment, response: Response, unit: UnitOfWorkDep
) -> EnrichmentBatchView | EnrichmentEstimate:
    """Starts to enrich in the background, after leads that are added one by one. Poll the batch in `Location`.

    Leads and companies whose facts are fresh are skipped, unless `includeFresh` is set. Domains need the permission
    `companies:write`.
    """
    if command.dry_run:
        response.status_code = 200
        free = worker_sources(unit.parts.settings)
        sources = await asked_sources(unit.tx, unit.actor, free=free, secret_box=unit.parts.secret_box)
        return await batches.estimate(unit.tx, unit.actor, command=command, sources=sources)
    started = await batches.start(unit.tx, unit.actor, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/enrichments/{started.id}"
    return started


@router.get("", summary="List enrichments of many leads or companies, newest first")
@requires(LEADS_READ)
async def list_enrichments(pages: InPages, unit: UnitOfWorkDep) -> Listing[EnrichmentBatchView]:
    """The batches of the workspace, with their progress."""
    return pages.answer(await queries.list_batches(unit.tx, unit.actor, after=pages.after, limit=pages.limit))


@router.get("/{id}", summary="Retrieve an enrichment of many leads or companies")
@requires(LEADS_READ)
async def get_enrichment(batch_id: ResourceId, unit: UnitOfWorkDep) -> EnrichmentBatchView:
    """Its status, its counts, and why some are partial, failed or skipped. Poll while it is `running`."""
    return await queries.get_batch(unit.tx, unit.actor, batch_id=batch_id)


@router.post("/{id}/pauses", status_code=202, summary="Pause an enrichment of many", responses=_STATES)
@requires(LEADS_WRITE)
async def pause_enrichment(batch_id: ResourceId, unit: UnitOfWorkDep) -> EnrichmentBatchView:
    """Leads that have not begun wait. Those that are `running` are finished."""
    return await batches.pause(unit.tx, unit.actor, batch_id=batch_id)


@router.post("/{id}/resumptions", status_code=202, summary="Resume an enrichment of many", responses=_STATES)
@requires(LEADS_WRITE)
async def resume_enrichment(batch_id: ResourceId, unit: UnitOfWorkDep) -> EnrichmentBatchView:
    """Continues one that is `paused` or `failed`."""
    return await batches.resume(unit.tx, unit.actor, batch_id=batch_id, trace=unit.trace)


@router.post("/{id}/cancellations", status_code=202, summary="Cancel an enrichment of many", responses=_STATES)
@requires(LEADS_WRITE)
async def cancel_enrichment(batch_id: ResourceId, unit: UnitOfWorkDep) -> EnrichmentBatchView:
    """Leads that have not begun are not enriched. Found values stay."""
    return await batches.cancel(unit.tx, unit.actor, batch_id=batch_id)
