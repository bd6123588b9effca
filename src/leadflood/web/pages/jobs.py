"""Jobs: what runs, what waits, what failed and why; one job's attempts; bringing failed ones back."""

from typing import Any

from leadflood.domains.jobs import queries, service
from leadflood.domains.jobs.contracts import BulkOutcome, RetryCause, RetryJobs
from leadflood.domains.jobs.models import LONGEST_CAUSE, JobStatus
from leadflood.kernel.actor import Permission
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import validated
from leadflood.web.pages.jobs_told import outcome_toasts
from leadflood.web.pipeline import Pages
from leadflood.web.session import local_path
from leadflood.web.visit import Visit

pages = Pages()

_LIVE = ("jobs_queue", "jobs_causes", "jobs_list", "jobs_workers")
_ROWS = 50
_EVENTS = 20


@pages.get("/jobs", Permission.JOBS_READ, live=_LIVE)
async def list_jobs(visit: Visit) -> Answer:
    """The queue, the workers, failures by cause, and the jobs themselves. `?status=…&cause=…&kind=…` narrows them."""
    status = next((each for each in JobStatus if each.value == visit.query.get("status")), None)
    cause, kind = visit.query.get("cause"), visit.query.get("kind")
    cause = cause[:LONGEST_CAUSE] if cause is not None else None
    narrowed = {"status": status.value if status else None, "cause": cause, "kind": kind}
    scope = f"jobs {narrowed}"
    async with visit.reading() as tx:
        page = await queries.list_jobs(
            tx, visit.actor, status=status, cause=cause, kind=kind, after=visit.after(scope), limit=_ROWS
        )
        context: dict[str, Any] = {
            "jobs": page.items,
            "next": visit.cursor(page, scope),
            "queue": await queries.get_queue(tx, visit.actor),
            "causes": await queries.failed_by_cause(tx, visit.actor),
            "workers": await queries.list_workers(tx) if visit.may(Permission.INSTANCE) else [],
            "alive": (await queries.system_status(tx)).workers,
        }
    return Page("jobs/list.html", {**context, "narrowed": narrowed, "paged": "after" in visit.query})


@pages.get("/jobs/{id}", Permission.JOBS_READ, live=("job_state",))
async def show_job(visit: Visit) -> Answer:
    """One job: what it does, its attempts and why they failed, and the events that published it."""
    async with visit.reading() as tx:
        job = await queries.get_job(tx, visit.actor, job_id=visit.id())
        events = (
            await queries.list_events(tx, visit.actor, job_id=job.id, limit=_EVENTS)
            if visit.may(Permission.OUTBOX_READ)
            else None
        )
    return Page("jobs/job.html", {"job": job, "events": events.items if events else []})


@pages.post("/jobs/{id}/retries", Permission.JOBS_WRITE)
async def retry_job(visit: Visit) -> Answer:
    """Bring one failed job back."""
    async with visit.writing() as tx:
        await service.retry_job(tx, visit.actor, visit.parts.registry, job_id=visit.id())
    outcome = BulkOutcome(done=1, refused=[], job_id=None)
    return _back(visit, outcome, f"/jobs/{visit.id()}")


@pages.post("/jobs/{id}/cancellations", Permission.JOBS_WRITE)
async def cancel_job(visit: Visit) -> Answer:
    """End a queued or running job."""
    async with visit.writing() as tx:
        await service.cancel_job(tx, visit.actor, visit.parts.registry, job_id=visit.id())
    return Redirect(f"/jobs/{visit.id()}")


@pages.post("/jobs/retries", Permission.JOBS_WRITE)
async def retry_jobs(visit: Visit) -> Answer:
    """Bring the ticked jobs back."""
    command = visit.form.read(RetryJobs)
    async with visit.writing() as tx:
        outcome = await service.retry_jobs(tx, visit.actor, visit.parts.registry, command=command)
    return _back(visit, outcome, "/jobs")


@pages.post("/jobs/failures/retries", Permission.JOBS_WRITE)
async def retry_cause(visit: Visit) -> Answer:
    """Bring back all jobs that failed for a cause."""
    command = validated(RetryCause, {"cause": visit.form.value("cause"), "kind": visit.form.value("kind")})
    async with visit.writing() as tx:
        outcome = await service.retry_cause(
            tx,
            visit.actor,
            visit.parts.registry,
            command=command,
            trace=visit.trace,
        )
    return _back(visit, outcome, "/jobs")


def _back(visit: Visit, outcome: BulkOutcome, default: str) -> Redirect:
    return Redirect(local_path(visit.form.value("next"), default), outcome_toasts(outcome, "job", "queued again"))
