"""Saved views of the list of leads over HTTP."""

from fastapi import APIRouter, Response

from leadflood.api.deps import ExpectedVersion, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.leads.contracts.views import (
    CreateView,
    DefaultView,
    SavedView,
    SavedViews,
    SetDefaultView,
    UpdateView,
)
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.leads.queries import views as queries
from leadflood.domains.leads.service import views as service

router = APIRouter(tags=["views"], route_class=EdgeRoute)


@router.post("/v1/views", status_code=201, summary="Create a saved view")
@requires(LEADS_WRITE)
async def create_view(command: CreateView, response: Response, unit: UnitOfWorkDep) -> SavedView:
    """Save a filter, sort order and columns under a name, for yourself or the workspace."""
    view = await service.create_view(unit.tx, unit.actor, command=command)
    response.headers["Location"] = f"/v1/views/{view.id}"
    response.headers["ETag"] = etag(view.version)
    return view


@router.get("/v1/views", summary="List saved views")
@requires(LEADS_READ)
async def get_views(unit: UnitOfWorkDep) -> SavedViews:
    """Your views in your order, then shared views of others."""
    return SavedViews(items=await queries.list_views(unit.tx, unit.actor))


@router.get("/v1/views/{id}", summary="Retrieve a view")
@requires(LEADS_READ)
async def get_view(view_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> SavedView:
    """One of your views, or a shared one. Its `ETag` is the value for `If-Match`."""
    view = await queries.get_view(unit.tx, unit.actor, view_id=view_id)
    response.headers["ETag"] = etag(view.version)
    return view


@router.patch("/v1/views/{id}", summary="Update a view")
@requires(LEADS_WRITE)
async def update_view(
    view_id: ResourceId, command: UpdateView, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> SavedView:
    """Update the given fields, or the view's position. Only its owner can update it. Requires `If-Match`."""
    view = await service.update_view(unit.tx, unit.actor, view_id=view_id, command=command, expected_version=version)
    response.headers["ETag"] = etag(view.version)
    return view


@router.delete("/v1/views/{id}", status_code=204, summary="Delete a view")
@requires(LEADS_WRITE)
async def delete_view(view_id: ResourceId, version: ExpectedVersion, unit: UnitOfWorkDep) -> None:
    """Delete a view. Leads aren't affected, and the view can be restored for 30 days. Requires `If-Match`."""
    await service.delete_view(unit.tx, unit.actor, view_id=view_id, expected_version=version)


@router.post("/v1/views/{id}/restorations", status_code=200, summary="Restore a deleted view")
@requires(LEADS_WRITE)
async def restore_view(view_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> SavedView:
    """Restore one of your deleted views, as your last one."""
    view = await service.restore_view(unit.tx, unit.actor, view_id=view_id)
    response.headers["ETag"] = etag(view.version)
    return view


@router.get("/v1/default-view", summary="Retrieve your default view")
@requires(LEADS_READ)
async def get_default_view(unit: UnitOfWorkDep) -> DefaultView:
    """The view with which you open the list of leads. Both are null if you have none, or can't see it any more."""
    return await queries.get_default_view(unit.tx, unit.actor)


@router.put("/v1/default-view", summary="Set your default view", responses={404: {}})
@requires(ACCOUNT)
async def set_default_view(command: SetDefaultView, unit: UnitOfWorkDep) -> DefaultView:
    """Open the list of leads with a saved view, or a built-in one. It counts for you alone, in this workspace."""
    return await service.set_default_view(unit.tx, unit.actor, command=command)


@router.delete("/v1/default-view", status_code=204, summary="Stop using a default view")
@requires(ACCOUNT)
async def clear_default_view(unit: UnitOfWorkDep) -> None:
    """Open the list of leads with all leads again."""
    await service.clear_default_view(unit.tx, unit.actor)
