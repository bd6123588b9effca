"""Runs one attempt of one job and records how it ended."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from leadflood.domains.jobs import execution
from leadflood.domains.jobs.errors import AttemptLost, Retryable, Terminal
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import GroupHandler, JobContext, JobGroup, JobRegistry
from leadflood.domains.jobs.shared import SharedTransactions
from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.database import Database
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.faults import describe
from leadflood.kernel.hold import EffectsOnHold
from leadflood.worker.metrics import job_ended

_log = structlog.get_logger()


class Runner:
    """The one place where the outcome of a handler becomes the state of its job."""

    def __init__(self, database: Database, registry: JobRegistry, worker_id: UUID) -> None:
        self._database = database
        self._registry = registry
        self._worker_id = worker_id
        self._shared = SharedTransactions(database)

    async def run(self, job: RunningJob) -> None:
        """One attempt, from claimed to recorded."""
        started = monotonic()
        with structlog.contextvars.bound_contextvars(**_fields(job)):
            outcome = await self._attempt(job)
            seconds = monotonic() - started
            job_ended(job.kind, outcome, seconds)
            _log.info("job.ended", outcome=outcome, duration_ms=round(seconds * 1000, 1))

    def together(self, job: RunningJob) -> bool:
        """Whether this attempt may be done together with others of its kind and workspace."""
        definition = self._registry.find(job.kind)
        return definition is not None and definition.together is not None and job.attempt == 1

    async def run_together(self, jobs: Sequence[RunningJob]) -> list[RunningJob]:
        """One attempt of each of these jobs of one kind and workspace. Returns those that are left, to be run alone."""
        started = monotonic()
        group = JobGroup(self._database, jobs)
        definition = self._registry.find(jobs[0].kind)
        if definition is not None and definition.together is not None:
            await self._handle_together(group, definition.together, definition.timeout)
        seconds = monotonic() - started
        for job in jobs:
            if job.id in group.completed or job.id in group.lost:
                outcome = "completed" if job.id in group.completed else "lost"
                job_ended(job.kind, outcome, seconds)
                _log.info("job.ended", **_fields(job), outcome=outcome, duration_ms=round(seconds * 1000, 1))
        return [job for job in jobs if job.id not in group.completed and job.id not in group.lost]

    async def _handle_together(self, group: JobGroup, handler: GroupHandler, timeout: float) -> None:  # noqa: ASYNC109  it is the definition's
        try:
            async with asyncio.timeout(timeout):
                await handler(group)
        except Exception:  # noqa: BLE001  each job is run alone then, and meets its own fault, if it has one
            fields = {"job_kind": group.jobs[0].kind, "jobs": len(group.jobs)}
            _log.warning("jobs.not_done_together", **fields, exc_info=True)

    async def _attempt(self, job: RunningJob) -> str:
        try:
            await self._handle(job)
        except AttemptLost:
            return "lost"
        except (Retryable, Terminal) as failure:
            return await self._end(job, failure)
        except EffectsOnHold:
            return await self._put_on_hold(job)
        except Unavailable as away:
            return await self._end(job, Retryable(away.detail))
        except Exception as fault:  # noqa: BLE001  a handler's bug must end its attempt, not the worker
            _log.exception("job.fault")
            return await self._end(job, Retryable(describe(fault)))
        return "completed"

    async def _handle(self, job: RunningJob) -> None:
        definition = self._registry.find(job.kind)
        if definition is None:
            raise Retryable(f"This version does not know the job kind {job.kind!r}.")
        context = JobContext(self._database, job, self._worker_id, self._shared)
        limit = asyncio.timeout(definition.timeout)
        try:
            async with limit:
                await definition.handler(context)
                if not context.finished:
                    async with context.completing():
                        pass
        except TimeoutError as error:
            if limit.expired():
                raise Retryable(f"Not done within {definition.timeout:g} seconds.") from error
            raise

    async def _end(self, job: RunningJob, failure: Retryable | Terminal) -> str:
        final = isinstance(failure, Terminal)
        retry_at = failure.retry_at if isinstance(failure, Retryable) else None
        try:
            changed = await execution.end_attempt(
                self._database, self._registry, job, failure.reason, retry_at=retry_at, final=final
            )
        except Unavailable as away:
            # The lease runs out and the job is rescued, on a worker that does reach the database.
            _log.warning("job.database_away", detail=away.detail)
            return "lost"
        if not changed:
            return "lost"
        last = final or job.attempt >= job.max_attempts
        _log.warning("job.attempt_failed", error=failure.reason, final=last)
        return "failed" if last else "retry"

    async def _put_on_hold(self, job: RunningJob) -> str:
        try:
            changed = await execution.put_on_hold(self._database, job)
        except Unavailable as away:
            _log.warning("job.database_away", detail=away.detail)
            return "lost"
        return "on_hold" if changed else "lost"


def _fields(job: RunningJob) -> dict[str, object]:
    """What every log line about an attempt carries."""
    return {**job.trace, "job_id": str(job.id), "job_kind": job.kind, "attempt": job.attempt}
