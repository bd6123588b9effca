"""Merges of all certain pairs over HTTP."""

from typing import Any

from fastapi import APIRouter, Response

from leadflood.api.deps import ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import MergeCertain, MergeRunView
from leadflood.domains.duplicates.service import merge_runs
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE

router = APIRouter(prefix="/v1/merge-runs", tags=["merges"], route_class=EdgeRoute)

_CONFLICT: dict[int | str, dict[str, Any]] = {409: {}}


@router.post("", status_code=202, summary="Merge all certain pairs", responses=_CONFLICT)
@requires(LEADS_WRITE)
async def merge_certain(command: MergeCertain, response: Response, unit: UnitOfWorkDep) -> MergeRunView:
    """Starts to merge all open pairs of score 100 in the background; the older lead of each survives.

    `GET /v1/duplicates/counts` has their number. Poll the run in `Location`, and undo it as a whole.
    """
    run = await merge_runs.merge_certain(unit.tx, unit.actor, expected_count=command.expected_count, trace=unit.trace)
    response.headers["Location"] = f"/v1/merge-runs/{run.id}"
    return run


@router.get("/{id}", summary="Retrieve a merge of all certain pairs")
@requires(LEADS_READ)
async def get_merge_run(run_id: ResourceId, unit: UnitOfWorkDep) -> MergeRunView:
    """Its status, and the number of pairs merged, skipped and separated again."""
    return await queries.get_merge_run(unit.tx, unit.actor, run_id=run_id)


@router.post("/{id}/undos", status_code=202, summary="Undo a merge of all certain pairs", responses=_CONFLICT)
@requires(LEADS_WRITE)
async def undo_merge_run(run_id: ResourceId, unit: UnitOfWorkDep) -> MergeRunView:
    """Starts to undo its merges in the background, the latest first. Later edits are kept."""
    return await merge_runs.undo_run(unit.tx, unit.actor, run_id=run_id, trace=unit.trace)
