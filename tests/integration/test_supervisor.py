import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from leadflood.cli.supervisor import DATABASE, MAX_DATABASE_DELAY, Backoff, ChildCommand, Supervisor
from leadflood.kernel.db.embedded import EmbeddedPostgres
from leadflood.kernel.db.postmaster import running_server
from leadflood.kernel.process_lifetime import AlreadyRunning, InstanceLock
from tests.support.postgres import Cluster, temporary_home
from tests.support.waiting import soon, until

QUICK = Backoff(first=0.01, limit=0.02)
ENV = dict(os.environ)

CHILD = """
import asyncio, os, signal, socket, sys
from leadflood.kernel.process_lifetime import die_with_parent, send_heartbeats
name, path, *flags = sys.argv[1:]
reports = socket.socket(socket.AF_UNIX)
reports.connect(path)
def say(word):
    reports.sendall(f"{name} {word} {os.getpid()}\\n".encode())
def on_signal(signum, frame):
    say(signal.Signals(signum).name)
    if "stubborn" not in flags:
        sys.exit(0)
signal.signal(signal.SIGTERM, on_signal)
signal.signal(signal.SIGINT, on_signal)
die_with_parent(os.environ, grace=0.1)
async def live():
    heartbeats = asyncio.create_task(send_heartbeats(os.environ))
    await asyncio.sleep(0)
    say("up")
    await heartbeats
asyncio.run(live())
while True:
    signal.pause()
"""

PARENT = """
import asyncio, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever the tests themselves run under
from leadflood.cli.supervisor import ChildCommand, Supervisor
child, path, *flags = sys.argv[1:]
argv = lambda name: [sys.executable, "-c", child, name, path, *flags]
asyncio.run(Supervisor([ChildCommand("api", argv("api")), ChildCommand("worker", argv("worker"))]).run())
"""

HOLDER = """
import sys
from pathlib import Path
from leadflood.kernel.process_lifetime import InstanceLock
lock = InstanceLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


class Reports:
    """Messages of children over a socket: `<name> <word>`. The kernel reports a dead child as `closed`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pids: dict[str, int] = {}
        self._words: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = ""
        with suppress(ConnectionResetError):
            async for line in reader:
                name, word, pid = line.decode().split()
                self.pids[name] = int(pid)
                self._words.put_nowait((name, word))
        self._words.put_nowait((name, "closed"))
        writer.close()

    async def take(self, count: int) -> list[tuple[str, str]]:
        return [await soon(self._words.get()) for _ in range(count)]

    def command(self, name: str, *flags: str, grace: float = 30, hung_after: float | None = None) -> ChildCommand:
        return ChildCommand(name, [sys.executable, "-c", CHILD, name, str(self.path), *flags], ENV, grace, hung_after)


@pytest.fixture
async def reports(tmp_path: Path) -> AsyncIterator[Reports]:
    with temporary_home() as folder:
        found = Reports(folder / "reports")
        async with await asyncio.start_unix_server(found.serve, found.path):
            yield found
            for pid in found.pids.values():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def supervising(supervisor: Supervisor) -> AsyncIterator[Supervisor]:
    running = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
        supervisor.request_stop()
        await running
    finally:
        running.cancel()


