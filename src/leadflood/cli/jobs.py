"""`leadflood job …`: background jobs."""

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.ids import parse_id
from leadflood.cli.listing import AS_JSON, EVERYTHING, LIMIT, WORKSPACE, print_pages
from leadflood.cli.output import TableColumn, moment, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from leadflood.domains.jobs.contracts import JobView

Status = Literal["queued", "running", "completed", "failed"]
_ID = typer.Argument(help="Job ID.", parser=parse_id)

app = typer.Typer(help="List, show, retry and cancel jobs.", no_args_is_help=True)


@app.command("list")
def list_(
    status: Status | None = typer.Option(None, help="Filter by status."),
    kind: str | None = typer.Option(None, help="Filter by kind, e.g. leads.enrich.v1."),
    lead: UUID | None = typer.Option(None, help="Filter by lead ID.", parser=parse_id),
    limit: int = LIMIT,
    everything: bool = EVERYTHING,
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """List jobs, newest first.

    Example: `leadflood job list --status failed`
    """

    async def work() -> None:
        from leadflood.domains.jobs import queries
        from leadflood.domains.jobs.models import JobStatus

        wanted = JobStatus(status) if status else None
        async with open_context(workspace) as context:
            fetch = context.reading(queries.list_jobs, status=wanted, kind=kind, subject_id=lead)
            await print_pages(fetch, _COLUMNS, _row, limit=None if everything else limit, as_json=as_json)

    run(work())


@app.command("show")
def show(job: UUID = _ID, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Show a job and the errors of its failed attempts.

    Example: `leadflood job show 0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11`
    """

    async def work() -> None:
        from leadflood.domains.jobs import queries

        async with open_context(workspace) as context:
            async with context.transaction(read_only=True) as tx:
                found = await queries.get_job(tx, context.actor, job_id=job)
            _print(found, as_json=as_json)

    run(work())


@app.command("retry")
def retry(job: UUID = _ID, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Retry a failed job, with a fresh set of attempts.

    Example: `leadflood job retry 0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11`
    """

    async def work() -> None:
        from leadflood.domains.jobs import service

        async with open_context(workspace) as context:
            async with context.transaction() as tx:
                changed = await service.retry_job(tx, context.actor, context.platform.registry, job_id=job)
            _print(changed, as_json=as_json)

    run(work())


@app.command("cancel")
def cancel(job: UUID = _ID, workspace: str | None = WORKSPACE, as_json: bool = AS_JSON) -> None:
    """Cancel a queued or running job. It ends as failed; late results are ignored.

    Example: `leadflood job cancel 0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11`
    """

    async def work() -> None:
        from leadflood.domains.jobs import service

        async with open_context(workspace) as context:
            async with context.transaction() as tx:
                changed = await service.cancel_job(tx, context.actor, context.platform.registry, job_id=job)
            _print(changed, as_json=as_json)

    run(work())


_COLUMNS = [
    TableColumn("id", whole=True),
    *map(TableColumn, ("kind", "status", "attempts", "lead", "created", "next attempt", "last error")),
]


def _row(job: "JobView") -> tuple[object, ...]:
    return (
        job.id,
        job.kind,
        job.status,
        f"{job.attempts}/{job.max_attempts}",
        job.subject_id,
        moment(job.created_at),
        moment(job.next_attempt_at),
        job.last_error,
    )


def _print(job: "JobView", *, as_json: bool) -> None:
    if as_json:
        print_json(job)
        return
    print_facts(
        [
            ("job", job.id),
            ("kind", job.kind),
            ("status", job.status),
            ("attempts", f"{job.attempts} of {job.max_attempts}"),
            ("lead", job.subject_id),
            ("created", job.created_at),
            ("started", job.started_at),
            ("finished", job.finished_at),
            ("next attempt", job.next_attempt_at),
            ("waiting for", job.waiting_for),
            ("last error", job.last_error),
        ]
    )
    if job.failures:
        say()
        rows = [(failure.attempt, failure.at, failure.error) for failure in job.failures]
        print_table([TableColumn("attempt"), TableColumn("failed at"), TableColumn("error")], rows)
