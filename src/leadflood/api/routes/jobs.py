"""Jobs: look at them, bring failed ones back, end unwanted ones."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from leadflood.api.deps import InPages, InUnit, Listing, ResourceId
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.jobs import queries, service
from leadflood.domains.jobs.contracts import JobView
from leadflood.domains.jobs.models import JobStatus
from leadflood.kernel.actor import Permission

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=EdgeRoute)

KindFilter = Annotated[str | None, Query(max_length=100, pattern=r"^[a-z0-9._-]+$", description="Only this kind.")]


@router.get("", summary="List jobs, newest first")
@requires(Permission.JOBS_READ)
async def list_jobs(
    unit: InUnit,
    paging: InPages,
    status: Annotated[JobStatus | None, Query(description="Only jobs in this state.")] = None,
    kind: KindFilter = None,
    subject_id: Annotated[UUID | None, Query(alias="subjectId", description="Only jobs about this lead.")] = None,
) -> Listing[JobView]:
    """The jobs of the workspace."""
    page = await queries.list_jobs(
        unit.tx, unit.actor, status=status, kind=kind, subject_id=subject_id, after=paging.after, limit=paging.limit
    )
    return paging.answer(page)


@router.get("/{id}", summary="Read a job")
@requires(Permission.JOBS_READ)
async def get_job(unit: InUnit, job_id: ResourceId) -> JobView:
    """One job, with the reasons why its attempts failed."""
    return await queries.get_job(unit.tx, unit.actor, job_id=job_id)


@router.post("/{id}/retries", status_code=202, summary="Retry a failed job")
@requires(Permission.JOBS_WRITE)
async def retry_job(unit: InUnit, job_id: ResourceId) -> JobView:
    """Queues the job again with a fresh set of attempts. 409 unless it is `failed`."""
    job = await service.retry_job(unit.tx, unit.actor, unit.parts.registry, job_id=job_id)
    await unit.audit("job.retried", "job", job_id)
    return job


@router.post("/{id}/cancellations", status_code=202, summary="Cancel a queued or running job")
@requires(Permission.JOBS_WRITE)
async def cancel_job(unit: InUnit, job_id: ResourceId) -> JobView:
    """Ends the job as `failed`. What a running attempt still answers changes nothing. 409 when it is over already."""
    job = await service.cancel_job(unit.tx, unit.actor, unit.parts.registry, job_id=job_id)
    await unit.audit("job.cancelled", "job", job_id)
    return job