@pytest.fixture
def parent(reports: Reports) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    started = []

    def start(*flags: str) -> "subprocess.Popen[bytes]":
        argv = [sys.executable, "-c", PARENT, CHILD, str(reports.path), *flags]
        started.append(subprocess.Popen(argv, start_new_session=True, stdout=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_the_wait_before_a_restart_doubles_to_a_limit_and_starts_anew_after_a_healthy_life() -> None:
    delays, delay = [], 0.0
    for _ in range(7):
        delay = Backoff().next(delay, lifetime=0)
        delays.append(delay)
    assert delays == [1, 2, 4, 8, 16, 30, 30]
    assert Backoff().next(30, lifetime=60) == 1
    assert MAX_DATABASE_DELAY <= 10


async def test_a_child_that_dies_is_restarted_and_the_restart_counted(reports: Reports) -> None:
    async with supervising(Supervisor([reports.command("api")], backoff=QUICK)) as supervisor:
        assert await reports.take(1) == [("api", "up")]
        first = reports.pids["api"]
        os.kill(first, signal.SIGKILL)
        assert await reports.take(2) == [("api", "closed"), ("api", "up")]
        assert reports.pids["api"] != first
        assert supervisor.pid("api") == reports.pids["api"]
        assert supervisor.restarts == {"api": 1}


async def test_a_child_that_hangs_is_killed_and_restarted_and_one_that_sends_no_heartbeats_is_left_alone(
    reports: Reports,
) -> None:
    commands = [reports.command("api", hung_after=3), reports.command("worker")]
    async with supervising(Supervisor(commands, backoff=QUICK)) as supervisor:
        assert sorted(await reports.take(2)) == [("api", "up"), ("worker", "up")]
        hung, stopped = reports.pids["api"], reports.pids["worker"]
        os.kill(stopped, signal.SIGSTOP)
        os.kill(hung, signal.SIGSTOP)
        assert await reports.take(2) == [("api", "closed"), ("api", "up")]
        assert reports.pids["api"] != hung
        assert supervisor.restarts == {"api": 1}
        os.kill(stopped, signal.SIGCONT)


async def test_children_are_stopped_one_after_the_other_in_the_given_order(reports: Reports) -> None:
    async with supervising(Supervisor([reports.command("api"), reports.command("worker")])):
        assert sorted(await reports.take(2)) == [("api", "up"), ("worker", "up")]
    assert await reports.take(4) == [
        ("api", "SIGTERM"),
        ("api", "closed"),
        ("worker", "SIGTERM"),
        ("worker", "closed"),
    ]


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(reports: Reports) -> None:
    async with supervising(Supervisor([reports.command("api", "stubborn", grace=0.1)])) as supervisor:
        await reports.take(1)
    assert await reports.take(2) == [("api", "SIGTERM"), ("api", "closed")]
    assert supervisor.pid("api") is None
    assert supervisor.restarts == {}


async def test_a_second_request_to_stop_does_not_wait_for_the_grace(reports: Reports) -> None:
    commands = [reports.command(name, "stubborn", grace=3600) for name in ("api", "worker")]
    async with supervising(Supervisor(commands)) as supervisor:
        await reports.take(2)
        supervisor.request_stop()
        assert await reports.take(1) == [("api", "SIGTERM")]
    assert sorted(await reports.take(2)) == [("api", "closed"), ("worker", "closed")]


async def test_a_command_that_cannot_be_executed_is_tried_again_while_the_others_run(reports: Reports) -> None:
    missing = ChildCommand("mail", ["/nonexistent/program"], ENV)
    async with supervising(Supervisor([missing, reports.command("api")], backoff=QUICK)) as supervisor:
        assert await reports.take(1) == [("api", "up")]
        await until(lambda: supervisor.restarts["mail"] > 1)
        assert supervisor.restarts["api"] == 0


async def test_a_stop_while_children_start_leaves_none_behind(reports: Reports) -> None:
    supervisor = Supervisor([reports.command("api"), reports.command("worker")])
    supervisor.request_stop()
    await supervisor.run()
    assert supervisor.pid("api") is None
    assert supervisor.pid("worker") is None


async def test_a_database_that_dies_is_restarted_under_its_children_and_stopped_last(reports: Reports) -> None:
    with temporary_home() as folder:
        server = EmbeddedPostgres(folder / "home")
        server.start()
        try:
            async with supervising(Supervisor([reports.command("api")], database=server, backoff=QUICK)) as supervisor:
                await reports.take(1)
                found = running_server(server.data)
                assert found is not None
                killed = found.pid
                os.kill(killed, signal.SIGKILL)
                await until(lambda: started_anew(server, killed))
                assert Cluster(server).run("SELECT 1") == "1"
                assert supervisor.restarts == {DATABASE: 1}
            assert await reports.take(2) == [("api", "SIGTERM"), ("api", "closed")]
            assert not server.is_running()
        finally:
            server.stop()


def started_anew(server: EmbeddedPostgres, previous: int) -> bool:
    found = running_server(server.data)
    return found is not None and found.pid != previous


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_from_the_terminal_reaches_the_supervisor_alone_and_stops_all(
    reports: Reports, parent: Callable[..., "subprocess.Popen[bytes]"], signum: signal.Signals
) -> None:
    process = parent()
    assert len(await reports.take(2)) == 2
    os.killpg(process.pid, signum)
    assert await reports.take(4) == [
        ("api", "SIGTERM"),
        ("api", "closed"),
        ("worker", "SIGTERM"),
        ("worker", "closed"),
    ]
    assert await asyncio.to_thread(process.wait) == 0


@pytest.mark.parametrize("flags", [(), ("stubborn",)])
async def test_children_end_when_their_supervisor_is_killed(
    reports: Reports, parent: Callable[..., "subprocess.Popen[bytes]"], flags: tuple[str, ...]
) -> None:
    process = parent(*flags)
    await reports.take(2)
    process.kill()
    assert sorted(await reports.take(4)) == [
        ("api", "SIGTERM"),
        ("api", "closed"),
        ("worker", "SIGTERM"),
        ("worker", "closed"),
    ]
    await until(lambda: all(gone(pid) for pid in reports.pids.values()))


def test_a_lock_excludes_a_second_holder_until_it_is_released(tmp_path: Path) -> None:
    first, second = InstanceLock(tmp_path / "lock"), InstanceLock(tmp_path / "lock")
    with first:
        with pytest.raises(AlreadyRunning, match=f"{os.getpid()} .*{tmp_path}"):
            second.acquire()
        assert not second.is_locked
    with second:
        assert second.is_locked


def test_a_lock_is_free_as_soon_as_its_holder_is_killed(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(AlreadyRunning, match=str(holder.pid)):
                InstanceLock(tmp_path / "lock").acquire()
        finally:
            holder.kill()
    with InstanceLock(tmp_path / "lock") as lock:
        assert lock.is_locked
