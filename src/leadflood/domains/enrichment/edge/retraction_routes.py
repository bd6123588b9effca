"""Retractions over HTTP: what a source wrote in a period is taken for void."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.enrichment.contracts.retractions import RetractionEstimate, RetractionView, RetractValues
from leadflood.domains.enrichment.queries import retractions as queries
from leadflood.domains.enrichment.service import retractions
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE

router = APIRouter(prefix="/v1/retractions", tags=["sources"], route_class=EdgeRoute)

_ESTIMATE: dict[int | str, dict[str, Any]] = {
    200: {"model": RetractionEstimate, "description": "With `dryRun`: the counts. Nothing was retracted."},
    409: {},
}


@router.post("", status_code=201, summary="Retract values of a source", responses=_ESTIMATE)
@requires(LEADS_WRITE)
async def retract_values(
    command: RetractValues, response: Response, unit: UnitOfWorkDep
) -> RetractionView | RetractionEstimate:
    """Retract what a source wrote in a period. The values stay as receipts, and other values are chosen.

    What the source wrote before the period competes again, and the source may be asked again. Values of up to 500 leads
    or 100 companies are retracted immediately, more in the background: poll it until `endedAt` is set. Undo it with
    `POST /v1/changesets/{id}/undos`. Also needs the permission `companies:write`.
    """
    if command.dry_run:
        response.status_code = 200
        return await retractions.estimate(unit.tx, unit.actor, command=command)
    made = await retractions.retract(unit.tx, unit.actor, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/retractions/{made.id}"
    return made


@router.get("", summary="List retractions")
@requires(LEADS_READ)
async def list_retractions(
    pages: InPages,
    unit: UnitOfWorkDep,
    source: Annotated[str | None, Query(max_length=100, description="Only those of this source.")] = None,
) -> Listing[RetractionView]:
    """The retractions of the workspace, newest first."""
    page = await queries.list_retractions(unit.tx, unit.actor, source=source, after=pages.after, limit=pages.limit)
    return pages.answer(page)


@router.get("/{id}", summary="Retrieve a retraction")
@requires(LEADS_READ)
async def get_retraction(retraction_id: ResourceId, unit: UnitOfWorkDep) -> RetractionView:
    """The retraction with its counts so far, and the time of its undo."""
    return await queries.get_retraction(unit.tx, unit.actor, retraction_id=retraction_id)
