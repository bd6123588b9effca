"""Jobs: running, queued and failed ones with their errors; the attempts of one job; retries."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.events import ENRICH_LEAD
from leadflood.domains.jobs import queries, service
from leadflood.domains.jobs.contracts import BulkOutcome, JobView, RetryCause, RetryJobs
from leadflood.domains.jobs.models import MAX_CAUSE, JobStatus
from leadflood.domains.jobs.permissions import JOBS_READ, JOBS_WRITE, OUTBOX_READ
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.leads.queries import leads_by_id
from leadflood.kernel.db.transaction import Transaction
from leadflood.web.cookies import local_path
from leadflood.web.forms import validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.jobs_presenter import outcome_toasts
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_LIVE = ("jobs_queue", "jobs_causes", "jobs_list", "jobs_workers")
_ALL = "all"
_ROWS = 50
_EVENTS = 20


@pages.get("/jobs", JOBS_READ, live=_LIVE)
async def list_jobs(ctx: PageContext) -> PageResult:
    """The queue, failures by error, and the jobs: failed ones, unless `?status=…` asks for others.

    `?cause=…&kind=…` filters them, too.
    """
    asked = ctx.query.get("status", JobStatus.FAILED.value)
    status = next((item for item in JobStatus if item.value == asked), None)
    cause, kind = ctx.query.get("cause"), ctx.query.get("kind")
    cause = cause[:MAX_CAUSE] if cause is not None else None
    narrowed = {"status": status.value if status else _ALL, "cause": cause, "kind": kind}
    scope = f"jobs {narrowed}"
    async with ctx.reading() as tx:
        page = await queries.list_jobs(
            tx, ctx.actor, status=status, cause=cause, kind=kind, after=ctx.after(scope), limit=_ROWS
        )
        context: dict[str, Any] = {
            "jobs": page.items,
            "leads": await _leads(tx, ctx, page.items),
            "next": ctx.cursor(page, scope),
            "queue": await queries.get_queue(tx, ctx.actor),
            "causes": await queries.failed_by_cause(tx, ctx.actor),
            "alive": (await queries.system_status(tx)).workers,
        }
    return PageResponse("jobs/list.html", {**context, "narrowed": narrowed, "paged": "after" in ctx.query})


@pages.get("/jobs/{id}", JOBS_READ, live=("job_state",))
async def show_job(ctx: PageContext) -> PageResult:
    """One job: its subject, its attempts with their errors, and the events that published it."""
    async with ctx.reading() as tx:
        job = await queries.get_job(tx, ctx.actor, job_id=ctx.id())
        leads = await _leads(tx, ctx, [job])
        events = (
            await queries.list_events(tx, ctx.actor, job_id=job.id, limit=_EVENTS) if ctx.may(OUTBOX_READ) else None
        )
    return PageResponse("jobs/job.html", {"job": job, "leads": leads, "events": events.items if events else []})


@pages.post("/jobs/{id}/retries", JOBS_WRITE)
async def retry_job(ctx: PageContext) -> PageResult:
    """Retry one failed job."""
    async with ctx.writing() as tx:
        await service.retry_job(tx, ctx.actor, ctx.parts.registry, job_id=ctx.id())
    outcome = BulkOutcome(processed=1, refused=[], job_id=None)
    return _back(ctx, outcome, f"/jobs/{ctx.id()}")


@pages.post("/jobs/{id}/cancellations", JOBS_WRITE)
async def cancel_job(ctx: PageContext) -> PageResult:
    """End a queued or running job."""
    async with ctx.writing() as tx:
        await service.cancel_job(tx, ctx.actor, ctx.parts.registry, job_id=ctx.id())
    return Redirect(f"/jobs/{ctx.id()}")


@pages.post("/jobs/retries", JOBS_WRITE)
async def retry_jobs(ctx: PageContext) -> PageResult:
    """Retry the selected jobs."""
    command = ctx.form.read(RetryJobs)
    async with ctx.writing() as tx:
        outcome = await service.retry_jobs(tx, ctx.actor, ctx.parts.registry, command=command)
    return _back(ctx, outcome, "/jobs")


@pages.post("/jobs/failures/retries", JOBS_WRITE)
async def retry_cause(ctx: PageContext) -> PageResult:
    """Retry all jobs that failed with an error."""
    command = validated(RetryCause, {"cause": ctx.form.value("cause"), "kind": ctx.form.value("kind")})
    async with ctx.writing() as tx:
        outcome = await service.retry_cause(
            tx,
            ctx.actor,
            ctx.parts.registry,
            command=command,
            trace=ctx.trace,
        )
    return _back(ctx, outcome, "/jobs")


async def _leads(tx: Transaction, ctx: PageContext, jobs: Sequence[JobView]) -> dict[UUID, str]:
    """Names of the leads that the jobs process."""
    if not ctx.may(LEADS_READ):
        return {}
    wanted = {job.subject_id for job in jobs if job.subject_id and job.kind == ENRICH_LEAD.name}
    found = await leads_by_id(tx, ctx.actor, lead_ids=wanted) if wanted else {}
    return {lead_id: name_of(lead) for lead_id, lead in found.items()}


def _back(ctx: PageContext, outcome: BulkOutcome, default: str) -> Redirect:
    return Redirect(local_path(ctx.form.value("next"), default), outcome_toasts(outcome, "job", "Retrying"))
