"""Runs attempts of jobs, alone or together, and records their results."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog

from leadflood.domains.jobs import execution
from leadflood.domains.jobs.completion import Completer, Effect, nothing
from leadflood.domains.jobs.errors import AttemptLost, Retryable, Terminal
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition, JobRegistry, Later
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.database import Database
from leadflood.kernel.error_redaction import describe
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.hold import EffectsOnHold
from leadflood.worker.isolation import Isolation, ProcessEnded
from leadflood.worker.metrics import job_ended

_DONE = Complete(nothing, None)
_GRACE = 30.0
"""Extra seconds of a process beyond the time limit of its job, which the job should enforce itself."""
_log = structlog.get_logger()


class Executor:
    """The only place where the result of a handler becomes the state of its job."""

    def __init__(self, database: Database, registry: JobRegistry, worker_id: UUID) -> None:
        self._database = database
        self.registry = registry
        self.worker_id = worker_id
        self._completer = Completer(database, registry.attempts)

    async def run(self, job: RunningJob) -> str:
        """Run one claimed attempt and record its result. Returns the result."""
        started = monotonic()
        with structlog.contextvars.bound_contextvars(**_fields(job)):
            outcome = await self._attempt(job)
            seconds = monotonic() - started
            job_ended(job.kind, outcome, seconds)
            _log.info("job.ended", outcome=outcome, duration_ms=round(seconds * 1000, 1))
        return outcome

    def takes_many(self, job: RunningJob) -> bool:
        """Whether this attempt can run together with others of its kind and workspace: none before it failed."""
        definition = self.registry.find(job.kind)
        if definition is None or definition.load is None:
            return False
        return job.losses == 0 and job.failed_attempts(definition.kind.max_attempts) == 0

    async def run_many(self, jobs: Sequence[RunningJob]) -> list[RunningJob]:
        """Run one attempt of each of these jobs of one kind and workspace. Returns those that must run alone."""
        started = monotonic()
        ended: dict[UUID, str] = {}
        definition = self.registry.find(jobs[0].kind)
        if definition is not None:
            try:
                async with asyncio.timeout(definition.timeout):
                    await self._handle_many(definition, jobs, ended)
            except Exception:  # noqa: BLE001  each job is run alone then, and meets its own fault, if it has one
                _log.warning("jobs.batch_failed", job_kind=jobs[0].kind, jobs=len(jobs), exc_info=True)
        seconds = monotonic() - started
        for job in jobs:
            if job.id in ended:
                job_ended(job.kind, ended[job.id], seconds)
                _log.info("job.ended", **_fields(job), outcome=ended[job.id], duration_ms=round(seconds * 1000, 1))
        return [job for job in jobs if job.id not in ended]

    async def _handle_many(
        self, definition: JobDefinition[Any], jobs: Sequence[RunningJob], ended: dict[UUID, str]
    ) -> None:
        by_effect: defaultdict[Effect[Any], list[tuple[RunningJob, Any]]] = defaultdict(list)
        faults: list[Exception] = []
        for context in await self._loaded(definition, jobs):
            try:
                outcome = await definition.handler(context) or _DONE
            except Exception as fault:  # noqa: BLE001  as in `run_many`
                faults.append(fault)
                continue
            if isinstance(outcome, Later):
                ended[context.job.id] = await self._reschedule(context.job, outcome)
            else:
                by_effect[outcome.effect].append((context.job, outcome.value))
        if faults:
            counts = {"jobs": len(jobs), "failed": len(faults)}
            _log.warning("jobs.batch_failed", job_kind=jobs[0].kind, **counts, exc_info=faults[0])
        for effect, items in by_effect.items():
            for (job, _), failed in zip(items, await self._completer.complete(effect, items), strict=True):
                if failed is None or isinstance(failed, AttemptLost):
                    ended[job.id] = "completed" if failed is None else "lost"

    async def _loaded(self, definition: JobDefinition[Any], jobs: Sequence[RunningJob]) -> list[JobContext[Any]]:
        """The contexts of those jobs that can be handled together."""
        readable = [(job, payload) for job in jobs if (payload := _payload(definition, job)) is not None]
        if definition.load is None or not readable:
            return []
        workspace_id = jobs[0].workspace_id
        async with self._database.transaction(workspace_id, read_only=True) as tx:
            found = await definition.load(tx, Actor.system(workspace_id), [payload for _, payload in readable])
        return [
            self._context(job, payload, loaded)
            for (job, payload), loaded in zip(readable, found, strict=True)
            if loaded is not None
        ]

    def _context(self, job: RunningJob, payload: Any, loaded: Any = None) -> JobContext[Any]:  # noqa: ANN401  of any kind
        return JobContext(
            self._database, job, payload, worker_id=self.worker_id, completer=self._completer, loaded=loaded
        )

    async def _attempt(self, job: RunningJob) -> str:
        try:
            return await self._handle(job)
        except AttemptLost:
            return "lost"
        except (Retryable, Terminal) as failure:
            return await self._end(job, failure)
        except EffectsOnHold:
            return await self._put_on_hold(job)
        except Unavailable as away:
            return await self._end(job, Retryable(away.detail))
        except Exception as fault:  # noqa: BLE001  a handler's bug must end its attempt, not the worker
            _log.exception("job.exception")
            return await self._end(job, Retryable(describe(fault)))

    async def _handle(self, job: RunningJob) -> str:
        definition = self.registry.find(job.kind)
        if definition is None:
            raise Retryable(f"This version does not know the job kind {job.kind!r}.")
        payload = definition.payload_of(job)
        limit = asyncio.timeout(definition.timeout)
        try:
            async with limit:
                outcome = await definition.handler(self._context(job, payload)) or _DONE
                if not isinstance(outcome, Later):
                    await self._complete(definition, job, outcome)
        except TimeoutError as error:
            if limit.expired():
                raise Retryable(f"Not done within {definition.timeout:g} seconds.") from error
            raise
        return await self._reschedule(job, outcome) if isinstance(outcome, Later) else "completed"

    async def _complete(self, definition: JobDefinition[Any], job: RunningJob, outcome: Complete[Any]) -> None:
        if definition.many:
            await self._completer.complete_shared(outcome.effect, job, outcome.value)
            return
        (fault,) = await self._completer.complete(outcome.effect, [(job, outcome.value)])
        if fault is not None:
            raise fault

    async def run_isolated(self, job: RunningJob, isolation: Isolation) -> None:
        """Like `run`, in a separate process. If the process dies, the attempt has failed."""
        started = monotonic()
        with structlog.contextvars.bound_contextvars(**_fields(job)):
            definition = self.registry.find(job.kind)
            try:
                async with asyncio.timeout(definition.timeout + _GRACE if definition else None):
                    outcome = await isolation.run(job)
            except Unavailable as away:
                _log.warning("job.not_isolated", detail=away.detail)
                await execution.release(self._database, job, delay=_GRACE)
                outcome = "released"
            except ProcessEnded as ended:
                outcome = await self._end(job, Retryable(str(ended)), ended_process=True)
            except TimeoutError:
                reason = "The process in which the job ran alone did not answer in time and was killed."
                outcome = await self._end(job, Retryable(reason), ended_process=True)
            job_ended(job.kind, outcome, monotonic() - started)

    async def _end(self, job: RunningJob, failure: Retryable | Terminal, *, ended_process: bool = False) -> str:
        final = isinstance(failure, Terminal)
        retry_at = failure.retry_at if isinstance(failure, Retryable) else None
        try:
            changed = await execution.end_attempt(
                self._database,
                self.registry,
                job,
                failure.reason,
                retry_at=retry_at,
                final=final,
                ended_process=ended_process,
            )
        except Unavailable as away:
            # The lease expires and the job is rescued by a worker that reaches the database.
            _log.warning("job.database_unavailable", detail=away.detail)
            return "lost"
        if not changed:
            return "lost"
        last = final or job.attempt >= job.max_attempts
        _log.warning("job.attempt_failed", error=failure.reason, final=last)
        return "failed" if last else "retry"

    async def _reschedule(self, job: RunningJob, later: Later) -> str:
        """The leads of one company, and those of others, are put off together."""
        try:
            queued = await self._completer.share(execution.reschedule, job, later)
        except AttemptLost:
            return "lost"
        return "lost" if queued is None else "later"

    async def _put_on_hold(self, job: RunningJob) -> str:
        try:
            changed = await execution.put_on_hold(self._database, job)
        except Unavailable as away:
            _log.warning("job.database_unavailable", detail=away.detail)
            return "lost"
        return "on_hold" if changed else "lost"


def _payload(definition: JobDefinition[Any], job: RunningJob) -> Any:  # noqa: ANN401  of any kind
    """The payload; None if it is invalid, in which case the job fails when it runs alone."""
    try:
        return definition.payload_of(job)
    except Terminal:
        return None


def _fields(job: RunningJob) -> dict[str, object]:
    """Log fields of an attempt."""
    return {**job.trace, "job_id": str(job.id), "job_kind": job.kind, "attempt": job.attempt}
