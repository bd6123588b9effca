"""Pairs of possible duplicates over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import DuplicateView, PairCounts, ScanView
from leadflood.domains.duplicates.models import CandidateStatus
from leadflood.domains.duplicates.service import review, scanning
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE

router = APIRouter(prefix="/v1/duplicates", tags=["duplicates"], route_class=EdgeRoute)

_CONFLICT: dict[int | str, dict[str, Any]] = {409: {}}


@router.get("", summary="List possible duplicates")
@requires(LEADS_READ)
async def list_duplicates(
    pages: InPages,
    unit: UnitOfWorkDep,
    status: Annotated[
        CandidateStatus, Query(description="Filter by status. Merged pairs are listed again after an unmerge.")
    ] = (CandidateStatus.OPEN),
) -> Listing[DuplicateView]:
    """Pairs found by scans, highest score first, with the reasons."""
    page = await queries.list_duplicates(unit.tx, unit.actor, status=status, after=pages.after, limit=pages.limit)
    return pages.answer(page)


@router.get("/counts", summary="Count possible duplicates")
@requires(LEADS_READ)
async def count_duplicates(unit: UnitOfWorkDep) -> PairCounts:
    """Numbers of open pairs, and of the certain ones among them (score 100), counted up to a limit."""
    return await queries.count_pairs(unit.tx, unit.actor)


@router.post("/scans", status_code=202, summary="Start a duplicate scan")
@requires(LEADS_WRITE)
async def scan_duplicates(response: Response, unit: UnitOfWorkDep) -> ScanView:
    """Starts a background comparison of leads changed since the last scan. Poll the job in `Location`.

    The first scan compares all leads. If a scan is running, it is returned. Scans also start automatically within an
    hour after leads change.
    """
    scan = await scanning.request_scan(unit.tx, unit.actor, trace=unit.trace)
    if scan.job_id is not None:
        response.headers["Location"] = f"/v1/jobs/{scan.job_id}"
    return scan


@router.get("/{id}", summary="Retrieve a pair")
@requires(LEADS_READ)
async def get_duplicate(duplicate_id: ResourceId, unit: UnitOfWorkDep) -> DuplicateView:
    """Both leads, the older one first."""
    return await queries.get_duplicate(unit.tx, unit.actor, duplicate_id=duplicate_id)


@router.post("/{id}/dismissals", status_code=200, summary="Dismiss a pair", responses=_CONFLICT)
@requires(LEADS_WRITE)
async def dismiss_duplicate(duplicate_id: ResourceId, unit: UnitOfWorkDep) -> DuplicateView:
    """The leads are not duplicates. Scans no longer report the pair."""
    return await review.dismiss(unit.tx, unit.actor, duplicate_id=duplicate_id)


@router.post("/{id}/reopenings", status_code=200, summary="Reopen a pair", responses=_CONFLICT)
@requires(LEADS_WRITE)
async def reopen_duplicate(duplicate_id: ResourceId, unit: UnitOfWorkDep) -> DuplicateView:
    """The pair is moved back to review."""
    return await review.reopen(unit.tx, unit.actor, duplicate_id=duplicate_id)
