"""Real `leadflood` processes for end-to-end and chaos tests: start `up`, talk to it, kill parts of it, leave nothing.

    with temporary_home() as folder, Installation(folder / "home") as installation:
        up = installation.up("--demo")
        up.wait_for("Ctrl-C")
        installation.http().get("/ready")
        os.kill(up.pids()["worker"], signal.SIGKILL)
        assert installation.run("lead", "add", "ada@acme.com", "--wait").returncode == 0
        assert up.stop() == 0

Nothing has a time limit of its own, because what a test waits for either happens or the process it waits for ends.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx
import psutil

from tests.support import offspring
from tests.support.launcher import LAUNCHER, Forked, run
from tests.support.waiting import pauses

INSTANCE = "tests"

PROGRAM = (sys.executable, "-m", "leadflood")
"""The program itself, not a fork of the launcher."""

OFFLINE_SOURCES = "email_insight"
"""Sources of all test processes that do not name others: none that sends a request."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**settings: str) -> dict[str, str]:
    """The environment of this process with these `LEADFLOOD_…` settings, given without the prefix, and no others.

    All processes of a test run belong to one installation, requests may take long on a busy machine, and no source
    sends any, unless a test says otherwise.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEADFLOOD_")}
    quiet = {"instance_id": INSTANCE, "log_level": "info", "enrichment_sources": OFFLINE_SOURCES}
    given = {**quiet, "request_timeout_seconds": "60", **settings}
    return {**kept, **{f"LEADFLOOD_{name.upper()}": value for name, value in given.items()}}


def until(condition: Callable[[], bool]) -> None:
    """Look again and again until the condition holds, for what another process does and does not tell."""
    times = pauses()
    while not condition():
        time.sleep(next(times))


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet counts as ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def command_of(process: psutil.Process) -> str:
    """The command of a `leadflood` process, started as a program or forked; empty for others."""
    name, argv = process.name(), process.cmdline()
    if name.startswith(offspring.MARK):
        return name.removeprefix(offspring.MARK)
    return argv[3] if argv[1:3] == ["-m", "leadflood"] and len(argv) > 3 else ""


class Running:
    """A `leadflood` command that runs in its own session, with all that it prints."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        folder: Path,
        *,
        module: str = "leadflood",
        program: Sequence[str] = (),
    ) -> None:
        """Start it.

        Args: argv: the arguments of `leadflood`. folder: the working directory, so that no `.env` is found. program: a
            `leadflood` to start, in place of a fork of the launcher.
        """
        if module == "leadflood" and argv[0] == "up":
            module = offspring.__name__
        self.process: subprocess.Popen[str] | Forked = (
            _popen([*program, *argv], env, folder) if program else LAUNCHER.start(argv, env, folder, module=module)
        )
        self._started: dict[int, psutil.Process] = {}
        self._heard = threading.Condition()
        self._lines: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self.process.stdout, self.process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The process id of the command itself."""
        return self.process.pid

    @property
    def output(self) -> str:
        """Output so far, of both streams, in the order of arrival."""
        with self._heard:
            return "".join(self._lines)

    def wait_for(self, words: str) -> str:
        """Wait until the output has these words, and return the line. Fails when the command ends without them."""
        with self._heard:
            while not (found := [line for line in self._lines if words in line]):
                alive = any(reader.is_alive() for reader in self._readers)
                assert alive, f"ended without {words!r}:\n{''.join(self._lines)}"
                self._heard.wait(1)
            return found[0]

    def pids(self) -> dict[str, int]:
        """The living children by name: `api`, `api-2`, `worker`, `dev-mail`, `demo-internet` and `postgres`, if any."""
        kept = ("worker", "dev-mail", "demo-internet", "seed", "prepare")
        names = {"serve": "api", **{name: name for name in kept}}
        found: dict[str, int] = {}
        for child in self._remember():
            try:
                command = command_of(child)
                if child.name() == "postgres" and child.ppid() == self.pid:
                    found["postgres"] = child.pid
                elif command in names:
                    name = names[command]
                    found[f"{name}-2" if name in found else name] = child.pid
            except psutil.NoSuchProcess:
                continue
        return found

    def family(self) -> list[int]:
        """The process ids of the command and of all that it started and that still runs, server processes included."""
        return [self.pid, *(child.pid for child in self._remember())]

    def stop(self, signum: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop as Ctrl-C does, wait for its end and return its exit code."""
        self._remember()
        self.process.send_signal(signum)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL to the command alone: its children have to find out by themselves."""
        self._remember()
        self.process.kill()
        self.process.wait()

    def wait(self) -> int:
        """Wait for its end and for all of its output; its exit code, negative for a signal."""
        code = self.process.wait()
        for reader in self._readers:
            reader.join()
        return code

    def clean_up(self) -> None:
        """Kill what is left of it and of everything it ever started, by process id."""
        self._remember()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for child in self._started.values():
            # psutil checks that the id still belongs to the process that was seen.
            if child.is_running():
                _kill(child)
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def _remember(self) -> list[psutil.Process]:
        try:
            children = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        self._started.update({child.pid: child for child in children})
        return children

    def _read(self, stream: IO[str] | None) -> None:
        assert stream is not None
        for line in stream:
            with self._heard:
                self._lines.append(line)
                self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()


class Installation:
    """A data folder with its port, and the processes that a test starts on it, all ended at the end."""

    def __init__(self, home: Path, **settings: str) -> None:
        """Args: home: the data folder, which need not exist. settings: more of them, as for `environment`."""
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = {"home": str(home), "port": str(self.port), "log_format": "json", "dev_mail_port": "0", "instance_id": ""}
        self.env = environment(**{**own, **settings})
        self._running: list[Running] = []
        self._clients: list[httpx.Client] = []

    def up(self, *arguments: str, program: Sequence[str] = ()) -> Running:
        """Start `leadflood up` without waiting for anything. The sources of the demo ask its small internet."""
        named = self.env["LEADFLOOD_ENRICHMENT_SOURCES"]
        demo = "--demo" in arguments and named == OFFLINE_SOURCES
        return self.start("up", *arguments, program=program, enrichment_sources="" if demo else named)

    def start(self, *argv: str, module: str = "leadflood", program: Sequence[str] = (), **settings: str) -> Running:
        """Start any command, such as `worker`, without waiting for anything; `settings` are its own."""
        own = {f"LEADFLOOD_{name.upper()}": value for name, value in settings.items()}
        self._running.append(Running(argv, {**self.env, **own}, self.home.parent, module=module, program=program))
        return self._running[-1]

    def run(self, *argv: str, text: str | None = None, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, with `text` on its standard input; `settings` are its own."""
        own = {f"LEADFLOOD_{name.upper()}": value for name, value in settings.items()}
        return run(argv, {**self.env, **own}, self.home.parent, text=text)

    def wait_ready(self, up: Running) -> None:
        """Wait until `/ready` answers 200. Fails when `up` ends before."""

        client = self.http()

        def ready() -> bool:
            assert up.process.poll() is None, up.output
            try:
                return client.get("/ready").status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        until(ready)

    def http(self, token: str | None = None) -> httpx.Client:
        """A client of the API, with a bearer token where one is given."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)
        self._clients.append(client)
        return client

    def login(self, email: str, password: str) -> httpx.Client:
        """A client that is signed in."""
        answer = self.http().post("/v1/auth/login", json={"email": email, "password": password})
        assert answer.status_code == httpx.codes.OK, answer.text
        return self.http(answer.json()["accessToken"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.close()
        for running in self._running:
            running.clean_up()


def all_gone(pids: Iterable[int]) -> bool:
    """Whether every one of these processes has ended."""
    return all(gone(pid) for pid in pids)


def _popen(argv: Sequence[str], env: Mapping[str, str], folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        argv,
        env=dict(env),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
        process.wait()
    except psutil.NoSuchProcess:
        return
