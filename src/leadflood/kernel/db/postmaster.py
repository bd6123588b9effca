"""Servers of a data folder, as its `postmaster.pid` and the process table show them."""

import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from leadflood.kernel.clock import monotonic

_LINES = 8


@dataclass(frozen=True, slots=True)
class PidFile:
    """The PID file that a server writes into its data folder (PostgreSQL's miscadmin.h, `LOCK_FILE_LINE_*`)."""

    pid: int
    socket_dir: str
    status: str

    @classmethod
    def read(cls, data: Path) -> Self | None:
        """The file's content; None if it is missing or incomplete."""
        try:
            lines = (data / "postmaster.pid").read_text(errors="surrogateescape").splitlines()
            return cls(int(lines[0]), lines[4], lines[7].strip()) if len(lines) >= _LINES else None
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None


def serves(process: psutil.Process, data: Path) -> bool:
    """Whether a process is a PostgreSQL of this data folder: each of them has it as its working directory.

    A process that got a dead server's id by chance is none, nor is one that we may not look into.
    """
    try:
        return process.name() == "postgres" and Path(process.cwd()) == data
    except psutil.Error:
        return False


def running_server(data: Path) -> PidFile | None:
    """The server of the data folder that accepts connections, as far as this account can see it."""
    found = PidFile.read(data)
    if found is None or found.status != "ready" or not psutil.pid_exists(found.pid):
        return None
    try:
        return found if serves(psutil.Process(found.pid), data) else None
    except psutil.NoSuchProcess:
        return None


def end_servers(data: Path) -> list[int]:
    """End every PostgreSQL process of the data folder and wait for them; returns their IDs.

    The postmaster first and gently. What is left then has lost its postmaster, and would keep a new one from
    starting for as long as its query runs.
    """
    found = PidFile.read(data)
    ended: list[int] = []
    for process in psutil.process_iter():
        if found is not None and process.pid == found.pid and serves(process, data):
            _end(process, ((signal.SIGINT, 30), (signal.SIGQUIT, 10)))
            ended.append(process.pid)
    for process in psutil.process_iter():
        if serves(process, data):
            _end(process, ((signal.SIGQUIT, 5),))
            ended.append(process.pid)
    return ended


def _end(process: psutil.Process, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal, with the seconds to wait after it, and SIGKILL at last. psutil checks for a recycled id."""
    for signum, seconds in (*steps, (signal.SIGKILL, float("inf"))):
        try:
            process.send_signal(signum)
        except psutil.NoSuchProcess:
            return
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            if _gone(process):
                return
            threading.Event().wait(0.02)


def _gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
