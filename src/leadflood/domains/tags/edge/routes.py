"""Labels on leads, with colors."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.tags import queries, service
from leadflood.domains.tags.contracts import CreateTag, LeadTags, MergeTag, TagNames, TagView, UpdateTag
from leadflood.domains.tags.models import MAX_NAME
from leadflood.domains.tags.permissions import TAGS_READ, TAGS_WRITE

router = APIRouter(tags=["tags"], route_class=EdgeRoute)


@router.post("/v1/tags", status_code=201, summary="Create a tag")
@requires(TAGS_WRITE)
async def create_tag(command: CreateTag, response: Response, unit: UnitOfWorkDep) -> TagView:
    """Create a tag. A name that exists already, in any case, returns 409 with `existingId`."""
    tag = await service.create_tag(unit.tx, unit.actor, command=command)
    response.headers["Location"] = f"/v1/tags/{tag.id}"
    response.headers["ETag"] = etag(tag.version)
    return tag


@router.get("/v1/tags", summary="List tags")
@requires(TAGS_READ)
async def list_tags(
    pages: InPages,
    unit: UnitOfWorkDep,
    prefix: Annotated[str, Query(max_length=MAX_NAME, description="Only tags whose names start with this.")] = "",
) -> Listing[TagView]:
    """The tags of the workspace by name, each with the number of its leads."""
    return pages.answer(
        await queries.list_tags(unit.tx, unit.actor, prefix=prefix, after=pages.after, limit=pages.limit)
    )


@router.get("/v1/tags/{id}", summary="Retrieve a tag")
@requires(TAGS_READ)
async def get_tag(tag_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> TagView:
    """Returns the tag. Its `ETag` is the value for `If-Match`."""
    tag = await queries.get_tag(unit.tx, unit.actor, tag_id=tag_id)
    response.headers["ETag"] = etag(tag.version)
    return tag


@router.patch("/v1/tags/{id}", summary="Update a tag")
@requires(TAGS_WRITE)
async def update_tag(
    tag_id: ResourceId, command: UpdateTag, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> TagView:
    """Rename a tag or change its color. Requires `If-Match`."""
    tag = await service.update_tag(unit.tx, unit.actor, tag_id=tag_id, command=command, expected_version=version)
    response.headers["ETag"] = etag(tag.version)
    return tag


@router.delete("/v1/tags/{id}", status_code=204, summary="Delete a tag")
@requires(TAGS_WRITE)
async def delete_tag(tag_id: ResourceId, unit: UnitOfWorkDep) -> None:
    """Delete a tag and remove it from all leads. It can be restored for 30 days (`LEADFLOOD_LEAD_RETENTION_DAYS`)."""
    await service.delete_tag(unit.tx, unit.actor, tag_id=tag_id)


@router.post("/v1/tags/{id}/restorations", status_code=200, summary="Restore a deleted tag")
@requires(TAGS_WRITE)
async def restore_tag(tag_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> TagView:
    """Restore a tag on the leads that had it. Returns 409 if another tag has its name."""
    tag = await service.restore_tag(unit.tx, unit.actor, tag_id=tag_id)
    response.headers["ETag"] = etag(tag.version)
    return tag


@router.post("/v1/tags/{id}/merges", status_code=201, summary="Merge a tag into another")
@requires(TAGS_WRITE)
async def merge_tag(tag_id: ResourceId, command: MergeTag, response: Response, unit: UnitOfWorkDep) -> ChangesetView:
    """Give all leads with this tag another tag instead, and delete this one.

    Up to 5,000 leads are changed immediately, more in the background. Undoing the changeset separates the tags again.
    """
    made = await service.merge_tag(unit.tx, unit.actor, tag_id=tag_id, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/changesets/{made.id}"
    return made.dated(unit.parts.settings.lead_retention_days)


@router.get("/v1/leads/{id}/tags", summary="Retrieve the tags of a lead")
@requires(TAGS_READ)
async def get_lead_tags(lead_id: ResourceId, unit: UnitOfWorkDep) -> LeadTags:
    """All tags of the lead, by name."""
    return await queries.tags_of_lead(unit.tx, unit.actor, lead_id=lead_id)


@router.post("/v1/leads/{id}/tags", status_code=201, summary="Tag a lead")
@requires(TAGS_WRITE)
async def add_tags(lead_id: ResourceId, command: TagNames, unit: UnitOfWorkDep) -> LeadTags:
    """Add tags by name; those that don't exist are created. Tags that the lead has already change nothing."""
    return await service.add_tags(unit.tx, unit.actor, lead_id=lead_id, command=command)


@router.post("/v1/leads/{id}/tag-removals", status_code=200, summary="Remove tags from a lead")
@requires(TAGS_WRITE)
async def remove_tags(lead_id: ResourceId, command: TagNames, unit: UnitOfWorkDep) -> LeadTags:
    """Remove tags by name. Returns the remaining tags. Tags that the lead doesn't have are ignored."""
    return await service.remove_tags(unit.tx, unit.actor, lead_id=lead_id, command=command)
