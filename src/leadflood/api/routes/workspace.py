"""The caller's workspace."""

from fastapi import APIRouter

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import RenameWorkspace, WorkspaceView
from leadflood.domains.identity.permissions import WORKSPACE_READ, WORKSPACE_WRITE
from leadflood.domains.identity.service import workspaces

router = APIRouter(prefix="/v1/workspace", tags=["workspace"], route_class=EdgeRoute)


@router.get("", summary="Retrieve the workspace")
@requires(WORKSPACE_READ)
async def get_workspace(unit: UnitOfWorkDep) -> WorkspaceView:
    """The workspace of the caller."""
    return await queries.get_workspace(unit.tx, unit.actor)


@router.patch("", summary="Update the workspace")
@requires(WORKSPACE_WRITE)
async def rename_workspace(unit: UnitOfWorkDep, command: RenameWorkspace) -> WorkspaceView:
    """Change the workspace's name."""
    return await workspaces.rename_workspace(unit.tx, unit.actor, change=command)
