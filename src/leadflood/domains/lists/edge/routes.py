"""Static lists of leads."""

from fastapi import APIRouter, Response

from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.lists import queries, service
from leadflood.domains.lists.contracts import (
    AddMembers,
    CreateList,
    LeadLists,
    ListView,
    MembersAdded,
    OneList,
    UpdateList,
)
from leadflood.domains.lists.permissions import LISTS_READ, LISTS_WRITE

router = APIRouter(tags=["lists"], route_class=EdgeRoute)


@router.post("/v1/lists", status_code=201, summary="Create a list")
@requires(LISTS_WRITE)
async def create_list(command: CreateList, response: Response, unit: UnitOfWorkDep) -> ListView:
    """Create a list without leads. A name that exists already, in any case, returns 409 with `existingId`."""
    made = await service.create_list(unit.tx, unit.actor, command=command)
    response.headers["Location"] = f"/v1/lists/{made.id}"
    response.headers["ETag"] = etag(made.version)
    return made


@router.get("/v1/lists", summary="List the lists")
@requires(LISTS_READ)
async def list_lists(pages: InPages, unit: UnitOfWorkDep) -> Listing[ListView]:
    """The lists of the workspace by name, each with the number of its leads, counted up to 1,000."""
    return pages.answer(await queries.list_lists(unit.tx, unit.actor, after=pages.after, limit=pages.limit))


@router.get("/v1/lists/{id}", summary="Retrieve a list")
@requires(LISTS_READ)
async def get_list(list_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> ListView:
    """Returns the list. Its `ETag` is the value for `If-Match`. For its leads, filter leads by `list`."""
    found = await queries.get_list(unit.tx, unit.actor, list_id=list_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/v1/lists/{id}", summary="Update a list")
@requires(LISTS_WRITE)
async def update_list(
    list_id: ResourceId, command: UpdateList, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> ListView:
    """Rename or describe a list. Requires `If-Match`."""
    changed = await service.update_list(unit.tx, unit.actor, list_id=list_id, command=command, expected_version=version)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete("/v1/lists/{id}", status_code=204, summary="Delete a list")
@requires(LISTS_WRITE)
async def delete_list(list_id: ResourceId, unit: UnitOfWorkDep) -> None:
    """Delete a list, not its leads. It can be restored for 30 days (`LEADFLOOD_LEAD_RETENTION_DAYS`)."""
    await service.delete_list(unit.tx, unit.actor, list_id=list_id)


@router.post("/v1/lists/{id}/restorations", status_code=200, summary="Restore a deleted list")
@requires(LISTS_WRITE)
async def restore_list(list_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> ListView:
    """Restore a list with its leads. Returns 409 if another list has its name."""
    restored = await service.restore_list(unit.tx, unit.actor, list_id=list_id)
    response.headers["ETag"] = etag(restored.version)
    return restored


@router.post("/v1/lists/{id}/leads", status_code=200, summary="Add leads to a list by email")
@requires(LISTS_WRITE, large=True)
async def add_list_leads(list_id: ResourceId, command: AddMembers, unit: UnitOfWorkDep) -> MembersAdded:
    """Add the leads with these email addresses. For leads by ID or filter, use `addToList` of `POST /v1/changesets`."""
    return await service.add_addresses(unit.tx, unit.actor, list_id=list_id, command=command)


@router.get("/v1/leads/{id}/lists", summary="Retrieve the lists of a lead")
@requires(LISTS_READ)
async def get_lead_lists(lead_id: ResourceId, unit: UnitOfWorkDep) -> LeadLists:
    """All lists that the lead is on, by name."""
    return await queries.lists_of_lead(unit.tx, unit.actor, lead_id=lead_id)


@router.post("/v1/leads/{id}/lists", status_code=201, summary="Add a lead to a list")
@requires(LISTS_WRITE)
async def add_lead_to_list(lead_id: ResourceId, command: OneList, unit: UnitOfWorkDep) -> LeadLists:
    """Add the lead to a list. Does nothing if it is on it already."""
    return await service.add_lead(unit.tx, unit.actor, lead_id=lead_id, command=command)


@router.post("/v1/leads/{id}/list-removals", status_code=200, summary="Remove a lead from a list")
@requires(LISTS_WRITE)
async def remove_lead_from_list(lead_id: ResourceId, command: OneList, unit: UnitOfWorkDep) -> LeadLists:
    """Remove the lead from a list. Returns its remaining lists. Does nothing if it is not on it."""
    return await service.remove_lead(unit.tx, unit.actor, lead_id=lead_id, command=command)
