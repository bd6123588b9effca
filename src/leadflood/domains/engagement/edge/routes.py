"""Engagement of leads: what they did."""

from fastapi import APIRouter, Response

from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.engagement import queries, service
from leadflood.domains.engagement.contracts import (
    EngagementMatrix,
    EngagementSettings,
    EngagementView,
    ImportedEngagements,
    ImportEngagements,
    LeadEngagementView,
    RecordEngagement,
    UpdateEngagementSettings,
)
from leadflood.domains.engagement.models import EngagementSource
from leadflood.domains.engagement.permissions import ENGAGEMENT_CONFIGURE, ENGAGEMENT_READ, ENGAGEMENT_WRITE
from leadflood.domains.icps.permissions import ICPS_READ

router = APIRouter(tags=["engagement"], route_class=EdgeRoute)


@router.get("/v1/leads/{id}/engagements", summary="List the engagements of a lead")
@requires(ENGAGEMENT_READ)
async def list_engagements(lead_id: ResourceId, pages: InPages, unit: UnitOfWorkDep) -> Listing[EngagementView]:
    """The engagements of the lead, the latest first, with the points that are left of each."""
    return pages.answer(
        await queries.list_engagements(unit.tx, unit.actor, lead_id=lead_id, after=pages.after, limit=pages.limit)
    )


@router.post("/v1/leads/{id}/engagements", status_code=201, summary="Record an engagement of a lead")
@requires(ENGAGEMENT_WRITE)
async def record_engagement(
    lead_id: ResourceId, command: RecordEngagement, response: Response, unit: UnitOfWorkDep
) -> EngagementView:
    """Record what a lead did, such as `demo_requested`.

    An engagement is recorded once: by its `externalKey`, or without one by its kind and time. A repeated call returns
    the recorded one.
    """
    made = await service.record_engagement(
        unit.tx, unit.actor, lead_id=lead_id, command=command, source=EngagementSource.API
    )
    response.headers["Location"] = f"/v1/engagements/{made.id}"
    return made


@router.post("/v1/engagements", status_code=200, summary="Record engagements by email")
@requires(ENGAGEMENT_WRITE)
async def import_engagements(command: ImportEngagements, unit: UnitOfWorkDep) -> ImportedEngagements:
    """Record up to 1,000 engagements of leads by email. The answer says why entries failed."""
    return await service.import_engagements(
        unit.tx, unit.actor, entries=command.engagements, source=EngagementSource.IMPORT
    )


@router.get("/v1/engagements/{id}", summary="Retrieve an engagement")
@requires(ENGAGEMENT_READ)
async def get_engagement(engagement_id: ResourceId, unit: UnitOfWorkDep) -> EngagementView:
    """An engagement, with the points that are left of it."""
    return await queries.get_engagement(unit.tx, unit.actor, engagement_id=engagement_id)


@router.delete("/v1/engagements/{id}", status_code=204, summary="Delete an engagement")
@requires(ENGAGEMENT_WRITE)
async def delete_engagement(engagement_id: ResourceId, unit: UnitOfWorkDep) -> None:
    """Delete an engagement. Record it again to take that back."""
    await service.delete_engagement(unit.tx, unit.actor, engagement_id=engagement_id)


@router.get("/v1/leads/{id}/engagement", summary="Retrieve the engagement of a lead")
@requires(ENGAGEMENT_READ)
async def get_lead_engagement(lead_id: ResourceId, unit: UnitOfWorkDep) -> LeadEngagementView:
    """Level and decayed points now, and the priority, such as `A1`, for those who may see profiles."""
    return await queries.get_summary(unit.tx, unit.actor, lead_id=lead_id)


@router.get("/v1/engagement-matrix", summary="Count leads by priority")
@requires(ICPS_READ)
async def get_matrix(unit: UnitOfWorkDep) -> EngagementMatrix:
    """Leads by tier of the main profile and level of engagement."""
    return await queries.matrix(unit.tx, unit.actor)


@router.get("/v1/engagement-settings", summary="Retrieve the settings of engagement")
@requires(ENGAGEMENT_READ)
async def get_settings(response: Response, unit: UnitOfWorkDep) -> EngagementSettings:
    """Half-life, levels, and points of kinds. Their `ETag` is the value for `If-Match`."""
    found = await queries.settings(unit.tx, unit.actor)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/v1/engagement-settings", summary="Update the settings of engagement")
@requires(ENGAGEMENT_CONFIGURE)
async def update_settings(
    command: UpdateEngagementSettings, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> EngagementSettings:
    """Change half-life, levels, or points of kinds. Requires `If-Match`.

    Recorded engagements keep their points. Another half-life counts for all of them.
    """
    changed = await service.update_settings(unit.tx, unit.actor, command=command, expected_version=version)
    response.headers["ETag"] = etag(changed.version)
    return changed
