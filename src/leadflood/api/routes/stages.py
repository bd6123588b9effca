"""The lifecycle statuses of leads: the team's own list."""

from fastapi import APIRouter, Response

from leadflood.api.deps import ExpectedVersion, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity.permissions import WORKSPACE_READ, WORKSPACE_WRITE
from leadflood.domains.stages import queries, service
from leadflood.domains.stages.contracts import CreateStage, StagesView, StageView, UpdateStage

router = APIRouter(prefix="/v1/stages", tags=["stages"], route_class=EdgeRoute)


@router.post("", status_code=201, summary="Create a stage")
@requires(WORKSPACE_WRITE)
async def create_stage(command: CreateStage, response: Response, unit: UnitOfWorkDep) -> StageView:
    """Create a stage, last in the list. A name or key that exists already returns 409 with `existingId`."""
    stage = await service.create_stage(unit.tx, unit.actor, command=command)
    response.headers["Location"] = f"/v1/stages/{stage.id}"
    response.headers["ETag"] = etag(stage.version)
    return stage


@router.get("", summary="List the stages")
@requires(WORKSPACE_READ)
async def list_stages(unit: UnitOfWorkDep) -> StagesView:
    """All stages in order, archived ones included."""
    return StagesView(items=await queries.list_stages(unit.tx, unit.actor))


@router.get("/{id}", summary="Retrieve a stage")
@requires(WORKSPACE_READ)
async def get_stage(stage_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> StageView:
    """Returns the stage. Its `ETag` is the value for `If-Match`."""
    stage = await queries.get_stage(unit.tx, unit.actor, stage_id=stage_id)
    response.headers["ETag"] = etag(stage.version)
    return stage


@router.patch("/{id}", summary="Update a stage")
@requires(WORKSPACE_WRITE)
async def update_stage(
    stage_id: ResourceId, command: UpdateStage, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> StageView:
    """Rename, recolor, move, archive or restore a stage. Leads keep it. Requires `If-Match`."""
    stage = await service.update_stage(
        unit.tx, unit.actor, stage_id=stage_id, command=command, expected_version=version
    )
    response.headers["ETag"] = etag(stage.version)
    return stage
