"""Saved views of the list of leads over HTTP."""

from fastapi import APIRouter, Response

from leadflood.api.deps import ExpectedVersion, InUnit, ResourceId, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.leads.contracts.views import CreateView, SavedView, SavedViews, UpdateView
from leadflood.domains.leads.queries import views as queries
from leadflood.domains.leads.service import views as service
from leadflood.kernel.actor import Permission

router = APIRouter(prefix="/v1/views", tags=["views"], route_class=EdgeRoute)


@router.post("", status_code=201, summary="Save a view")
@requires(Permission.LEADS_WRITE)
async def create_view(command: CreateView, response: Response, unit: InUnit) -> SavedView:
    """Keep a filter, an order and columns under a name, for oneself or for everybody in the workspace."""
    view = await service.create_view(unit.tx, unit.actor, command=command)
    response.headers["Location"] = f"/v1/views/{view.id}"
    response.headers["ETag"] = etag(view.version)
    return view


@router.get("", summary="Read the saved views")
@requires(Permission.LEADS_READ)
async def get_views(unit: InUnit) -> SavedViews:
    """One's own views in one's own order, then those that others share."""
    return SavedViews(items=await queries.list_views(unit.tx, unit.actor))


@router.get("/{id}", summary="Read a view")
@requires(Permission.LEADS_READ)
async def get_view(view_id: ResourceId, response: Response, unit: InUnit) -> SavedView:
    """A view of one's own, or one that somebody shares. Its `ETag` is what `If-Match` wants."""
    view = await queries.get_view(unit.tx, unit.actor, view_id=view_id)
    response.headers["ETag"] = etag(view.version)
    return view


@router.patch("/{id}", summary="Change a view")
@requires(Permission.LEADS_WRITE)
async def update_view(
    view_id: ResourceId, command: UpdateView, version: ExpectedVersion, response: Response, unit: InUnit
) -> SavedView:
    """Change the fields given, or the view's place among one's own. Only whoever made a view may change it."""
    view = await service.update_view(unit.tx, unit.actor, view_id=view_id, command=command, expected_version=version)
    response.headers["ETag"] = etag(view.version)
    return view


@router.delete("/{id}", status_code=204, summary="Delete a view")
@requires(Permission.LEADS_WRITE)
async def delete_view(view_id: ResourceId, version: ExpectedVersion, unit: InUnit) -> None:
    """Remove a view. The leads that it shows stay."""
    await service.delete_view(unit.tx, unit.actor, view_id=view_id, expected_version=version)
