"""Ideal customer profiles: who fits, by points that add up."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.icps import queries, service
from leadflood.domains.icps.contracts.icps import (
    CreateIcp,
    IcpList,
    IcpView,
    LeadScores,
    Preview,
    Publish,
    SaveDraft,
    ScoreRow,
    UpdateIcp,
    VersionList,
    VersionView,
)
from leadflood.domains.icps.contracts.scores import ImprovementList, LeadScore
from leadflood.domains.icps.permissions import ICPS_PUBLISH, ICPS_READ, ICPS_WRITE
from leadflood.domains.icps.queries import scores
from leadflood.domains.icps.service import publishing

router = APIRouter(tags=["icps"], route_class=EdgeRoute)

_Number = Annotated[
    int | None,
    Query(ge=1, le=1_000_000, description="Number of the version. Default: the draft, or else the live one."),
]
_Profile = Annotated[str | None, Query(max_length=100, description="Name of the profile. Default: the main one.")]


def _answer(response: Response, icp: IcpView) -> IcpView:
    response.headers["ETag"] = etag(icp.version)
    return icp


@router.get("/v1/icps", summary="List the profiles")
@requires(ICPS_READ)
async def list_icps(unit: UnitOfWorkDep) -> IcpList:
    """All profiles of the workspace: the main one, whose scores lists show, then by name."""
    return IcpList(items=await queries.list_icps(unit.tx, unit.actor))


@router.post("/v1/icps", status_code=201, summary="Create a profile")
@requires(ICPS_WRITE)
async def create_icp(command: CreateIcp, response: Response, unit: UnitOfWorkDep) -> IcpView:
    """Create a profile with a draft. It scores no lead until it is published."""
    made = await service.create_icp(unit.tx, unit.actor, command=command)
    response.headers["Location"] = f"/v1/icps/{made.id}"
    return _answer(response, made)


@router.get("/v1/icps/{id}", summary="Retrieve a profile")
@requires(ICPS_READ)
async def get_icp(icp_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> IcpView:
    """Returns the profile with its draft, its live version, and the one that is being published."""
    return _answer(response, await queries.get_icp(unit.tx, unit.actor, icp_id=icp_id))


@router.patch("/v1/icps/{id}", summary="Update a profile")
@requires(ICPS_WRITE)
async def update_icp(
    icp_id: ResourceId, command: UpdateIcp, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> IcpView:
    """Rename a profile, or make it the main one, which needs `icps:publish`. Requires `If-Match`."""
    changed = await service.update_icp(unit.tx, unit.actor, icp_id=icp_id, command=command, expected_version=version)
    return _answer(response, changed)


@router.delete("/v1/icps/{id}", status_code=204, summary="Delete a profile")
@requires(ICPS_PUBLISH)
async def delete_icp(icp_id: ResourceId, unit: UnitOfWorkDep) -> None:
    """Delete a profile with its scores. Export it first to keep it: `leadflood icp export`."""
    await service.delete_icp(unit.tx, unit.actor, icp_id=icp_id)


@router.get("/v1/icps/{id}/versions", summary="List the versions of a profile")
@requires(ICPS_READ)
async def list_icp_versions(icp_id: ResourceId, unit: UnitOfWorkDep) -> VersionList:
    """All versions, newest first. What was published once never changes."""
    return VersionList(items=await queries.list_versions(unit.tx, unit.actor, icp_id=icp_id))


@router.get("/v1/icps/{id}/version", summary="Retrieve a version of a profile")
@requires(ICPS_READ)
async def get_icp_version(icp_id: ResourceId, unit: UnitOfWorkDep, number: _Number = None) -> VersionView:
    """Returns the version with its body."""
    return await queries.get_version(unit.tx, unit.actor, icp_id=icp_id, number=number)


@router.get("/v1/icps/{id}/preview", summary="Preview a version of a profile")
@requires(ICPS_READ)
async def preview_icp_version(icp_id: ResourceId, unit: UnitOfWorkDep, number: _Number = None) -> Preview:
    """Number of leads by tier, their scores, and who would move. Above 20,000 leads of a sample of about 10,000."""
    return await scores.preview(unit.tx, unit.actor, icp_id=icp_id, number=number)


@router.put("/v1/icps/{id}/draft", status_code=200, summary="Save the draft of a profile")
@requires(ICPS_WRITE)
async def save_icp_draft(
    icp_id: ResourceId, command: SaveDraft, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> IcpView:
    """Replace the draft, or begin one. What is live stays as it is. Requires `If-Match`."""
    saved = await service.save_draft(unit.tx, unit.actor, icp_id=icp_id, command=command, expected_version=version)
    return _answer(response, saved)


@router.post("/v1/icps/{id}/publications", status_code=202, summary="Publish a version of a profile")
@requires(ICPS_PUBLISH)
async def publish_icp(icp_id: ResourceId, command: Publish, response: Response, unit: UnitOfWorkDep) -> IcpView:
    """Publish the draft, or roll back to a former version. A job scores all leads; then its scores are shown."""
    icp = await publishing.start(unit.tx, unit.actor, icp_id=icp_id, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/icps/{icp.id}"
    return _answer(response, icp)


@router.get("/v1/icps/{id}/scores", summary="List the leads of a tier")
@requires(ICPS_READ)
async def list_icp_scores(
    icp_id: ResourceId,
    pages: InPages,
    unit: UnitOfWorkDep,
    tier: Annotated[str | None, Query(max_length=10, description="Name of the tier. Default: the best one.")] = None,
) -> Listing[ScoreRow]:
    """The leads of a tier by the live version, the highest scores first."""
    page = await scores.list_scores(unit.tx, unit.actor, icp_id=icp_id, tier=tier, after=pages.after, limit=pages.limit)
    return pages.answer(page)


@router.get("/v1/leads/{id}/scores", summary="Retrieve the scores of a lead")
@requires(ICPS_READ)
async def get_lead_scores(lead_id: ResourceId, unit: UnitOfWorkDep) -> LeadScores:
    """The scores of the lead by all published profiles."""
    return LeadScores(items=await scores.scores_of_lead(unit.tx, unit.actor, lead_id=lead_id))


@router.get("/v1/leads/{id}/score", summary="Explain the score of a lead")
@requires(ICPS_READ)
async def explain_lead_score(lead_id: ResourceId, unit: UnitOfWorkDep, profile: _Profile = None) -> LeadScore:
    """Explain how the points add up: each criterion with its facts, its test and its points, and what is unknown."""
    return await scores.explain(unit.tx, unit.actor, lead_id=lead_id, profile=profile)


@router.get("/v1/leads/{id}/score-improvements", summary="What would lift a lead into a tier")
@requires(ICPS_READ)
async def improve_lead_score(
    lead_id: ResourceId,
    unit: UnitOfWorkDep,
    profile: _Profile = None,
    tier: Annotated[str | None, Query(max_length=10, description="Name of the tier. Default: the best one.")] = None,
) -> ImprovementList:
    """The smallest sets of up to three criteria: those to find out, and those that would have to change."""
    return await scores.improve(unit.tx, unit.actor, lead_id=lead_id, profile=profile, tier=tier)
