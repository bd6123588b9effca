"""Progress of a job, in a terminal or a log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from leadflood.cli.output import console, moment, note, visible
from leadflood.kernel.clock import monotonic

if TYPE_CHECKING:
    from leadflood.cli.context import CliContext
    from leadflood.domains.jobs.contracts import JobView

_MIN_POLL, _MAX_POLL = 0.05, 1.0
_WORKER_HINT_AFTER = 3.0
_NO_WORKER = "No worker is running. Start one with `leadflood worker`, or run `leadflood up`."


class ProgressReporter(Protocol):
    """Reports the progress of a job."""

    def print_line(self, line: str) -> None:
        """Add a permanent line."""
        ...

    def show(self, state: str) -> None:
        """Show the current activity; the next call replaces it."""
        ...


class LineReporter:
    """Standard error without a terminal: one line per change."""

    def print_line(self, line: str) -> None:
        """Add a line."""
        note(line)

    def show(self, state: str) -> None:
        """Nothing: a log has no lines to overwrite."""


class NullReporter:
    """No progress, for programs that read the result."""

    def print_line(self, line: str) -> None:
        """Nothing."""

    def show(self, state: str) -> None:
        """Nothing."""


@dataclass
class JobProgressLines:
    """The progress lines of a job, each printed once, however rarely the job is polled."""

    _seen: set[tuple[str, int]] = field(default_factory=set)

    def lines(self, job: "JobView") -> list[str]:
        """Changes since the last call: `queued`, `running, attempt 1 of 5`, each failure, the final state."""
        states = {("queued", 1): f"{_clock(job, job.created_at)}  queued"}
        for failure in job.failures:
            attempt, reason = failure.attempt, visible(failure.error)
            states["running", attempt] = f"{_clock(job, None)}  running, attempt {attempt} of {job.max_attempts}"
            states["failed", attempt] = f"{_clock(job, failure.at)}  attempt {attempt} failed: {reason}"
        if job.status in ("running", "completed"):
            states["running", job.attempts] = (
                f"{_clock(job, job.started_at)}  running, attempt {job.attempts} of {job.max_attempts}"
            )
        if job.status == "queued" and job.attempts:
            line = f"retrying: attempt {job.attempts + 1} at {moment(job.next_attempt_at)}"
            if job.on_hold:
                line = "waiting: outgoing effects are on hold (`leadflood hold status`)"
            elif job.waiting_for and job.waiting_until is None:
                line = visible(job.waiting_for)
            elif job.waiting_until is not None:
                line = f"waiting until {moment(job.waiting_until)}: {visible(job.waiting_for or '')}"
            states["queued", job.attempts + 1] = f"{_clock(job, None)}  {line}"
        if job.status in ("completed", "failed"):
            states[job.status, 0] = f"{_clock(job, job.finished_at)}  {job.status}"
        fresh = {key: line for key, line in states.items() if key not in self._seen}
        self._seen.update(fresh)
        return list(fresh.values())


async def follow(context: "CliContext", job_id: UUID, screen: ProgressReporter, *, timeout: float | None) -> "JobView":  # noqa: ASYNC109  its end is an answer, not an error
    """Print the job's progress until it ends, or for `timeout` seconds; returns its state then.

    Raises: leadflood.domains.jobs.errors.JobNotFound, leadflood.kernel.errors.Unavailable.
    """
    from leadflood.domains.jobs import queries

    story, started, pause, hinted = JobProgressLines(), monotonic(), _MIN_POLL, False
    while True:
        async with context.transaction(read_only=True) as tx:
            job = await queries.get_job(tx, context.actor, job_id=job_id)
            workers = (await queries.system_status(tx)).workers
        fresh = story.lines(job)
        for line in fresh:
            screen.print_line(line)
        passed = monotonic() - started
        if job.status in ("completed", "failed") or (timeout is not None and passed >= timeout):
            return job
        if not workers and not hinted and passed >= _WORKER_HINT_AFTER:
            screen.print_line(_NO_WORKER)
            hinted = True
        screen.show(_state(job))
        pause = _MIN_POLL if fresh else min(_MAX_POLL, pause * 1.3)
        await asyncio.sleep(pause)


@asynccontextmanager
async def open_reporter(*, silent: bool = False) -> AsyncIterator[ProgressReporter]:
    """A live display in a terminal, plain lines otherwise; both on standard error."""
    import sys

    if silent:
        yield NullReporter()
    elif not sys.stderr.isatty():
        yield LineReporter()
    else:
        terminal = console(sys.stderr)
        with terminal.status("") as status:

            class Live:
                def print_line(self, line: str) -> None:
                    terminal.print(line)

                def show(self, state: str) -> None:
                    status.update(visible(state))

            yield Live()


def _state(job: "JobView") -> str:
    if job.status == "running":
        return f"running, attempt {job.attempts} of {job.max_attempts} …"
    if job.on_hold:
        return "on hold …"
    if job.waiting_until is not None:
        return f"waiting until {moment(job.waiting_until)} …"
    if job.waiting_for:
        return job.waiting_for
    if job.attempts:
        return f"waiting for attempt {job.attempts + 1} at {moment(job.next_attempt_at)} …"
    return "queued …"


def _clock(job: "JobView", at: datetime | None) -> str:
    """Seconds since the job was created; blank if unknown."""
    return " " * 10 if at is None else f"{(at - job.created_at).total_seconds():8.2f} s"
