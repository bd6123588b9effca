"""The supervisor of `leadflood up`: keeps its child processes running, and stops them in order.

Children run in their own sessions, so that Ctrl-C in a terminal reaches only the supervisor. Each has a `ParentWatch`:
a child that calls `die_with_parent` also ends when the supervisor is killed.
"""

import asyncio
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from leadflood.cli.interruption import Interruption
from leadflood.kernel.clock import monotonic
from leadflood.kernel.errors import AppError
from leadflood.kernel.process_lifetime import HeartbeatMonitor, ParentWatch

DATABASE = "postgres"
"""Name of the database in log lines and restart counters."""
MAX_DATABASE_DELAY = 5.0
"""Longest delay before a restart of the database: it works within 10 s of, for example, freed disk space."""


@dataclass(frozen=True, slots=True)
class ChildCommand:
    """A child: its name in log lines, command, environment, and the seconds that it has to exit after SIGTERM.

    `hung_after`: seconds without a heartbeat after which it is killed and restarted; None: it sends none.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    grace: float = 30
    hung_after: float | None = None


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between an exit and the restart: doubling up to a limit, reset after a healthy run."""

    first: float = 1
    limit: float = 30
    healthy_after: float = 60

    def next(self, previous: float, lifetime: float) -> float:
        """The delay after a run of `lifetime` seconds; `previous` is the delay before it, 0 for the first."""
        if previous == 0 or lifetime >= self.healthy_after:
            return self.first
        return min(previous * 2, self.limit)


class SupervisedDatabase(Protocol):
    """A server that the supervisor also watches; its methods block. `EmbeddedPostgres` is one."""

    def start(self) -> None:
        """Start it and return when it is ready. Raises: AppError: it did not start."""

    def stop(self, *, grace: float = 30) -> None:
        """Stop it; kill it after `grace` seconds. Does nothing if it is not running."""

    def wait(self) -> int:
        """Block until it ends; its exit code."""


