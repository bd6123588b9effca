"""Retries of several jobs in one request. Separate, as `/v1/jobs/{id}` would match any path below `/v1/jobs`."""

from fastapi import APIRouter

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.jobs import service
from leadflood.domains.jobs.contracts import BulkOutcome, RetryJobs
from leadflood.domains.jobs.permissions import JOBS_WRITE

router = APIRouter(prefix="/v1/job-retries", tags=["jobs"], route_class=EdgeRoute)


@router.post("", status_code=202, summary="Retry failed jobs")
@requires(JOBS_WRITE)
async def retry_jobs(unit: UnitOfWorkDep, command: RetryJobs) -> BulkOutcome:
    """Requeues the `failed` ones of the given jobs, and lists the others with the reason."""
    return await service.retry_jobs(unit.tx, unit.actor, unit.parts.registry, command=command)
