"""Jobs: view, retry and cancel."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.jobs import queries, service
from leadflood.domains.jobs.contracts import BulkOutcome, CauseGroups, JobView, QueueView, RetryCause
from leadflood.domains.jobs.models import MAX_CAUSE, JobStatus
from leadflood.domains.jobs.permissions import JOBS_READ, JOBS_WRITE
from leadflood.kernel.timestamps import Timestamp

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=EdgeRoute)

KindFilter = Annotated[str | None, Query(max_length=100, pattern=r"^[a-z0-9._-]+$", description="Filter by kind.")]
CauseFilter = Annotated[
    str | None,
    Query(max_length=MAX_CAUSE, pattern=r"^[^\x00]*$", description="Filter by error (exact match)."),
]


@router.get("", summary="List jobs, newest first")
@requires(JOBS_READ)
async def list_jobs(
    unit: UnitOfWorkDep,
    paging: InPages,
    status: Annotated[JobStatus | None, Query(description="Filter by status.")] = None,
    kind: KindFilter = None,
    subject_id: Annotated[UUID | None, Query(alias="subjectId", description="Filter by lead ID.")] = None,
    cause: CauseFilter = None,
    created_from: Annotated[Timestamp | None, Query(alias="createdFrom", description="Inclusive.")] = None,
    created_until: Annotated[Timestamp | None, Query(alias="createdUntil", description="Exclusive.")] = None,
) -> Listing[JobView]:
    """The jobs of the workspace. With `cause`, only failed ones."""
    page = await queries.list_jobs(
        unit.tx,
        unit.actor,
        status=status,
        kind=kind,
        subject_id=subject_id,
        cause=cause,
        created_from=created_from,
        created_until=created_until,
        after=paging.after,
        limit=paging.limit,
    )
    return paging.answer(page)


@router.get("/failures", summary="List failures by error")
@requires(JOBS_READ)
async def get_job_failures(unit: UnitOfWorkDep, kind: KindFilter = None) -> CauseGroups:
    """Number of failed jobs per error, most frequent first. Counted up to 10,000 per error."""
    return await queries.failed_by_cause(unit.tx, unit.actor, kind=kind)


@router.get("/queue", summary="Retrieve queue status")
@requires(JOBS_READ)
async def get_queue(unit: UnitOfWorkDep) -> QueueView:
    """Ready and scheduled jobs, and the longest wait. Counted up to 5,000."""
    return await queries.get_queue(unit.tx, unit.actor)


@router.post("/failures/retries", status_code=202, summary="Retry all jobs with an error")
@requires(JOBS_WRITE)
async def retry_job_failures(unit: UnitOfWorkDep, command: RetryCause) -> BulkOutcome:
    """Requeues all jobs that failed with this error. Above 5,000, in the background: poll `jobId`."""
    return await service.retry_cause(
        unit.tx,
        unit.actor,
        unit.parts.registry,
        command=command,
        trace=unit.trace,
    )


@router.get("/{id}", summary="Retrieve a job")
@requires(JOBS_READ)
async def get_job(unit: UnitOfWorkDep, job_id: ResourceId) -> JobView:
    """The job, with the errors of its failed attempts."""
    return await queries.get_job(unit.tx, unit.actor, job_id=job_id)


@router.post("/{id}/retries", status_code=202, summary="Retry a failed job")
@requires(JOBS_WRITE)
async def retry_job(unit: UnitOfWorkDep, job_id: ResourceId) -> JobView:
    """Requeues the job with a fresh set of attempts. Returns 409 unless it is `failed`."""
    return await service.retry_job(unit.tx, unit.actor, unit.parts.registry, job_id=job_id)


@router.post("/{id}/cancellations", status_code=202, summary="Cancel a queued or running job")
@requires(JOBS_WRITE)
async def cancel_job(unit: UnitOfWorkDep, job_id: ResourceId) -> JobView:
    """Ends the job as `failed`; late results are ignored. Returns 409 if it has already ended."""
    return await service.cancel_job(unit.tx, unit.actor, unit.parts.registry, job_id=job_id)