class Supervisor:
    """Runs commands until SIGINT, SIGTERM or `request_stop`, and restarts those that end earlier.

    A running database is watched the same way; the commands outlive its restart. `restarts` counts them by name.
    """

    def __init__(
        self,
        commands: Sequence[ChildCommand],
        *,
        database: SupervisedDatabase | None = None,
        backoff: Backoff | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        """Args: commands: in stop order. database: already started, stopped last. interruption: of the start."""
        self.restarts: Counter[str] = Counter()
        self._commands = tuple(commands)
        self._database = database
        self._backoff = backoff or Backoff()
        self._interruption = interruption or Interruption()
        self._stop = asyncio.Event()
        self._stop_now = asyncio.Event()
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._log = structlog.get_logger()

    def pid(self, name: str) -> int | None:
        """Process ID of a command's child; None while it waits for its restart."""
        child = self._children.get(name)
        return child.pid if child is not None and child.returncode is None else None

    def request_stop(self) -> None:
        """Begin to stop; the second call kills the remaining children."""
        if self._stop.is_set():
            self._stop_now.set()
        self._stop.set()

    async def run(self) -> None:
        """Run everything; returns when all of it is stopped, always without children left."""
        async with AsyncExitStack() as stack:
            self._catch_signals(stack)
            if self._interruption.requested:
                self.request_stop()
            parent_watch = ParentWatch()
            stack.callback(parent_watch.close)
            stack.callback(self._kill_all)
            async with asyncio.TaskGroup() as watchers:
                for command in self._commands:
                    watchers.create_task(self._keep_running(command, parent_watch))
                if self._database is not None:
                    watchers.create_task(self._keep_database(self._database))
                await self._stop.wait()
                for command in self._commands:
                    await self._end(command)
                if self._database is not None:
                    await self._stop_database(self._database)
        if self._database is not None:
            # A restart in progress has ended, possibly with a running server.
            await self._stop_database(self._database)

    def _catch_signals(self, stack: AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()
        signals = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # ignored under nohup
            signals.append(signal.SIGHUP)
        for signum in signals:
            loop.add_signal_handler(signum, self.request_stop)
            stack.callback(loop.remove_signal_handler, signum)

    async def _keep_running(self, command: ChildCommand, parent_watch: ParentWatch) -> None:
        delay = 0.0
        while not self._stop.is_set():
            started = monotonic()
            with closing(HeartbeatMonitor()) as monitor:
                try:
                    child = await self._spawn(command, parent_watch, monitor)
                except OSError as error:
                    outcome: dict[str, object] = {"error": error.strerror}
                else:
                    if self._stop.is_set():
                        await self._end(command)
                    outcome = await self._wait(command, child, monitor)
            delay = await self._pause(command.name, outcome, self._backoff.next(delay, monotonic() - started))

    async def _keep_database(self, database: SupervisedDatabase) -> None:
        backoff = replace(self._backoff, limit=min(self._backoff.limit, MAX_DATABASE_DELAY))
        delay = 0.0
        outcome = None
        while not self._stop.is_set():
            started = monotonic()
            if outcome is None:
                outcome = _outcome(await asyncio.to_thread(database.wait))  # noqa: TID251  of the supervisor alone
            delay = await self._pause(DATABASE, outcome, backoff.next(delay, monotonic() - started))
            if self._stop.is_set():
                return
            try:
                await asyncio.to_thread(database.start)  # noqa: TID251  as above
                outcome = None
            except AppError as error:
                outcome = {"error": error.detail}

    async def _pause(self, name: str, outcome: Mapping[str, object], delay: float) -> float:
        """Log an unexpected exit and wait for the restart or for the stop, whichever is first; returns `delay`."""
        if self._stop.is_set():
            return delay
        self._log.warning("process.ended", process=name, restart_in=delay, **outcome)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), delay)
        if not self._stop.is_set():
            self.restarts[name] += 1
        return delay

    async def _wait(
        self, command: ChildCommand, child: asyncio.subprocess.Process, monitor: HeartbeatMonitor
    ) -> dict[str, object]:
        """Wait for a child to exit, or kill it if it hangs. Returns how it ended."""
        exited = asyncio.create_task(child.wait())
        if command.hung_after is not None:
            hung = asyncio.create_task(monitor.wait_for_silence(command.hung_after))
            try:
                await asyncio.wait({exited, hung}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                hung.cancel()
            if not exited.done():
                self._log.error("process.hung", process=command.name, pid=child.pid, silent_for=command.hung_after)
                _kill(child)
        return _outcome(await exited)

    async def _spawn(
        self, command: ChildCommand, parent_watch: ParentWatch, monitor: HeartbeatMonitor
    ) -> asyncio.subprocess.Process:
        watched = command.hung_after is not None
        try:
            child = await asyncio.create_subprocess_exec(
                *command.argv,
                env={**command.env, **parent_watch.env, **(monitor.env if watched else {})},
                stdin=subprocess.DEVNULL,
                pass_fds=(parent_watch.fd, *([monitor.fd] if watched else [])),
                start_new_session=True,
            )
        finally:
            monitor.child_started()
        self._children[command.name] = child
        self._log.info("process.started", process=command.name, pid=child.pid)
        return child

    async def _end(self, command: ChildCommand) -> None:
        """SIGTERM, then SIGKILL to the whole session after the grace period or a second stop request."""
        child = self._children.get(command.name)
        if child is None or child.returncode is not None:
            return
        if not self._stop_now.is_set():
            child.terminate()
            exited = asyncio.create_task(child.wait())
            now = asyncio.create_task(self._stop_now.wait())
            await asyncio.wait({exited, now}, timeout=command.grace, return_when=asyncio.FIRST_COMPLETED)
            exited.cancel()
            now.cancel()
        if child.returncode is None:
            self._log.warning("process.killed", process=command.name, pid=child.pid, grace=command.grace)
            _kill(child)
            await child.wait()

    async def _stop_database(self, database: SupervisedDatabase) -> None:
        await asyncio.to_thread(database.stop, grace=0 if self._stop_now.is_set() else 30)  # noqa: TID251  as above

    def _kill_all(self) -> None:
        for child in self._children.values():
            if child.returncode is None:
                _kill(child)


def _kill(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _outcome(returncode: int) -> dict[str, object]:
    if returncode >= 0:
        return {"exit_code": returncode}
    try:
        return {"signal": signal.Signals(-returncode).name}
    except ValueError:
        return {"signal": -returncode}
