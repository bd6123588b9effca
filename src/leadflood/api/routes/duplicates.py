"""Pairs of leads that may be one person, over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from leadflood.api.deps import InPages, InUnit, Listing, ResourceId
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import DuplicateView, ScanView
from leadflood.domains.duplicates.models import CandidateStatus
from leadflood.domains.duplicates.service import review, scanning
from leadflood.kernel.actor import Permission

router = APIRouter(prefix="/v1/duplicates", tags=["duplicates"], route_class=EdgeRoute)

_CONFLICT: dict[int | str, dict[str, Any]] = {409: {}}


@router.get("", summary="List pairs that may be one person")
@requires(Permission.LEADS_READ)
async def list_duplicates(
    pages: InPages,
    unit: InUnit,
    status: Annotated[CandidateStatus, Query(description="`merged` ones show once they are two again.")] = (
        CandidateStatus.OPEN
    ),
) -> Listing[DuplicateView]:
    """The pairs that the last scans found, the likeliest first, each with its score and why."""
    page = await queries.list_duplicates(unit.tx, unit.actor, status=status, after=pages.after, limit=pages.limit)
    return pages.answer(page)


@router.post("/scans", status_code=202, summary="Look for duplicates")
@requires(Permission.LEADS_WRITE)
async def scan_duplicates(response: Response, unit: InUnit) -> ScanView:
    """Has a worker compare what changed since the last scan; the first one compares all. Follow the job in `Location`.

    While one is under way, that one is answered. A scan also starts by itself within the hour after leads changed.
    """
    scan = await scanning.request_scan(unit.tx, unit.actor, trace=unit.trace)
    if scan.job_id is not None:
        response.headers["Location"] = f"/v1/jobs/{scan.job_id}"
    return scan


@router.get("/{id}", summary="Read a pair")
@requires(Permission.LEADS_READ)
async def get_duplicate(duplicate_id: ResourceId, unit: InUnit) -> DuplicateView:
    """Both leads, the older one first."""
    return await queries.get_duplicate(unit.tx, unit.actor, duplicate_id=duplicate_id)


@router.post("/{id}/dismissals", status_code=200, summary="Say that two leads are not the same", responses=_CONFLICT)
@requires(Permission.LEADS_WRITE)
async def dismiss_duplicate(duplicate_id: ResourceId, unit: InUnit) -> DuplicateView:
    """No scan asks again."""
    return await review.dismiss(unit.tx, unit.actor, duplicate_id=duplicate_id)


@router.post("/{id}/reopenings", status_code=200, summary="Take a dismissal back", responses=_CONFLICT)
@requires(Permission.LEADS_WRITE)
async def reopen_duplicate(duplicate_id: ResourceId, unit: InUnit) -> DuplicateView:
    """The pair waits for a decision again."""
    return await review.reopen(unit.tx, unit.actor, duplicate_id=duplicate_id)
