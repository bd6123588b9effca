"""Merging two leads, over HTTP, and taking that back."""

from typing import Any

from fastapi import APIRouter, Response

from leadflood.api.deps import InPages, InUnit, Listing, ResourceId
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import MergeLeads, MergeView
from leadflood.domains.duplicates.service import merging
from leadflood.kernel.actor import Permission

router = APIRouter(prefix="/v1/merges", tags=["merges"], route_class=EdgeRoute)

_REFUSED: dict[int | str, dict[str, Any]] = {404: {}, 409: {}, 412: {}}


@router.post("", status_code=201, summary="Merge two leads", responses=_REFUSED)
@requires(Permission.LEADS_WRITE)
async def merge_leads(command: MergeLeads, response: Response, unit: InUnit) -> MergeView:
    """Make one lead of two: the survivor gets the chosen values, and all that referred to the other one.

    The other is deleted; its timeline shows with the survivor's. All of it, or nothing, and it can be undone. A lead
    that was merged into another already is refused with 409, `mergeId` and `survivorId`.
    """
    made = await merging.merge(unit.tx, unit.actor, command=command)
    response.headers["Location"] = f"/v1/merges/{made.id}"
    return made


@router.get("", summary="List merges, newest first")
@requires(Permission.LEADS_READ)
async def list_merges(pages: InPages, unit: InUnit) -> Listing[MergeView]:
    """The merges of the workspace, undone ones too."""
    return pages.answer(await queries.list_merges(unit.tx, unit.actor, after=pages.after, limit=pages.limit))


@router.get("/{id}", summary="Read a merge")
@requires(Permission.LEADS_READ)
async def get_merge(merge_id: ResourceId, unit: InUnit) -> MergeView:
    """Which lead went into which, what it brought along, and what an undo kept."""
    return await queries.get_merge(unit.tx, unit.actor, merge_id=merge_id)


@router.post("/{id}/undos", status_code=200, summary="Undo a merge")
@requires(Permission.LEADS_WRITE)
async def undo_merge(merge_id: ResourceId, unit: InUnit) -> MergeView:
    """Make two leads of one again, as they were. Fields that somebody edited since are kept, and told in `kept`.

    Refused with 409 when another lead has the address by now, or when it is longer ago than can be undone
    (`LEADFLOOD_LEAD_RETENTION_DAYS`).
    """
    return await merging.undo_merge(unit.tx, unit.actor, merge_id=merge_id, trace=unit.trace)
