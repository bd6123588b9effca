"""Merges of two leads over HTTP, and their undo."""

from typing import Any

from fastapi import APIRouter, Response

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import MergeLeads, MergeView
from leadflood.domains.duplicates.service import merging
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE

router = APIRouter(prefix="/v1/merges", tags=["merges"], route_class=EdgeRoute)

_REFUSED: dict[int | str, dict[str, Any]] = {404: {}, 409: {}, 412: {}}


@router.post("", status_code=201, summary="Merge two leads", responses=_REFUSED)
@requires(LEADS_WRITE)
async def merge_leads(command: MergeLeads, response: Response, unit: UnitOfWorkDep) -> MergeView:
    """Merge two leads: the survivor gets the chosen values and everything that referred to the other lead.

    The other lead is deleted, and its timeline is shown with the survivor's. Atomic, and can be undone. If one of them
    is already merged, returns 409 with `mergeId` and `survivorId`.
    """
    made = await merging.merge(unit.tx, unit.actor, unit.parts.participants, command=command)
    response.headers["Location"] = f"/v1/merges/{made.id}"
    return made


@router.get("", summary="List merges, newest first")
@requires(LEADS_READ)
async def list_merges(pages: InPages, unit: UnitOfWorkDep) -> Listing[MergeView]:
    """The merges of the workspace, including undone ones."""
    parts = unit.parts
    return pages.answer(
        await queries.list_merges(unit.tx, unit.actor, parts.participants, after=pages.after, limit=pages.limit)
    )


@router.get("/{id}", summary="Retrieve a merge")
@requires(LEADS_READ)
async def get_merge(merge_id: ResourceId, unit: UnitOfWorkDep) -> MergeView:
    """The merged leads, what was moved, and what an undo kept."""
    return await queries.get_merge(unit.tx, unit.actor, unit.parts.participants, merge_id=merge_id)


@router.post("/{id}/undos", status_code=200, summary="Undo a merge")
@requires(LEADS_WRITE)
async def undo_merge(merge_id: ResourceId, unit: UnitOfWorkDep) -> MergeView:
    """Restore both leads as they were. Fields edited since are kept and listed in `kept`.

    Returns 409 if another lead has the email, or after the undo period (`LEADFLOOD_LEAD_RETENTION_DAYS`).
    """
    return await merging.undo_merge(unit.tx, unit.actor, unit.parts.participants, merge_id=merge_id, trace=unit.trace)
