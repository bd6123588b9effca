"""Starts `leadflood` processes without each importing everything anew: they are forked from one that has it all loaded.

What runs is what `python -m leadflood` runs, in a process of its own with its own session, environment, folder, streams
and exit code; only the second of processor time for the imports is spent once. The children of a `leadflood up` that is
started so are forked from it in turn (tests/support/offspring.py). tests/e2e/test_command_line.py and test_wheel.py
start the programs themselves.
"""

import atexit
import contextlib
import gc
import importlib
import itertools
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

import leadflood
from leadflood.kernel import crypto

ROOT = Path(__file__).parents[2]
_LENGTH = 4


class Forked:
    """A process of the launcher, as far as tests need `subprocess.Popen`."""

    def __init__(self, pid: int, ended: socket.socket, home: str | None, stdout: IO[str], stderr: IO[str]) -> None:
        self.pid = pid
        self.home = home
        self.returncode: int | None = None
        self.stdout = stdout
        self.stderr = stderr
        self._ended = ended
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        with self._lock:
            if self.returncode is None and select.select([self._ended], [], [], 0)[0]:
                self.returncode = int(self._ended.recv(32))
                self._ended.close()
        return self.returncode

    def wait(self) -> int:
        """Wait for its end."""
        while self.poll() is None:
            select.select([self._ended], [], [])
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, signum: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it ends between the two
                os.kill(self.pid, signum)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Launcher:
    """The process that forks, started when it is first needed."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self.started: list[Forked] = []

    def start(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        folder: Path,
        *,
        module: str = "leadflood",
        stdin: IO[bytes] | None = None,
    ) -> Forked:
        """Args: argv: what comes after the module. stdin: an open file; without one there is nothing to read."""
        ours, theirs = socket.socketpair()
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        request = {"argv": [*argv], "module": module, "env": dict(env), "folder": str(folder)}
        data = json.dumps(request).encode()
        streams = [stdin.fileno() if stdin is not None else nothing, out_end, err_end, theirs.fileno()]
        with self._lock:
            connection = self._connected()
            socket.send_fds(connection, [len(data).to_bytes(_LENGTH, "big")], streams)
            connection.sendall(data)
        for descriptor in (nothing, out_end, err_end):
            os.close(descriptor)
        theirs.close()
        pid = int(ours.recv(32))
        opened = Forked(pid, ours, env.get("LEADFLOOD_HOME"), open(out), open(err))  # noqa: SIM115, PTH123  pipes
        self.started = [item for item in self.started if item.poll() is None] + [opened]
        return opened

    def _connected(self) -> socket.socket:
        if self._socket is None:
            ours, theirs = socket.socketpair()
            argv = [sys.executable, "-m", "tests.support.launcher", str(theirs.fileno())]
            self._process = subprocess.Popen(argv, cwd=ROOT, pass_fds=[theirs.fileno()], start_new_session=True)
            theirs.close()
            self._socket = ours
            atexit.register(self._close)
        return self._socket

    def _close(self) -> None:
        assert self._socket is not None
        self._socket.close()
        self._process.wait()


LAUNCHER = Launcher()


def run(
    argv: Sequence[str], env: Mapping[str, str], folder: Path, *, text: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run `leadflood` to its end, with `text` on its standard input."""
    told, ours = os.pipe()
    with open(told, "rb") as stdin:  # noqa: PTH123  a pipe
        process = LAUNCHER.start(argv, env, folder, stdin=stdin)
    outputs: list[str] = ["", ""]

    def read(number: int, stream: IO[str]) -> None:
        with stream:
            outputs[number] = stream.read()

    readers = [threading.Thread(target=read, args=item) for item in enumerate((process.stdout, process.stderr))]
    for reader in readers:
        reader.start()
    with contextlib.suppress(BrokenPipeError), open(ours, "w", encoding="utf-8") as stream:  # noqa: PTH123  as above
        stream.write(text or "")  # unless it ended without reading it
    for reader in readers:
        reader.join()
    return subprocess.CompletedProcess(["leadflood", *argv], process.wait(), *outputs)


class _Serving:
    """The launcher's own side."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._running: dict[int, socket.socket] = {}

    def serve(self) -> None:
        """Fork for each request, and say how each child ended, until the test process is gone."""
        wakeup, woken = socket.socketpair()
        woken.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        while True:
            ready, _, _ = select.select([self._connection, wakeup], [], [])
            if wakeup in ready:
                wakeup.recv(4096)
                self._reap()
            if self._connection in ready and not self._fork():
                return

    def _fork(self) -> bool:
        head, streams, _, _ = socket.recv_fds(self._connection, _LENGTH, 4)
        if not head:
            return False
        length, data = int.from_bytes(head, "big"), b""
        while len(data) < length:
            data += self._connection.recv(length - len(data))
        pid = os.fork()
        if pid == 0:
            request = json.loads(data)
            start = Start(request["module"], request["argv"], request["env"], request["folder"])
            os.setsid()
            become(start, streams[:3])
        ended = socket.socket(fileno=streams.pop())
        for descriptor in streams:
            os.close(descriptor)
        ended.send(str(pid).encode())
        self._running[pid] = ended
        return True

    def _reap(self) -> None:
        for pid in list(self._running):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                ended = self._running.pop(pid)
                with contextlib.suppress(BrokenPipeError):  # the test process has ended
                    ended.send(str(os.waitstatus_to_exitcode(status)).encode())
                ended.close()


@dataclass(frozen=True)
class Start:
    """A module to run with its arguments, the whole environment, and the working directory."""

    module: str
    argv: Sequence[str]
    env: Mapping[str, str]
    folder: str


def become(start: Start, streams: Sequence[int], keep: Collection[int] = ()) -> NoReturn:
    """Turn a forked process into the one that was asked for.

    Args: streams: descriptors of its input, output and errors. keep: further descriptors that stay open.
    """
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for handled in (signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM):
            if callable(signal.getsignal(handled)):
                signal.signal(handled, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        for low, high in itertools.pairwise((2, *sorted(keep), 256)):
            os.closerange(low + 1, high)
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
        crypto._RANDOM.seed()
        os.environ.clear()
        os.environ.update(start.env)
        os.chdir(start.folder)
        sys.argv = [start.module, *start.argv]
        runpy.run_module(start.module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  as the interpreter does with what nobody caught
        sys.excepthook(*sys.exc_info())
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does at its end
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                code = code or 120
        os._exit(code)


if __name__ == "__main__":
    gc.disable()
    for module in pkgutil.walk_packages(leadflood.__path__, "leadflood."):
        if not module.name.startswith(("leadflood.__main__", "leadflood.migrations.")):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()
    gc.enable()
    _Serving(socket.socket(fileno=int(sys.argv[1]))).serve()
